#include "model/statistics.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "model/values.hpp"

namespace assay::model {
namespace {

using onnx_graph::Inference;
using onnx_graph::Node;
using onnx_graph::Tensor;

using Count = std::optional<std::int64_t>;

Count times(Count a, Count b) {
  std::int64_t result = 0;
  if (!a || !b || __builtin_mul_overflow(*a, *b, &result)) return std::nullopt;
  return result;
}

Count plus(Count a, Count b) {
  std::int64_t result = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &result)) return std::nullopt;
  return result;
}

/// Elements of axes [first, end) of a value.
Count elements(const Inference& inference, const std::string& value, std::size_t first = 0) {
  const auto shape = inference.known_shape(value);
  if (!shape) return std::nullopt;
  Count result = 1;
  for (std::size_t i = first; i < shape->size(); ++i) result = times(result, (*shape)[i]);
  return result;
}

Count axis(const Inference& inference, const std::string& value, std::ptrdiff_t which) {
  const auto shape = inference.known_shape(value);
  if (!shape) return std::nullopt;
  const auto rank = static_cast<std::ptrdiff_t>(shape->size());
  const std::ptrdiff_t i = which < 0 ? which + rank : which;
  return i >= 0 && i < rank ? Count((*shape)[static_cast<std::size_t>(i)]) : std::nullopt;
}

// Multiply-adds of one node. Inputs and outputs that are counted on are there (see LayerRow::inputs).

using CountFunction = Count (*)(const Node&, const Inference&, std::size_t weights);

/// Each output element sums over a window of a group's channels.
Count count_conv(const Node& node, const Inference& inference, std::size_t weights) {
  return times(elements(inference, node.outputs[0]), elements(inference, node.inputs[weights], 1));
}
/// Each input element is spread over a window of a group's channels.
Count count_conv_transpose(const Node& node, const Inference& inference, std::size_t weights) {
  return times(elements(inference, node.inputs[0]), elements(inference, node.inputs[weights], 1));
}
Count count_matmul(const Node& node, const Inference& inference, std::size_t /*weights*/) {
  return times(elements(inference, node.outputs[0]), axis(inference, node.inputs[0], -1));
}
Count count_gemm(const Node& node, const Inference& inference, std::size_t /*weights*/) {
  const bool transposed = node.attribute_or<std::int64_t>("transA", 0) != 0;
  return times(elements(inference, node.outputs[0]), axis(inference, node.inputs[0], transposed ? 0 : 1));
}
/// Each step multiplies the input and the state by the gates' matrices; both directions.
Count count_recurrent(const Node& node, const Inference& inference, std::size_t weights) {
  const auto x = inference.known_shape(node.inputs[0]);
  if (!x || x->size() != 3) return std::nullopt;
  const Count matrices = plus(elements(inference, node.inputs[weights]), elements(inference, node.inputs[weights + 1]));
  return times(times((*x)[0], (*x)[1]), matrices);
}

struct LayerRow {
  std::string_view op;
  std::size_t weights;  ///< input that holds them
  std::size_t inputs;   ///< inputs that there must be
  bool either;          ///< input 0 may hold them too
  CountFunction count;
};

constexpr LayerRow kLayers[] = {
    {"Conv", 1, 2, false, count_conv},
    {"FusedConv", 1, 2, false, count_conv},
    {"ConvInteger", 1, 2, false, count_conv},
    {"QLinearConv", 3, 8, false, count_conv},
    {"ConvTranspose", 1, 2, false, count_conv_transpose},
    {"Gemm", 1, 2, true, count_gemm},
    {"MatMul", 1, 2, true, count_matmul},
    {"MatMulInteger", 1, 2, true, count_matmul},
    {"QLinearMatMul", 3, 8, false, count_matmul},
    {"LSTM", 1, 3, false, count_recurrent},
    {"GRU", 1, 3, false, count_recurrent},
    {"RNN", 1, 3, false, count_recurrent},
};

const LayerRow* layer_row(const Node& node) {
  for (const LayerRow& row : kLayers) {
    if (row.op != node.op_type || node.outputs.empty()) continue;
    for (std::size_t i = 0; i < row.inputs; ++i) {
      if (!node.has_input(i)) return nullptr;
    }
    return &row;
  }
  return nullptr;
}

// Parameters.

/// True for inputs that are settings or running statistics, not something that training would change.
bool is_setting(const Node& node, std::size_t input) {
  const std::string& op = node.op_type;
  if (op == "BatchNormalization") return input >= 3;  // running mean and variance
  if (op == "QLinearConv") return input != 3 && input != 8;
  if (op == "QLinearMatMul") return input != 3 && input != 0;
  if (op == "ConvInteger" || op == "MatMulInteger") return input >= 2;
  static const auto* any = new std::set<std::string_view>{"Where", "Range", "ConstantOfShape", "Loop",
                                                          "If",    "Scan",  "OneHot",          "NonMaxSuppression"};
  static const auto* all_but_first =
      new std::set<std::string_view>{"Clip",    "Pad",  "Resize",  "Upsample", "QuantizeLinear", "DequantizeLinear",
                                     "Dropout", "TopK", "Reshape", "Expand"};
  return any->contains(op) || (input > 0 && all_but_first->contains(op));
}

bool is_quantized_layer(const Node& node) {
  return node.op_type == "QLinearConv" || node.op_type == "QLinearMatMul" || node.op_type == "ConvInteger" ||
         node.op_type == "MatMulInteger";
}

class Survey {
 public:
  Survey(const onnx_graph::Model& model, const Inference& inference)
      : graph_(model.graph), inference_(inference), values_(model.graph) {}

  Statistics run() {
    result_.flops = 0;
    result_.activation_bytes = 0;
    result_.largest_step_bytes = 0;
    for (const Tensor& t : graph_.initializers) result_.weight_bytes += t.byte_size();
    for (const Tensor& t : graph_.sparse_initializers) result_.weight_bytes += t.byte_size();
    for (const Node& node : graph_.nodes) visit(node);
    if (result_.layers > 0) {
      result_.parameters_per_layer = static_cast<double>(result_.parameters) / static_cast<double>(result_.layers);
    }
    return std::move(result_);
  }

 private:
  void visit(const Node& node) {
    ++result_.operators[node.op_type];
    if (node.op_type == "Constant") {
      if (const auto* value = node.attribute<Tensor>("value")) result_.weight_bytes += value->byte_size();
    }
    if (values_.is_arithmetic_on_shapes(node)) return;
    count_parameters(node);
    if (values_.branches(node) > 1) {
      ++result_.jumps;
      ++result_.jumps_by_operator[node.op_type];
    }
    if (const LayerRow* row = layer_row(node)) {
      const bool own =
          values_.is_constant(node.inputs[row->weights]) || (row->either && values_.is_constant(node.inputs[0]));
      if (own) ++result_.layers;
      result_.flops = plus(result_.flops, times(2, row->count(node, inference_, row->weights)));
      count_step(node);
    }
    for (const std::string& output : node.outputs) {
      if (!output.empty()) result_.activation_bytes = plus(result_.activation_bytes, bytes(output));
    }
  }

  void count_step(const Node& node) {
    Count step = 0;
    for (const auto* side : {&node.inputs, &node.outputs}) {
      for (const std::string& value : *side) {
        if (!value.empty() && !values_.is_constant(value)) step = plus(step, bytes(value));
      }
    }
    if (!step || !result_.largest_step_bytes) {
      result_.largest_step_bytes = std::nullopt;
    } else {
      result_.largest_step_bytes = std::max(*result_.largest_step_bytes, *step);
    }
  }

  [[nodiscard]] Count bytes(const std::string& value) const {
    const onnx_graph::TensorType* type = inference_.type(value);
    const int bits = type != nullptr ? onnx_graph::bits_of(type->element) : 0;
    const Count all = bits > 0 ? times(elements(inference_, value), bits) : std::nullopt;
    return all ? Count((*all + 7) / 8) : std::nullopt;
  }

  void count_parameters(const Node& node) {
    const bool layer = layer_row(node) != nullptr || node.op_type == "PRelu" || node.op_type.ends_with("Normalization");
    const bool quantized = is_quantized_layer(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.has_input(i) || !values_.is_constant(node.inputs[i]) || is_setting(node, i)) continue;
      Values::Seen& seen = seen_[(layer ? 1 : 0) + (quantized ? 2 : 0)];  // what is counted depends on both
      for (const Values::Source& source : values_.sources(node.inputs[i], seen)) {
        const bool number = onnx_graph::is_floating(source.tensor->type) ||
                            ((source.quantized || quantized) && onnx_graph::is_integer(source.tensor->type));
        // A single number in an elementwise operator is a constant of the formula: an epsilon, a factor.
        const bool weight = layer || source.tensor->elements > 1;
        if (number && weight && counted_.insert(source.tensor).second) result_.parameters += source.tensor->elements;
      }
    }
  }

  const onnx_graph::Graph& graph_;
  const Inference& inference_;
  Values values_;
  std::set<const Tensor*> counted_;
  Values::Seen seen_[4];
  Statistics result_;
};

}  // namespace

Statistics compute_statistics(const onnx_graph::Model& model, const Inference& inference) {
  return Survey(model, inference).run();
}

}  // namespace assay::model
