#include "model/values.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace assay::model {
namespace {

using onnx_graph::Node;

/// Elementwise functions and reductions: the result is on its input's branch.
const std::set<std::string_view>& same_branch_operators() {
  static const auto* names = new std::set<std::string_view>{"Abs",
                                                            "Add",
                                                            "Cast",
                                                            "CastLike",
                                                            "Ceil",
                                                            "Celu",
                                                            "Clip",
                                                            "Cos",
                                                            "Div",
                                                            "Dropout",
                                                            "Elu",
                                                            "Erf",
                                                            "Exp",
                                                            "Floor",
                                                            "Gelu",
                                                            "HardSigmoid",
                                                            "HardSwish",
                                                            "Identity",
                                                            "LeakyRelu",
                                                            "Log",
                                                            "Max",
                                                            "Min",
                                                            "Mish",
                                                            "Mul",
                                                            "Neg",
                                                            "PRelu",
                                                            "Pow",
                                                            "Reciprocal",
                                                            "ReduceMax",
                                                            "ReduceMean",
                                                            "ReduceMin",
                                                            "ReduceSum",
                                                            "Relu",
                                                            "Round",
                                                            "Selu",
                                                            "Sigmoid",
                                                            "Sin",
                                                            "Softplus",
                                                            "Softsign",
                                                            "Sqrt",
                                                            "Sub",
                                                            "Tanh",
                                                            "QuantizeLinear",
                                                            "DequantizeLinear",
                                                            "ReduceL1",
                                                            "ReduceL2",
                                                            "ReduceSumSquare"};
  return *names;
}

/// Operators whose further inputs say how, not what.
bool only_first_is_data(const std::string& op) {
  static const auto* names = new std::set<std::string_view>{
      "Reshape",   "Expand",    "Slice",      "Resize",         "Upsample",        "Tile",
      "Pad",       "TopK",      "OneHot",     "Clip",           "Range",           "Squeeze",
      "Split",     "Unsqueeze", "Dropout",    "CumSum",         "ReduceSum",       "ReduceMean",
      "ReduceMax", "ReduceMin", "ReduceProd", "QuantizeLinear", "DequantizeLinear"};
  return names->contains(op);
}

bool has_subgraph(const Node& node) {
  return std::any_of(node.attributes.begin(), node.attributes.end(), [](const onnx_graph::Attribute& a) {
    return std::holds_alternative<std::shared_ptr<const onnx_graph::Graph>>(a.value) ||
           std::holds_alternative<std::vector<std::shared_ptr<const onnx_graph::Graph>>>(a.value);
  });
}

bool is_random(const std::string& op) { return op.starts_with("Random") || op == "Bernoulli" || op == "Multinomial"; }

}  // namespace

Values::Values(const onnx_graph::Graph& graph) {
  for (const onnx_graph::Tensor& t : graph.initializers) {
    stored_[t.name] = &t;
    constant_.insert(t.name);
  }
  for (const onnx_graph::Tensor& t : graph.sparse_initializers) {
    stored_[t.name] = &t;
    constant_.insert(t.name);
  }
  for (const Node& node : graph.nodes) {
    classify(node);
    find_branch(node);
  }
}

void Values::classify(const Node& node) {
  bool constant = !has_subgraph(node) && !is_random(node.op_type), shape = constant;
  for (const std::string& input : node.inputs) {
    if (input.empty()) continue;
    constant = constant && is_constant(input);
    shape = shape && (is_constant(input) || is_shape(input));
  }
  if (node.op_type == "Shape" || node.op_type == "Size") shape = true;
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    if (constant) {
      constant_.insert(output);
      made_by_[output] = &node;
      const auto* value = node.op_type == "Constant" ? node.attribute<onnx_graph::Tensor>("value") : nullptr;
      if (value != nullptr) stored_[output] = value;
    } else if (shape) {
      shape_.insert(output);
    }
  }
}

std::unordered_set<std::string> Values::roots(const Node& node) const {
  std::unordered_set<std::string> result;
  const std::size_t count =
      only_first_is_data(node.op_type) ? std::min<std::size_t>(1, node.inputs.size()) : node.inputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& input = node.inputs[i];
    if (input.empty() || is_constant(input) || is_shape(input)) continue;
    const auto found = root_.find(input);
    result.insert(found != root_.end() ? found->second : input);
  }
  return result;
}

void Values::find_branch(const Node& node) {
  if (!same_branch_operators().contains(node.op_type)) return;
  const std::unordered_set<std::string> from = roots(node);
  if (from.size() != 1) return;
  for (const std::string& output : node.outputs) {
    if (!output.empty()) root_[output] = *from.begin();
  }
}

bool Values::is_arithmetic_on_shapes(const Node& node) const {
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](const std::string& o) { return o.empty() || is_constant(o) || is_shape(o); });
}

std::size_t Values::branches(const Node& node) const { return is_arithmetic_on_shapes(node) ? 0 : roots(node).size(); }

std::vector<Values::Source> Values::sources(const std::string& constant, Seen& seen) const {
  std::vector<Source> result;
  std::vector<std::pair<std::string, bool>> open{{constant, false}};
  while (!open.empty()) {
    const auto [value, quantized] = open.back();
    open.pop_back();
    if (!seen[quantized ? 1 : 0].insert(value).second) continue;
    if (const auto stored = stored_.find(value); stored != stored_.end()) {
      result.push_back({stored->second, quantized});
      continue;
    }
    const auto made = made_by_.find(value);
    if (made == made_by_.end()) continue;
    const Node& node = *made->second;
    const std::size_t count =
        only_first_is_data(node.op_type) ? std::min<std::size_t>(1, node.inputs.size()) : node.inputs.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!node.inputs[i].empty()) open.emplace_back(node.inputs[i], quantized || node.op_type == "DequantizeLinear");
    }
  }
  return result;
}

}  // namespace assay::model
