#include "import.hpp"

#include <algorithm>
#include <set>

#include "compiler/operators/operator.hpp"
#include "onnx_graph/inference.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kOldestOpset = 7, kNewestOpset = 21;
constexpr std::size_t kMostLines = 20;

/// An operator by its name, with its domain's where it is not ONNX's own.
std::string name_of(const onnx_graph::Node& node) {
  return node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
}

/// What a user can do about a model that is not compiled.
constexpr const char* kElsewhere =
    "\nanother backend may run it: try --backend onnxruntime, then openvino or tensorflow ('assay backends' lists "
    "yours)";

/// What could not be imported, told in one error: a line an operator, a line anything else.
class Obstacles {
 public:
  void add(const std::string& what) { tell(what); }
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  /// What is not there for a reason that has been told: what takes it has none of its own.
  void explain(const std::string& value) { explained_.insert(value); }
  [[nodiscard]] bool explains(const std::string& value) const { return explained_.contains(value); }
  /// Each node counts once, however often it is met.
  void add_operator(const onnx_graph::Node& node) {
    if (!nodes_.insert(&node).second) return;
    Line& line = tell("operator " + name_of(node));
    if (++line.nodes == 1) line.first = label(node);
  }
  void check(const onnx_graph::Model& model) const {
    if (lines_.empty()) return;
    std::string text = "the model (opset " + std::to_string(model.opset()) + ") has what is not compiled:";
    for (std::size_t i = 0; i < std::min(lines_.size(), kMostLines); ++i) text += "\n  " + text_of(lines_[i]);
    if (lines_.size() > kMostLines) text += "\n  and " + std::to_string(lines_.size() - kMostLines) + " more";
    throw Unsupported(text + kElsewhere);
  }

 private:
  struct Line {
    std::string what, first;
    int nodes = 0;  // of an operator
  };
  Line& tell(const std::string& what) {
    const auto [at, is_new] = by_text_.try_emplace(what, lines_.size());
    if (is_new) lines_.push_back({what, "", 0});
    return lines_[at->second];
  }
  static std::string text_of(const Line& line) {
    if (line.nodes == 0) return line.what;
    return line.what + ": " + std::to_string(line.nodes) + (line.nodes == 1 ? " node, " : " nodes, the first is ") +
           line.first;
  }

  std::vector<Line> lines_;
  std::map<std::string, std::size_t> by_text_;
  std::set<const onnx_graph::Node*> nodes_;  // of operators
  std::set<std::string> explained_;
};

void check_opset(const onnx_graph::Model& model) {
  if (model.opset() >= kOldestOpset && model.opset() <= kNewestOpset) return;
  throw Unsupported("the model is of opset " + std::to_string(model.opset()) + "; " + std::to_string(kOldestOpset) +
                    " to " + std::to_string(kNewestOpset) + " are compiled" + kElsewhere);
}

onnx_graph::Inference infer_shapes(const onnx_graph::Model& model, const std::map<std::string, Shape>& inputs) {
  onnx_graph::InferenceRequest request;
  for (const auto& [name, shape] : inputs) request.inputs[name] = shape;
  return onnx_graph::infer(model, request);
}

void import_input(Import& import, const onnx_graph::ValueInfo& input, const Shape& shape, Obstacles& obstacles) {
  const auto element = input.kind == "tensor" ? element_of(input.type.element) : std::nullopt;
  if (!element) {
    obstacles.explain(input.name);
    obstacles.add("input '" + input.name + "' is " +
                  (input.kind != "tensor" ? "a " + input.kind : to_string(input.type.element)));
    return;
  }
  const ValueId id = import.graph.add({input.name, *element, shape, nullptr});
  import.values[input.name] = id;
  import.graph.inputs.push_back(id);
}

/// Integers of the element's type.
std::shared_ptr<const Constant> integer_constant(Element element, const Shape& values) {
  switch (element) {
    case Element::kI64:
      return Constant::of(values);
    case Element::kI32:
      return Constant::of(std::vector<std::int32_t>(values.begin(), values.end()));
    default: {
      std::vector<std::int8_t> narrow;
      for (const std::int64_t v : values) narrow.push_back(static_cast<std::int8_t>(v));
      return Constant::of(std::move(narrow));
    }
  }
}

/// What is known before anything runs, as sizes and arithmetic on them are, and what has no elements.
std::optional<Value> known_value(const Import& import, const std::string& name) {
  const auto shape = import.inference.known_shape(name);
  const onnx_graph::TensorType* type = import.inference.type(name);
  const auto element = type != nullptr ? element_of(type->element) : std::nullopt;
  if (!shape || !element) return std::nullopt;
  if (count(*shape) == 0) return Value{name, *element, *shape, Constant::of(std::vector<std::int8_t>())};
  const auto integers = import.inference.known_integers(name);
  if (!integers || is_float(*element) || static_cast<std::int64_t>(integers->size()) != count(*shape))
    return std::nullopt;
  return Value{name, *element, *shape, integer_constant(*element, *integers)};
}

/// Whether all that the node answers is known.
bool import_known(Import& import, const onnx_graph::Node& node) {
  std::vector<Value> known;
  for (const std::string& name : node.outputs) {
    if (name.empty()) continue;
    auto value = known_value(import, name);
    if (!value) return false;
    known.push_back(std::move(*value));
  }
  for (Value& value : known) {
    const std::string name = value.name;
    import.values[name] = import.graph.add(std::move(value));
  }
  return !known.empty();
}

/// For what a node that cannot be imported should have answered: so that those behind it are looked at, too.
void stand_in(Import& import, const onnx_graph::Node& node, Obstacles& obstacles) {
  for (const std::string& name : node.outputs) {
    obstacles.explain(name);
    const auto shape = import.inference.known_shape(name);
    const onnx_graph::TensorType* type = import.inference.type(name);
    const auto element = type != nullptr ? element_of(type->element) : std::nullopt;
    if (shape && element) import.values[name] = import.graph.add({name, *element, *shape, nullptr});
  }
}

bool all_constants(const Import& import, const onnx_graph::Node& node) {
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](const std::string& name) { return name.empty() || import.tensors.contains(name); });
}

/// Whether nothing before has computed one of its inputs. What has not been told of them is: an output that a node has
/// beside those that are compiled.
bool lacks_input(const Import& import, const onnx_graph::Node& node, Obstacles& obstacles) {
  bool lacks = false;
  for (const std::string& name : node.inputs) {
    if (name.empty() || import.values.contains(name) || import.tensors.contains(name)) continue;
    lacks = true;
    if (!obstacles.explains(name))
      obstacles.add(label(node) + ": it takes '" + name + "', an output that is not compiled");
  }
  return lacks;
}

void import_node(Import& import, const onnx_graph::Node& node, Obstacles& obstacles) {
  if (all_constants(import, node)) return;
  try {
    if (import_known(import, node)) return;
    const ImportFunction function = find_importer(node.domain, node.op_type);
    if (function == nullptr) {
      obstacles.add_operator(node);
    } else if (!lacks_input(import, node, obstacles)) {
      Operator op(node, import);
      function(op);
      return;
    }
  } catch (const Unsupported& e) {
    obstacles.add(label(node) + ": " + e.what());
  } catch (const std::logic_error& e) {  // shapes or types that contradict each other
    obstacles.add(label(node) + ": its inputs do not fit: " + e.what());
  }
  stand_in(import, node, obstacles);
}

void import_outputs(Import& import, Obstacles& obstacles) {
  for (const onnx_graph::ValueInfo& output : import.model.graph.outputs) {
    onnx_graph::Node taker;
    taker.inputs = {output.name};
    try {
      import.graph.outputs.push_back(Operator(taker, import).in(0));
    } catch (const Unsupported& e) {
      obstacles.add("output '" + output.name + "': " + e.what());
    }
  }
}

void import_graph(Import& import, const std::map<std::string, Shape>& inputs, Obstacles& obstacles) {
  for (const onnx_graph::ValueInfo* input : onnx_graph::inputs_of(import.model)) {
    import_input(import, *input, inputs.at(input->name), obstacles);
  }
  for (const onnx_graph::Node& node : import.model.graph.nodes) import_node(import, node, obstacles);
}

}  // namespace

void check_operators(const onnx_graph::Model& model, const std::map<std::string, Shape>* inputs) {
  check_opset(model);
  const auto tensors = onnx_graph::constants(model.graph);
  Obstacles obstacles;
  for (const onnx_graph::Node& node : model.graph.nodes) {
    const bool known = std::all_of(node.outputs.begin(), node.outputs.end(),
                                   [&](const std::string& name) { return name.empty() || tensors.contains(name); });
    if (known || find_importer(node.domain, node.op_type) != nullptr || is_inferred(node.domain, node.op_type))
      continue;
    obstacles.add_operator(node);
  }
  if (obstacles.empty()) return;
  if (inputs != nullptr) {
    const onnx_graph::Inference inference = infer_shapes(model, *inputs);
    Import import{model, inference, {}, tensors, {}};
    import_graph(import, *inputs, obstacles);
  }
  obstacles.check(model);
}

Graph import_model(const onnx_graph::Model& model, const std::map<std::string, Shape>& inputs) {
  check_opset(model);
  if (model.has_sparse_initializers)
    throw Unsupported(std::string("the model has sparse weights, which are not compiled") + kElsewhere);
  const onnx_graph::Inference inference = infer_shapes(model, inputs);
  Import import{model, inference, {}, onnx_graph::constants(model.graph), {}};
  Obstacles obstacles;
  import_graph(import, inputs, obstacles);
  obstacles.check(model);
  import_outputs(import, obstacles);
  obstacles.check(model);
  return std::move(import.graph);
}

}  // namespace assay::compiler
