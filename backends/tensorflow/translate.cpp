#include "translate.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "assay/error.hpp"
#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

using onnx_graph::Dimension;
using onnx_graph::Inference;
using onnx_graph::Model;
using onnx_graph::Node;

constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kNewestOpset = 21;

kit::TensorInfo tensor_info(const onnx_graph::ValueInfo& value, const onnx_graph::TensorType& type) {
  kit::TensorInfo info;
  info.name = value.name;
  if (value.kind != "tensor" || !data_type(type.element)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "'" + value.name + "' is " +
                                              (value.kind != "tensor" ? "a " + value.kind : to_string(type.element)) +
                                              ", which this backend does not pass to TensorFlow");
  }
  info.dtype = static_cast<assay_dtype>(type.element);
  info.rank_known = type.shape.has_value();
  if (type.shape) {
    for (const Dimension& d : *type.shape) {
      info.shape.push_back(d.size);
      info.axes.push_back(d.known() ? "" : d.name);
    }
  }
  return info;
}

Inference infer_types(const Model& model, const TranslationRequest& request) {
  try {
    std::map<std::string, std::vector<std::int64_t>> shapes;
    for (const kit::FixedShape& s : request.shapes) shapes[s.input] = s.shape;
    return infer(model, request_of(model, std::move(shapes), request.batch_size));
  } catch (const Error& e) {
    throw kit::Failure(static_cast<assay_status>(e.code()), e.what());
  }
}

Signature signature_from(const Model& model, const Inference& inference) {
  Signature signature;
  const auto add = [&](const onnx_graph::ValueInfo& value, std::vector<Port>& to) {
    const onnx_graph::TensorType* type = inference.type(value.name);
    to.push_back({tensor_info(value, type != nullptr ? *type : value.type), {}});
  };
  for (const onnx_graph::ValueInfo* input : inputs_of(model)) add(*input, signature.inputs);
  for (const onnx_graph::ValueInfo& output : model.graph.outputs) add(output, signature.outputs);
  return signature;
}

class Translator {
 public:
  Translator(const Runtime& runtime, const Model& model, const Inference& inference,
             const TranslationSettings& settings, TF_Graph* graph)
      : model_(model), inference_(inference), t_{model, inference, settings, GraphBuilder(runtime, graph), {}} {}

  void run(Signature& signature) {
    check_opset();
    for (std::size_t i = 0; i < signature.inputs.size(); ++i) add_input(signature.inputs[i], i);
    for (const auto& [name, tensor] : onnx_graph::constants(model_.graph)) t_.values[name].constant = tensor;
    const std::vector<bool> needed = find_needed();
    for (std::size_t i = 0; i < needed.size(); ++i) {
      if (needed[i]) translate_node(model_.graph.nodes[i]);
    }
    report_failures();
    for (std::size_t i = 0; i < signature.outputs.size(); ++i) add_output(signature.outputs[i], i);
  }

 private:
  void check_opset() const {
    const std::int64_t opset = model_.opset();
    if (opset >= kOldestOpset && opset <= kNewestOpset) return;
    throw kit::Failure(ASSAY_UNSUPPORTED, "the model is of opset " + std::to_string(opset) +
                                              "; this backend translates " + std::to_string(kOldestOpset) + " to " +
                                              std::to_string(kNewestOpset) + ": export or convert it to one of these");
  }

  void add_input(Port& port, std::size_t i) {
    const DataType type = data_type_of(port.info.dtype);
    const std::optional<Ints> shape = port.info.rank_known ? std::optional(port.info.shape) : std::nullopt;
    port.place = t_.graph.placeholder(input_name(i), type, shape);
    t_.values[port.info.name].onnx = port.place;
  }

  /// Known before anything runs: taken as a constant, and what computes it is left out.
  bool fold(const std::string& name) {
    std::optional<Ints> integers = inference_.known_integers(name);
    const onnx_graph::TensorType* type = inference_.type(name);
    if (!integers || type == nullptr || !type->shape || type->shape->size() > 1) return false;
    t_.values[name].integers = std::move(integers);
    return true;
  }

  /// Nodes that an output depends on.
  std::vector<bool> find_needed() {
    std::set<std::string> wanted;
    for (const auto& output : model_.graph.outputs) wanted.insert(output.name);
    std::vector<bool> needed(model_.graph.nodes.size());
    for (std::size_t i = needed.size(); i-- > 0;) {
      const Node& node = model_.graph.nodes[i];
      bool computes = false;
      for (const std::string& output : node.outputs) {
        if (wanted.contains(output) && !t_.values.contains(output) && !fold(output)) computes = true;
      }
      if (!computes) continue;
      needed[i] = true;
      wanted.insert(node.inputs.begin(), node.inputs.end());
    }
    return needed;
  }

  void translate_node(const Node& node) {
    const TranslateFunction function = find_operator(node.domain, node.op_type);
    std::string why = "the operator is not in the table";
    try {
      if (function != nullptr) {
        for (const std::string& input : node.inputs) {
          if (broken_.contains(input)) throw Untranslated("");  // told already, where it began
        }
        t_.graph.set_scope(node.name.empty() ? node.op_type : node.name);
        Operator op(node, t_);
        function(op);
        return;
      }
    } catch (const Untranslated& e) {
      why = e.what();
    } catch (const kit::Failure& e) {
      why = e.what();
    } catch (const Error& e) {
      why = e.what();
    } catch (const std::out_of_range&) {
      why = "it has fewer inputs, outputs or numbers than the operator needs";
    }
    for (const std::string& output : node.outputs) broken_.insert(output);
    if (why.empty()) return;
    failures_.push_back(label(node) + ": " + why);
    ++failed_operators_[(node.domain.empty() ? "" : node.domain + ".") + node.op_type];
  }

  void report_failures() const {
    if (failures_.empty()) return;
    constexpr std::size_t kMost = 20;  // with their reasons; the operators are all told
    std::string text = "cannot be translated to TensorFlow (opset " + std::to_string(model_.opset()) + "), " +
                       std::to_string(failures_.size()) + (failures_.size() == 1 ? " node" : " nodes");
    if (failures_.size() > 1) {
      text += " (";
      for (const auto& [name, count] : failed_operators_) {
        text += (text.ends_with("(") ? "" : ", ") + std::to_string(count) + " " + name;
      }
      text += ")";
    }
    for (std::size_t i = 0; i < std::min(failures_.size(), kMost); ++i) text += (i == 0 ? ": " : "; ") + failures_[i];
    if (failures_.size() > kMost) text += "; …";
    throw kit::Failure(ASSAY_UNSUPPORTED, text);
  }

  /// Under a name of its own, by which a saved graph's output is found again.
  void add_output(Port& port, std::size_t i) {
    Node result;
    result.op_type = "Identity";
    result.inputs = {port.info.name};
    t_.graph.set_scope("outputs");
    Operator op(result, t_);
    port.place = t_.graph.named("Identity", output_name(i)).in(op.in(0)).done();
  }

  const Model& model_;
  const Inference& inference_;
  Translation t_;
  std::set<std::string> broken_;  // values of nodes that could not be translated
  std::vector<std::string> failures_;
  std::map<std::string, int> failed_operators_;
};

}  // namespace

std::string input_name(std::size_t i) { return "input_" + std::to_string(i); }
std::string output_name(std::size_t i) { return "output_" + std::to_string(i); }

DataType data_type_of(assay_dtype type) {
  const std::optional<DataType> found = data_type(static_cast<onnx_graph::ElementType>(type));
  if (!found) throw kit::Failure(ASSAY_UNSUPPORTED, "element type " + std::to_string(type) + " (ONNX's number)");
  return *found;
}

Signature signature_of(const Model& model, const TranslationRequest& request) {
  return signature_from(model, infer_types(model, request));
}

Signature translate(const Runtime& runtime, const Model& model, const TranslationRequest& request, TF_Graph* graph) {
  const Inference inference = infer_types(model, request);
  Signature signature = signature_from(model, inference);
  Translator(runtime, model, inference, {request.channels_last, request.onednn}, graph).run(signature);
  return signature;
}

void find_places(const Runtime& runtime, TF_Graph* graph, Signature& signature) {
  const auto find = [&](Port& port, const std::string& name) {
    port.place = {runtime.api.graph_operation_by_name(graph, name.c_str()), 0};
    if (port.place.operation == nullptr) throw kit::Failure(ASSAY_INVALID_MODEL, "the saved graph has no " + name);
  };
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) find(signature.inputs[i], input_name(i));
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) find(signature.outputs[i], output_name(i));
}

}  // namespace assay::tensorflow
