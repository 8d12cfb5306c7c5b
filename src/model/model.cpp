#include "model/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "assay/error.hpp"
#include "base/suggest.hpp"
#include "model/statistics.hpp"
#include "model/tensorflow_facts.hpp"
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
      if (!shape) {
        shape = inferred->shape;
      } else if (const Dimensions* theirs = inference.shape(output.name);
                 theirs != nullptr && theirs->size() == shape->size()) {
        for (std::size_t a = 0; a < shape->size(); ++a) {
          const Dimension& known = (*theirs)[a];
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

Port port(const ValueInfo& value, const onnx_graph::TensorType* inferred) {
  Port result{value.name, value.kind, std::nullopt, {}};
  if (value.kind != "tensor") return result;
  onnx_graph::TensorType type = value.type;
  if (inferred != nullptr && type.element == ElementType::kUndefined) type.element = inferred->element;
  if (inferred != nullptr && !type.shape) type.shape = inferred->shape;
  result.type = onnx_graph::to_string(type.element);
  if (!type.shape) return result;
  result.shape.emplace();
  for (const Dimension& d : *type.shape) {
    result.shape->push_back(d.size);
    result.axes.push_back(d.name);
  }
  return result;
}

/// How the figures of a sample are had: shapes to infer with, and the samples that they hold.
struct PerSample {
  onnx_graph::InferenceRequest request;
  std::int64_t samples = 1;
};

/// A free batch axis is 1, other free axes are as given; a fixed batch stays, and is divided by.
PerSample per_sample(const onnx_graph::Graph& graph, const std::map<std::string, Shape>& shapes,
                     const std::map<std::string, int>& batch_axis) {
  PerSample result;
  for (const auto& [name, shape] : shapes) result.request.inputs[name] = shape;
  for (const ValueInfo* input : real_inputs(graph)) {
    if (input->kind != "tensor" || !input->type.shape) continue;
    const Dimensions& declared = *input->type.shape;
    const auto said = batch_axis.find(input->name);
    if (said == batch_axis.end() && (declared.empty() || declared[0].known())) continue;
    const auto axis = static_cast<std::size_t>(said == batch_axis.end() ? 0 : said->second);
    if (axis >= declared.size()) continue;  // also -1
    if (declared[axis].known()) {
      result.samples = std::max<std::int64_t>(declared[axis].size, 1);
      continue;
    }
    std::vector<std::int64_t> as_declared;
    for (const Dimension& d : declared) as_declared.push_back(d.size);
    std::vector<std::int64_t>& shape = result.request.inputs.try_emplace(input->name, as_declared).first->second;
    if (axis < shape.size()) shape[axis] = 1;
  }
  return result;
}

/// A batch axis of a tensor that there is not would change nothing, and nobody would know.
void check_batch_axis_names(const onnx_graph::Graph& graph, const std::map<std::string, int>& batch_axis) {
  std::vector<std::string> names;
  for (const ValueInfo* input : real_inputs(graph)) names.push_back(input->name);
  for (const ValueInfo& output : graph.outputs) names.push_back(output.name);
  for (const auto& [name, axis] : batch_axis) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("batch-axis: '{}' is no input or output of the model; {}", name, name_advice(name, names)));
  }
}

Statistics statistics_of(const onnx_graph::Model& file, const std::map<std::string, Shape>& shapes,
                         const std::map<std::string, int>& batch_axis) {
  check_batch_axis_names(file.graph, batch_axis);
  const PerSample how = per_sample(file.graph, shapes, batch_axis);
  Statistics result = compute_statistics(file, onnx_graph::infer(file, how.request));
  for (auto* figure : {&result.flops, &result.activation_bytes, &result.largest_step_bytes}) {
    if (*figure) **figure /= how.samples;
  }
  return result;
}

Model facts_of(const onnx_graph::Model& file, const std::filesystem::path& path, const Inference& inference) {
  Model model;
  model.path = path;
  model.opset = file.opset();
  model.ir_version = file.ir_version;
  model.producer = file.producer;
  model.files = {path};
  model.files.insert(model.files.end(), file.external_files.begin(), file.external_files.end());
  for (const ValueInfo* input : real_inputs(file.graph)) model.input_ports.push_back(port(*input, nullptr));
  for (const ValueInfo& output : file.graph.outputs) {
    model.output_ports.push_back(port(output, inference.type(output.name)));
  }
  return model;
}

Model foreign_model(const std::filesystem::path& path, Format format) {
  Model model;
  model.path = path;
  model.format = format;
  model.files = foreign_files(path, format);
  for (const std::filesystem::path& file : model.files) {
    std::error_code ignored;
    const std::uintmax_t bytes = std::filesystem::file_size(file, ignored);
    if (!ignored) model.statistics.weight_bytes += bytes;  // nearly all of it is weights
  }
  return model;
}

/// Errors of what is done with a file name it.
template <class Work>
Model naming(const std::filesystem::path& path, const Work& work) {
  try {
    return work();
  } catch (const Error& e) {
    if (!e.context().empty()) throw;
    throw Error(e.code(), e.message(), path.string());
  }
}

}  // namespace

Model read_model(const std::filesystem::path& path, const std::map<std::string, Shape>& shapes,
                 const std::map<std::string, int>& batch_axis) {
  if (const Format format = format_of(path); format != Format::kOnnx) return foreign_model(path, format);
  refuse_unreadable(path);
  const onnx_graph::Model file = onnx_graph::read(path);
  return naming(path, [&] {
    if (file.has_sparse_initializers) {
      throw Error(ErrorCode::kUnsupported, "it has sparse initializers, which cannot be loaded here: make them dense");
    }
    const std::vector<TensorInfo> inputs = input_infos(file.graph, shapes);
    const Inference as_it_is = onnx_graph::infer(file);
    Model model = facts_of(file, path, as_it_is);
    model.inputs = inputs;
    model.outputs = output_infos(file.graph, as_it_is);
    model.softmax_axis = softmax_axes(file, as_it_is);
    model.statistics = statistics_of(file, shapes, batch_axis);
    return model;
  });
}

Model inspect_model(const std::filesystem::path& path, const std::map<std::string, Shape>& shapes,
                    const std::map<std::string, int>& batch_axis) {
  if (const Format format = format_of(path); format != Format::kOnnx) {
    Model model = foreign_model(path, format);
    add_tensorflow_facts(model);
    return model;
  }
  refuse_unreadable(path);
  const onnx_graph::Model file = onnx_graph::read(path);
  return naming(path, [&] {
    Model model = facts_of(file, path, onnx_graph::infer(file));
    model.statistics = statistics_of(file, shapes, batch_axis);
    return model;
  });
}

}  // namespace assay::model
