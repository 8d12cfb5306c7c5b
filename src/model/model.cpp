#include "model/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "assay/error.hpp"
#include "model/statistics.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/inference.hpp"

namespace assay::model {
namespace {

using onnx_graph::Dimension;
using onnx_graph::Dimensions;
using onnx_graph::ElementType;
using onnx_graph::Inference;
using onnx_graph::Node;
using onnx_graph::ValueInfo;

DType dtype_of(ElementType type, std::string_view what, const std::string& name) {
  switch (type) {
    case ElementType::kFloat32:
    case ElementType::kUint8:
    case ElementType::kInt8:
    case ElementType::kUint16:
    case ElementType::kInt16:
    case ElementType::kInt32:
    case ElementType::kInt64:
    case ElementType::kBool:
    case ElementType::kFloat16:
    case ElementType::kFloat64:
    case ElementType::kUint32:
    case ElementType::kUint64:
    case ElementType::kBFloat16:
      return static_cast<DType>(type);
    default:
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{} '{}' has elements of type {}, which cannot be fed or read here", what, name,
                              onnx_graph::to_string(type)));
  }
}

TensorInfo tensor_info(const ValueInfo& value, std::string_view what, ElementType element,
                       const std::optional<Dimensions>& shape) {
  if (value.kind != "tensor") {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{} '{}' is a {}; only tensors can be fed and read", what, value.name, value.kind));
  }
  TensorInfo info;
  info.name = value.name;
  info.dtype = dtype_of(element, what, value.name);
  info.rank_known = shape.has_value();
  for (const Dimension& d : shape.value_or(Dimensions{})) {
    info.shape.push_back(d.size);
    info.axes.push_back(d.name);
  }
  info.batch_axis = !info.shape.empty() && info.shape[0] < 0 ? 0 : -1;
  return info;
}

std::vector<const ValueInfo*> real_inputs(const onnx_graph::Graph& graph) {
  std::unordered_set<std::string_view> stored;
  for (const onnx_graph::Tensor& t : graph.initializers) stored.insert(t.name);
  std::vector<const ValueInfo*> result;
  for (const ValueInfo& input : graph.inputs) {
    if (!stored.contains(input.name)) result.push_back(&input);
  }
  return result;
}

std::vector<TensorInfo> input_infos(const onnx_graph::Graph& graph, const std::map<std::string, Shape>& shapes) {
  std::vector<TensorInfo> result;
  for (const ValueInfo* input : real_inputs(graph)) {
    std::optional<Dimensions> shape = input->type.shape;
    const auto given = shapes.find(input->name);
    if (!shape && given != shapes.end()) shape = Dimensions(given->second.size());
    if (!shape && input->kind == "tensor") {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("input '{}' has a shape that the model does not say, not even its rank: give the shape",
                              input->name));
    }
    result.push_back(tensor_info(*input, "input", input->type.element, shape));
  }
  return result;
}

std::vector<TensorInfo> output_infos(const onnx_graph::Graph& graph, const Inference& inference) {
  std::vector<TensorInfo> result;
  for (const ValueInfo& output : graph.outputs) {
    // What the file declares is believed; where it is silent, what was inferred. Some exporters give each free axis a
    // name of its own: then that of the input's axis from which it comes says more.
    const onnx_graph::TensorType* inferred = inference.type(output.name);
    ElementType element = output.type.element;
    std::optional<Dimensions> shape = output.type.shape;
    if (inferred != nullptr) {
      if (element == ElementType::kUndefined) element = inferred->element;
      if (!shape) shape = inferred->shape;
      if (inferred->shape && inferred->shape->size() == shape->size()) {
        for (std::size_t a = 0; a < shape->size(); ++a) {
          const Dimension& known = (*inferred->shape)[a];
          if (!(*shape)[a].known() && !known.known() && !known.name.empty()) (*shape)[a].name = known.name;
        }
      }
    }
    result.push_back(tensor_info(output, "output", element, shape));
  }
  return result;
}

/// The axis over which the node's result sums to one.
std::optional<int> axis_of_softmax(const Node& node, std::int64_t opset, const Dimensions* shape) {
  const std::int64_t given = node.attribute_or<std::int64_t>("axis", opset < 13 ? 1 : -1);
  if (shape == nullptr) return given >= 0 && opset >= 13 ? std::optional(static_cast<int>(given)) : std::nullopt;
  const auto rank = static_cast<std::int64_t>(shape->size());
  const std::int64_t axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis >= rank) return std::nullopt;
  // Before opset 13 all axes from `axis` on are one: only where the others are 1 is that a Softmax along an axis.
  const auto rest = shape->begin() + static_cast<std::ptrdiff_t>(axis) + 1;
  const bool one_axis = opset >= 13 || std::all_of(rest, shape->end(), [](const Dimension& d) { return d.size == 1; });
  return one_axis ? std::optional(static_cast<int>(axis)) : std::nullopt;
}

std::vector<std::optional<int>> softmax_axes(const onnx_graph::Model& model, const Inference& inference) {
  std::unordered_map<std::string, const Node*> producer;
  for (const Node& node : model.graph.nodes) {
    for (const std::string& output : node.outputs) producer[output] = &node;
  }
  std::vector<std::optional<int>> result;
  for (const ValueInfo& output : model.graph.outputs) {
    std::string value = output.name;
    auto found = producer.find(value);
    while (found != producer.end() && found->second->op_type == "Identity" && found->second->has_input(0)) {
      value = found->second->inputs[0];
      found = producer.find(value);
    }
    const bool softmax =
        found != producer.end() && found->second->op_type == "Softmax" && found->second->domain.empty();
    result.push_back(softmax ? axis_of_softmax(*found->second, model.opset(), inference.shape(value)) : std::nullopt);
  }
  return result;
}

/// Per sample: the batch axis is 1, other free axes are as given.
onnx_graph::InferenceRequest per_sample(const std::vector<TensorInfo>& inputs,
                                        const std::map<std::string, Shape>& shapes) {
  onnx_graph::InferenceRequest request;
  for (const auto& [name, shape] : shapes) request.inputs[name] = shape;
  for (const TensorInfo& input : inputs) {
    if (input.batch_axis != 0) continue;
    std::vector<std::int64_t>& shape = request.inputs.try_emplace(input.name, input.shape).first->second;
    if (!shape.empty()) shape[0] = 1;
  }
  return request;
}

}  // namespace

Model read_model(const std::filesystem::path& path, const std::map<std::string, Shape>& shapes) {
  const onnx_graph::Model file = onnx_graph::read(path);
  Model model;
  model.path = path;
  model.opset = file.opset();
  model.ir_version = file.ir_version;
  model.producer = file.producer;
  model.files = {path};
  model.files.insert(model.files.end(), file.external_files.begin(), file.external_files.end());
  try {
    model.inputs = input_infos(file.graph, shapes);
    const Inference as_it_is = onnx_graph::infer(file);
    model.outputs = output_infos(file.graph, as_it_is);
    model.softmax_axis = softmax_axes(file, as_it_is);
    model.statistics = compute_statistics(file, onnx_graph::infer(file, per_sample(model.inputs, shapes)));
  } catch (const Error& e) {
    if (!e.context().empty()) throw;
    throw Error(e.code(), e.message(), path.string());
  }
  return model;
}

}  // namespace assay::model
