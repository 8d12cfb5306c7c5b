#pragma once
// What one operator's function sees of its ONNX node. To add an operator: a function in a file here, a row in
// table.cpp, and a row in tests/conformance/node_operators.txt, which runs ONNX's own tests of it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph_builder.hpp"
#include "onnx_graph/inference.hpp"

namespace assay::tensorflow {

/// Thrown by an operator's function for what it cannot translate; all of a model's are told in one error.
class Untranslated : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A value of the ONNX graph as it stands in TensorFlow's: in one or both layouts, made when first asked for.
/// Images (batch, channels, space …) are kept with the channels last, as TensorFlow's CPU kernels and XLA want them, as
/// long as operators follow that can take them so.
struct Value {
  TF_Output onnx;  ///< axes in ONNX's order
  TF_Output last;  ///< channels last; only of three axes or more
  const onnx_graph::Tensor* constant = nullptr;
  std::optional<Ints> integers;  ///< computed by shape inference
};

/// nullopt: TensorFlow has no such type.
std::optional<DataType> data_type(onnx_graph::ElementType type);

struct TranslationSettings {
  bool channels_last = true;
  bool onednn = true;  ///< its kernels take what TensorFlow's own do not
};

/// What is known of the whole model while it is translated.
struct Translation {
  const onnx_graph::Model& model;
  const onnx_graph::Inference& inference;
  TranslationSettings settings;
  GraphBuilder graph;
  std::unordered_map<std::string, Value> values;
};

class Operator {
 public:
  Operator(const onnx_graph::Node& its_node, Translation& translation)
      : node(its_node),
        g(translation.graph),
        translation_(translation),
        channels_last_(translation.settings.channels_last) {}

  const onnx_graph::Node& node;
  GraphBuilder& g;

  [[noreturn]] void fail(const std::string& why) const { throw Untranslated(why); }
  [[nodiscard]] std::int64_t opset() const { return translation_.model.opset(); }

  // Inputs.
  [[nodiscard]] std::size_t count() const { return node.inputs.size(); }
  [[nodiscard]] bool has(std::size_t i) const { return node.has_input(i); }
  TF_Output in(std::size_t i);                      ///< axes in ONNX's order
  TF_Output in_last(std::size_t i);                 ///< channels last; of three axes or more
  [[nodiscard]] bool is_last(std::size_t i) const;  ///< stands channels last already, and not in ONNX's order
  [[nodiscard]] DataType type(std::size_t i);
  /// Sizes in ONNX's order, -1 where not known; nothing where the rank is not.
  [[nodiscard]] std::optional<Ints> shape(std::size_t i);
  /// The same; fails where the rank is not known.
  [[nodiscard]] Ints sizes(std::size_t i);
  [[nodiscard]] std::size_t rank(std::size_t i) { return sizes(i).size(); }
  [[nodiscard]] const onnx_graph::Tensor* constant(std::size_t i) const;
  /// Elements of an integer scalar or vector that is known before anything runs.
  [[nodiscard]] std::optional<Ints> integers(std::size_t i) const;
  [[nodiscard]] Ints require_integers(std::size_t i, const char* what) const;
  /// Of a constant of floats, or of a scalar of any type.
  [[nodiscard]] std::optional<std::vector<float>> floats(std::size_t i) const;

  // Attributes.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const {
    return node.attribute_or<std::int64_t>(name, fallback);
  }
  [[nodiscard]] float real(std::string_view name, float fallback) const {
    return node.attribute_or<float>(name, fallback);
  }
  [[nodiscard]] std::string text(std::string_view name, const std::string& fallback) const {
    return node.attribute_or<std::string>(name, fallback);
  }
  [[nodiscard]] std::optional<Ints> list(std::string_view name) const;
  /// As an attribute, or as an input where a later opset made it one; nothing where not given. Fails where the input is
  /// known only when the graph runs.
  [[nodiscard]] std::optional<Ints> list_or_input(std::string_view name, std::size_t input) const;

  // Outputs.
  [[nodiscard]] bool wants(std::size_t i) const { return i < node.outputs.size() && !node.outputs[i].empty(); }
  void out(std::size_t i, TF_Output x);          ///< axes in ONNX's order
  void out_last(std::size_t i, TF_Output x);     ///< channels last
  void alias(std::size_t i, std::size_t input);  ///< output i is the input as it is, whatever is known of it
  /// In whichever of the two layouts.
  void out(std::size_t i, TF_Output x, bool last) { last ? out_last(i, x) : out(i, x); }
  [[nodiscard]] DataType out_type(std::size_t i) const;  ///< as ONNX says

  // Images in the layout that is wanted: see Value.
  [[nodiscard]] bool channels_last() const { return channels_last_; }
  /// Of this operator whatever is wanted, where TensorFlow has it in no other layout on the CPU.
  void insist_on_channels_last() { channels_last_ = true; }
  [[nodiscard]] const TranslationSettings& settings() const { return translation_.settings; }
  TF_Output image(std::size_t i) { return channels_last() ? in_last(i) : in(i); }
  void out_image(std::size_t i, TF_Output x) { out(i, x, channels_last()); }
  /// TensorFlow's name of the layout, for so many axes of space.
  [[nodiscard]] const char* data_format(std::size_t spatial) const;
  /// `of_space` among ones for batch and channels, as TensorFlow's strides and windows are given.
  [[nodiscard]] Ints spread(const Ints& of_space, std::int64_t elsewhere = 1) const;
  /// Where the axis of ONNX lies in the layout `last` of so many axes.
  [[nodiscard]] static std::int64_t place(std::int64_t axis, std::size_t rank, bool last);

  /// Inputs brought into one layout in which broadcasting means the same: channels last where one stands so and the
  /// others can follow without being moved at run time.
  struct Operands {
    std::vector<TF_Output> values;
    bool last = false;
  };
  Operands operands(std::span<const std::size_t> inputs);
  Operands all_operands();
  /// Of one input: as it stands.
  Operands operand(std::size_t i = 0);

  /// Axis 0 … rank-1 of a possibly negative one. Fails outside.
  [[nodiscard]] std::int64_t axis(std::int64_t given, std::size_t rank) const;

 private:
  Value& value(std::size_t i);
  [[nodiscard]] const Value* known(std::size_t i) const;
  TF_Output constant_last(std::size_t i, std::size_t rank);

  Translation& translation_;
  bool channels_last_;
};

using TranslateFunction = void (*)(Operator&);

struct OperatorRow {
  std::string_view domain;
  std::string_view name;
  TranslateFunction translate;
};
std::span<const OperatorRow> operator_table();
/// nullptr where there is no such row.
TranslateFunction find_operator(std::string_view domain, std::string_view name);

/// `bytes` of a tensor of `dims`, its axes put into `order`.
std::vector<std::byte> permuted(std::span<const std::byte> bytes, const Ints& dims, const Ints& order,
                                std::size_t element_bytes);
/// The order of axes that puts channels last, or back.
Ints to_last(std::size_t rank);
Ints from_last(std::size_t rank);

// The operators, by kind.

// activation.cpp
void translate_celu(Operator& op);
void translate_elu(Operator& op);
void translate_gelu(Operator& op);
void translate_hard_sigmoid(Operator& op);
void translate_hard_swish(Operator& op);
void translate_leaky_relu(Operator& op);
void translate_mish(Operator& op);
void translate_prelu(Operator& op);
void translate_selu(Operator& op);
void translate_shrink(Operator& op);
void translate_thresholded_relu(Operator& op);
// arithmetic.cpp
void translate_cast(Operator& op);
void translate_cast_like(Operator& op);
void translate_div(Operator& op);
void translate_dropout(Operator& op);
void translate_is_inf(Operator& op);
void translate_max(Operator& op);
void translate_mean(Operator& op);
void translate_min(Operator& op);
void translate_mod(Operator& op);
void translate_pow(Operator& op);
void translate_sign(Operator& op);
void translate_sum(Operator& op);
void translate_where(Operator& op);
// elementwise.cpp
void translate_unary(Operator& op);
void translate_binary(Operator& op);
void translate_identity(Operator& op);
void translate_clip(Operator& op);
// network.cpp
void translate_conv(Operator& op);
// transposed.cpp
void translate_conv_transpose(Operator& op);
// pool.cpp
void translate_max_pool(Operator& op);
void translate_average_pool(Operator& op);
void translate_lp_pool(Operator& op);
void translate_global_pool(Operator& op);
// normalization.cpp
void translate_batch_normalization(Operator& op);
void translate_instance_normalization(Operator& op);
void translate_group_normalization(Operator& op);
void translate_layer_normalization(Operator& op);
void translate_lp_normalization(Operator& op);
void translate_mean_variance_normalization(Operator& op);
void translate_lrn(Operator& op);
// resize.cpp
void translate_resize(Operator& op);
// integer.cpp
void translate_matmul_integer(Operator& op);
void translate_conv_integer(Operator& op);
void translate_qlinear_matmul(Operator& op);
void translate_qlinear_conv(Operator& op);
// einsum.cpp
void translate_einsum(Operator& op);
// matrix.cpp
void translate_gemm(Operator& op);
void translate_matmul(Operator& op);
void translate_softmax(Operator& op);
// quantize.cpp
void translate_dequantize_linear(Operator& op);
void translate_dynamic_quantize_linear(Operator& op);
void translate_quantize_linear(Operator& op);
// reduce.cpp
void translate_reduce(Operator& op);
// select.cpp
void translate_arg_extreme(Operator& op);
void translate_cum_sum(Operator& op);
void translate_hardmax(Operator& op);
void translate_top_k(Operator& op);
// shape.cpp
void translate_reshape(Operator& op);
void translate_flatten(Operator& op);
void translate_transpose(Operator& op);
void translate_concat(Operator& op);
void translate_squeeze(Operator& op);
void translate_unsqueeze(Operator& op);
void translate_expand(Operator& op);
void translate_shape(Operator& op);
void translate_size(Operator& op);
// pieces.cpp
void translate_slice(Operator& op);
void translate_split(Operator& op);
void translate_pad(Operator& op);
void translate_tile(Operator& op);
void translate_depth_to_space(Operator& op);
void translate_space_to_depth(Operator& op);
void translate_reverse_sequence(Operator& op);
void translate_trilu(Operator& op);
// indexed.cpp
void translate_gather(Operator& op);
void translate_gather_elements(Operator& op);
void translate_gather_nd(Operator& op);
void translate_scatter_elements(Operator& op);
void translate_scatter_nd(Operator& op);
void translate_compress(Operator& op);
// made.cpp
void translate_constant(Operator& op);
void translate_constant_of_shape(Operator& op);
void translate_range(Operator& op);
void translate_eye_like(Operator& op);
void translate_one_hot(Operator& op);
void translate_non_zero(Operator& op);
void translate_unique(Operator& op);

}  // namespace assay::tensorflow
