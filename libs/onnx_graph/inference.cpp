#include "onnx_graph/inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "assay/error.hpp"
#include "onnx_graph/operators/operator.hpp"
#include "onnx_graph/wire.hpp"

namespace assay::onnx_graph {
namespace {

/// More remarks than this say nothing more.
constexpr std::size_t kMostRemarks = 100;

class Pass {
 public:
  Pass(const Model& model, const InferenceRequest& request) : model_(model), request_(request) {}

  Inference run() {
    constants_ = constants(model_.graph);
    bind_inputs();
    for (const Tensor& t : model_.graph.initializers) {
      result_.types[t.name] = {t.type, sizes(t.dims)};
      take_integers(t.name, t);
    }
    if (request_.use_declared) {
      for (const ValueInfo& v : model_.graph.values) declared_[v.name] = &v;
      for (const ValueInfo& v : model_.graph.outputs) declared_[v.name] = &v;
    }
    for (const Node& node : model_.graph.nodes) infer_node(node);
    return std::move(result_);
  }

 private:
  /// Inputs that initializers give a default for are inputs all the same, but their contents are not known.
  void bind_inputs() {
    for (const ValueInfo& input : model_.graph.inputs) {
      if (const auto given = request_.inputs.find(input.name); given != request_.inputs.end())
        bind(input, given->second);
    }
    for (const auto& [name, shape] : request_.inputs) {
      const auto known = [&](const ValueInfo& v) { return v.name == name; };
      if (std::none_of(model_.graph.inputs.begin(), model_.graph.inputs.end(), known)) {
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("a shape is given for {}, which is no input of the model", quote(name)));
      }
    }
    for (const ValueInfo& input : model_.graph.inputs) {
      if (input.kind != "tensor") continue;
      TensorType type = substituted(input.type);
      const auto given = request_.inputs.find(input.name);
      if (given != request_.inputs.end()) {
        if (!type.shape) type.shape = Dimensions(given->second.size());
        for (std::size_t i = 0; i < given->second.size(); ++i) {
          if (given->second[i] >= 0) (*type.shape)[i] = {given->second[i], ""};
        }
      }
      result_.types[input.name] = std::move(type);
    }
  }

  void bind(const ValueInfo& input, const std::vector<std::int64_t>& shape) {
    if (!input.type.shape) return;
    const Dimensions& declared = *input.type.shape;
    if (declared.size() != shape.size()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("the shape given for input {} has {} axes; the model's is {}", quote(input.name),
                              shape.size(), to_string(declared)));
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] < 0) continue;
      if (declared[i].known() && declared[i].size != shape[i]) {
        throw Error(ErrorCode::kInvalidArgument, fmt::format("axis {} of input {} is {} in the model, but {} was given",
                                                             i, quote(input.name), declared[i].size, shape[i]));
      }
      if (!declared[i].known() && !declared[i].name.empty()) bound_[declared[i].name] = shape[i];
    }
  }

  [[nodiscard]] TensorType substituted(TensorType type) const {
    if (!type.shape) return type;
    for (Dimension& d : *type.shape) {
      const auto found = d.known() ? bound_.end() : bound_.find(d.name);
      if (found != bound_.end()) d = {found->second, ""};
    }
    return type;
  }

  void take_integers(const std::string& name, const Tensor& t) {
    const bool fits = t.dims.size() <= 1 && t.elements <= static_cast<std::int64_t>(kMostIntegers);
    const bool followed =
        t.type == ElementType::kInt64 || t.type == ElementType::kInt32 || t.type == ElementType::kBool;
    if (!fits || !followed) return;
    Integers values;
    if (static_cast<std::size_t>(t.elements) > room_) return;
    room_ -= static_cast<std::size_t>(t.elements);
    for (const std::int64_t v : t.integers()) values.push_back({v, ""});
    result_.integers[name] = std::move(values);
  }

  void infer_node(const Node& node) {
    const InferFunction infer = find_operator(node.domain, node.op_type);
    if (infer == nullptr) {
      const std::string name = node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
      if (unknown_.insert(name).second) result_.unknown_operators.push_back(name);
    } else {
      Operator op(node, model_, constants_, result_, room_);
      try {
        infer(op);
      } catch (const Mismatch& e) {
        for (const std::string& output : node.outputs) {
          result_.types.erase(output);
          result_.integers.erase(output);
        }
        if (result_.remarks.size() < kMostRemarks) result_.remarks.push_back(label(node) + ": " + e.what());
      }
      const auto* value = node.op_type == "Constant" ? node.attribute<Tensor>("value") : nullptr;
      if (value != nullptr && !node.outputs.empty()) take_integers(node.outputs[0], *value);
    }
    for (const std::string& output : node.outputs) complete(output);
  }

  /// Fills what was not inferred with what the file declares.
  void complete(const std::string& value) {
    const auto found = declared_.find(value);
    if (found == declared_.end() || found->second->kind != "tensor") return;
    const TensorType declared = substituted(found->second->type);
    TensorType& type = result_.types[value];
    if (type.element == ElementType::kUndefined) type.element = declared.element;
    if (!type.shape) type.shape = declared.shape;
    if (!declared.shape || declared.shape->size() != type.shape->size()) return;
    for (std::size_t i = 0; i < type.shape->size(); ++i) {
      Dimension& d = (*type.shape)[i];
      const Dimension& said = (*declared.shape)[i];
      if (!d.known() && (said.known() || d.name.empty())) d = said;
    }
  }

  const Model& model_;
  const InferenceRequest& request_;
  std::unordered_map<std::string, const Tensor*> constants_;
  std::unordered_map<std::string, const ValueInfo*> declared_;
  std::map<std::string, std::int64_t> bound_;  // free axes by name
  std::set<std::string> unknown_;
  Inference result_;
  std::size_t room_ = kRoom;
};

}  // namespace

const TensorType* Inference::type(const std::string& value) const {
  const auto found = types.find(value);
  return found != types.end() ? &found->second : nullptr;
}

const Dimensions* Inference::shape(const std::string& value) const {
  const TensorType* found = type(value);
  return found != nullptr && found->shape ? &*found->shape : nullptr;
}

std::optional<std::vector<std::int64_t>> Inference::known_shape(const std::string& value) const {
  const Dimensions* found = shape(value);
  if (found == nullptr) return std::nullopt;
  std::vector<std::int64_t> result;
  for (const Dimension& d : *found) {
    if (!d.known()) return std::nullopt;
    result.push_back(d.size);
  }
  return result;
}

std::optional<std::vector<std::int64_t>> Inference::known_integers(const std::string& value) const {
  const auto found = integers.find(value);
  if (found == integers.end()) return std::nullopt;
  std::vector<std::int64_t> result;
  for (const Integer& i : found->second) {
    if (!i.value) return std::nullopt;
    result.push_back(*i.value);
  }
  return result;
}

std::unordered_map<std::string, const Tensor*> constants(const Graph& graph) {
  std::unordered_map<std::string, const Tensor*> result;
  for (const Tensor& t : graph.initializers) result[t.name] = &t;
  for (const Node& node : graph.nodes) {
    if (node.outputs.size() != 1 || !node.domain.empty()) continue;
    if (node.op_type == "Constant") {
      if (const auto* t = node.attribute<Tensor>("value")) result[node.outputs[0]] = t;
    } else if (node.op_type == "Identity" && node.has_input(0)) {
      if (const auto found = result.find(node.inputs[0]); found != result.end())
        result[node.outputs[0]] = found->second;
    }
  }
  return result;
}

Inference infer(const Model& model, const InferenceRequest& request) { return Pass(model, request).run(); }

std::vector<const ValueInfo*> inputs_of(const Model& model) {
  std::set<std::string> defaults;
  for (const Tensor& t : model.graph.initializers) defaults.insert(t.name);
  std::vector<const ValueInfo*> result;
  for (const ValueInfo& input : model.graph.inputs) {
    if (!defaults.contains(input.name)) result.push_back(&input);
  }
  return result;
}

InferenceRequest request_of(const Model& model, std::map<std::string, std::vector<std::int64_t>> shapes,
                            std::int64_t batch_size) {
  InferenceRequest wanted;
  wanted.inputs = std::move(shapes);
  if (batch_size <= 0) return wanted;
  for (const ValueInfo* input : inputs_of(model)) {
    if (!input->type.shape) continue;
    std::vector<std::int64_t>& shape = wanted.inputs[input->name];
    if (shape.empty()) {
      for (const Dimension& d : *input->type.shape) shape.push_back(d.size);
    }
    std::replace(shape.begin(), shape.end(), std::int64_t{-1}, batch_size);
  }
  return wanted;
}

}  // namespace assay::onnx_graph
