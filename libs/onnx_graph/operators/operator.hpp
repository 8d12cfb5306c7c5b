#pragma once
// What one operator's function sees of its node. To add an operator: a function here or the reuse of one, a row in
// table.cpp, and a row in inference_test.cpp.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "onnx_graph/inference.hpp"

namespace assay::onnx_graph {

/// The node's inputs do not fit together; becomes a remark.
class Mismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One node, with what is known of its inputs and a place for what is found of its outputs. Inputs that are missing or
/// not known are nullptr.
class Operator {
 public:
  Operator(const Node& its_node, const Model& its_model,
           const std::unordered_map<std::string, const Tensor*>& constants, Inference& known, std::size_t& room)
      : node(its_node), model(its_model), constants_(constants), known_(known), room_(room) {}

  const Node& node;
  const Model& model;

  [[nodiscard]] std::int64_t opset() const { return model.opset(); }
  [[nodiscard]] bool has(std::size_t i) const { return node.has_input(i); }
  [[nodiscard]] ElementType element(std::size_t i) const;
  [[nodiscard]] const Dimensions* shape(std::size_t i) const;
  [[nodiscard]] const Integers* integers(std::size_t i) const;
  /// Integers of a constant or computed input, all known.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> known_integers(std::size_t i) const;
  [[nodiscard]] const Tensor* constant(std::size_t i) const;
  /// Floats of a constant input.
  [[nodiscard]] std::optional<std::vector<float>> known_floats(std::size_t i) const;

  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const {
    return node.attribute_or<std::int64_t>(name, fallback);
  }
  [[nodiscard]] std::vector<std::int64_t> list(std::string_view name) const {
    return node.attribute_or<std::vector<std::int64_t>>(name, {});
  }
  [[nodiscard]] bool has_attribute(std::string_view name) const;
  /// The list as an attribute, or as an input where it became one. Empty optional: given but not known.
  /// Not given at all: an empty list.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> list_or_input(std::string_view name, std::size_t input) const;

  void output(std::size_t i, ElementType element, std::optional<Dimensions> shape);
  void output_integers(std::size_t i, Integers integers);

 private:
  const std::unordered_map<std::string, const Tensor*>& constants_;
  Inference& known_;
  std::size_t& room_;  // axes and integers that may still be kept, of all nodes together
};

using InferFunction = void (*)(Operator&);

struct OperatorRow {
  std::string_view domain;
  std::string_view name;
  InferFunction infer;
};
/// The table, sorted by nobody: looked up through find_operator.
std::span<const OperatorRow> operator_table();
/// nullptr where there is no such row.
InferFunction find_operator(std::string_view domain, std::string_view name);

// Helpers of the operators' functions.

/// Sizes and attributes beyond this are taken as hostile, so that sums and small products cannot overflow.
constexpr std::int64_t kLargestSize = std::int64_t{1} << 40;
/// As many as a tensor has anywhere.
constexpr std::int64_t kMostAxes = 64;
/// Integer tensors are followed up to this many elements.
constexpr std::size_t kMostIntegers = 1024;
/// Axes and integers kept for all values together: some hundred megabytes, which only a hostile graph takes.
constexpr std::size_t kRoom = std::size_t{8} << 20U;

inline Dimensions sizes(const std::vector<std::int64_t>& values) {
  Dimensions result;
  for (const std::int64_t v : values) result.push_back({v, ""});
  return result;
}
/// `count` free axes.
inline Dimensions unknown(std::size_t count) { return Dimensions(count); }
/// -1 counts from the end. Throws Mismatch outside the rank.
std::size_t axis_index(std::int64_t axis, std::size_t rank);
/// axis_index of each, without repetition.
std::vector<std::size_t> axis_indices(const std::vector<std::int64_t>& axes, std::size_t rank);
/// Product, or -1 where an axis is free; throws Mismatch where it is larger than any memory.
std::int64_t product(std::span<const Dimension> dimensions);
std::int64_t multiply(std::int64_t a, std::int64_t b);
/// Of two shapes under NumPy's rules.
Dimensions broadcast(const Dimensions& a, const Dimensions& b);
/// The same axis seen twice: the one that is known. Throws Mismatch where both are, and differ.
Dimension same(const Dimension& a, const Dimension& b, std::string_view what);

// The operators, by kind.

// elementwise.cpp
void infer_same(Operator& op);        ///< output 0 as input 0
void infer_identity(Operator& op);    ///< the same, integers too
void infer_boolean(Operator& op);     ///< shape of input 0, bool
void infer_broadcast(Operator& op);   ///< all inputs broadcast, type of input 0
void infer_comparison(Operator& op);  ///< all inputs broadcast, bool
void infer_arithmetic(Operator& op);  ///< broadcast, and computed where the integers are known
void infer_equal(Operator& op);
void infer_where(Operator& op);
void infer_cast(Operator& op);
void infer_cast_like(Operator& op);
void infer_dropout(Operator& op);
void infer_quantize(Operator& op);
void infer_dequantize(Operator& op);
void infer_dynamic_quantize(Operator& op);
// reduce.cpp
void infer_reduce(Operator& op);
void infer_arg_reduce(Operator& op);
void infer_top_k(Operator& op);
// network.cpp
void infer_conv(Operator& op);
void infer_conv_integer(Operator& op);
void infer_conv_quantized(Operator& op);
void infer_conv_transpose(Operator& op);
void infer_pool(Operator& op);
void infer_global_pool(Operator& op);
void infer_batch_normalization(Operator& op);
void infer_layer_normalization(Operator& op);
void infer_resize(Operator& op);
void infer_upsample(Operator& op);
void infer_recurrent(Operator& op);
// matrix.cpp
void infer_matmul(Operator& op);
void infer_matmul_integer(Operator& op);
void infer_matmul_quantized(Operator& op);
void infer_gemm(Operator& op);
void infer_einsum(Operator& op);
// shape.cpp
void infer_shape(Operator& op);
void infer_size(Operator& op);
void infer_reshape(Operator& op);
void infer_flatten(Operator& op);
void infer_squeeze(Operator& op);
void infer_unsqueeze(Operator& op);
void infer_transpose(Operator& op);
void infer_tile(Operator& op);
void infer_depth_to_space(Operator& op);
void infer_space_to_depth(Operator& op);
// pieces.cpp
void infer_concat(Operator& op);
void infer_split(Operator& op);
void infer_slice(Operator& op);
void infer_gather(Operator& op);
void infer_gather_elements(Operator& op);
void infer_gather_nd(Operator& op);
void infer_pad(Operator& op);
void infer_one_hot(Operator& op);
void infer_non_zero(Operator& op);
void infer_compress(Operator& op);
// made.cpp
void infer_constant(Operator& op);
void infer_constant_of_shape(Operator& op);
void infer_range(Operator& op);
void infer_eye_like(Operator& op);
void infer_expand(Operator& op);

}  // namespace assay::onnx_graph
