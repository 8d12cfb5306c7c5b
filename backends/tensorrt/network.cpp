#include "network.hpp"

#include <array>
#include <filesystem>
#include <span>
#include <string_view>

#include "assay/backend_kit_file.hpp"
#include "assay/error.hpp"
#include "model_types.hpp"
#include "onnx_graph/float16.hpp"
#include "onnx_graph/graph.hpp"
#include "parse_issues.hpp"
#include "trt_log.hpp"

namespace assay::tensorrt {
namespace {

constexpr std::size_t kMostTold = 10;  // issues in one message

struct KnownType {
  nvinfer1::DataType theirs;
  assay_dtype ours;
};
constexpr std::array<KnownType, 8> kKnownTypes = {{{nvinfer1::DataType::kFLOAT, ASSAY_FLOAT32},
                                                   {nvinfer1::DataType::kHALF, ASSAY_FLOAT16},
                                                   {nvinfer1::DataType::kBF16, ASSAY_BFLOAT16},
                                                   {nvinfer1::DataType::kINT8, ASSAY_INT8},
                                                   {nvinfer1::DataType::kUINT8, ASSAY_UINT8},
                                                   {nvinfer1::DataType::kINT32, ASSAY_INT32},
                                                   {nvinfer1::DataType::kINT64, ASSAY_INT64},
                                                   {nvinfer1::DataType::kBOOL, ASSAY_BOOL}}};

/// From TensorRT 11 on every network is strongly typed, and the flag is but kept for its number.
nvinfer1::NetworkDefinitionCreationFlags creation_flags() {
#if NV_TENSORRT_MAJOR < 11
  return 1U << static_cast<std::uint32_t>(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
#else
  return 0;
#endif
}

Network new_network(const Runtime& runtime, nvinfer1::IBuilder& builder) {
  Network network;
  network.definition.reset(builder.createNetworkV2(creation_flags()));
  if (network.definition == nullptr) throw kit::Failure(ASSAY_FRAMEWORK, "TensorRT made no network");
  network.parser.reset(static_cast<nvonnxparser::IParser*>(
      runtime.create_parser(network.definition.get(), &logger(), NV_ONNX_PARSER_VERSION)));
  if (network.parser == nullptr) throw kit::Failure(ASSAY_FRAMEWORK, "TensorRT made no ONNX parser");
  return network;
}

std::string or_nothing(const char* text) { return text != nullptr ? text : ""; }

std::vector<ParseIssue> issues_of(const nvonnxparser::IParser& parser) {
  std::vector<ParseIssue> issues;
  for (int i = 0; i < parser.getNbErrors(); ++i) {
    const nvonnxparser::IParserError* error = parser.getError(i);
    if (error == nullptr) continue;
    issues.push_back({kind_of(static_cast<int>(error->code())), error->node(), or_nothing(error->nodeName()),
                      or_nothing(error->nodeOperator()), or_nothing(error->desc())});
  }
  return issues;
}

/// What the parser is given.
struct ModelBytes {
  std::string_view bytes;
  std::filesystem::path path;  ///< absolute, of the file beside which external data lie; "": the bytes are all
};

/// Names those that are told by their place alone; a node without a name goes by its first output's.
void name_nodes(std::vector<ParseIssue>& issues, const ModelBytes& model) {
  try {
    const onnx_graph::Model read = onnx_graph::parse(std::as_bytes(std::span(model.bytes)), model.path.parent_path());
    for (ParseIssue& issue : issues) {
      if (issue.node < 0 || static_cast<std::size_t>(issue.node) >= read.graph.nodes.size()) continue;
      const onnx_graph::Node& node = read.graph.nodes[static_cast<std::size_t>(issue.node)];
      issue.type = node.op_type;
      issue.name = node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
    }
  } catch (const Error&) {
    // Not for a reader of names to say: their places are told.
  }
}

/// Parsing ends at the first node that it cannot do; this asks about all of them.
std::vector<ParseIssue> all_unsupported(const Runtime& runtime, nvinfer1::IBuilder& builder, const ModelBytes& model) {
  const Network network = new_network(runtime, builder);
  nvonnxparser::IParser& parser = *network.parser;
  const char* path = model.path.empty() ? nullptr : model.path.c_str();
  if (parser.supportsModelV2(model.bytes.data(), model.bytes.size(), path)) return {};
  std::vector<ParseIssue> issues = issues_of(parser);
  std::vector<ParseIssue> unnamed;
  for (std::int64_t i = 0; i < parser.getNbSubgraphs(); ++i) {
    if (parser.isSubgraphSupported(i)) continue;
    std::int64_t count = 0;
    const std::int64_t* nodes = parser.getSubgraphNodes(i, count);
    for (std::int64_t n = 0; n < count; ++n) {
      unnamed.push_back({IssueKind::kUnsupported, static_cast<int>(nodes[n]), "", "", ""});
    }
  }
  name_nodes(unnamed, model);
  add_unknown(issues, unnamed);
  return issues;
}

[[noreturn]] void refuse_model(const Runtime& runtime, nvinfer1::IBuilder& builder, const kit::OpenRequest& request,
                               const ModelBytes& model, std::vector<ParseIssue> issues) {
  if (status_of(issues) == ASSAY_UNSUPPORTED) add_unknown(issues, all_unsupported(runtime, builder, model));
  if (issues.size() > kMostTold) {
    request.host.log(ASSAY_LOG_WARNING, "TensorRT's parser: " + describe(issues, issues.size()));
  }
  throw kit::Failure(status_of(issues), "TensorRT " + runtime.version + " cannot take the model " + request.model_path +
                                            ": " + describe(issues, kMostTold));
}

}  // namespace

Network parse_model(const Runtime& runtime, nvinfer1::IBuilder& builder, const kit::OpenRequest& request) {
  (void)kit::MappedFile(request.model_path);  // a file that is not there, in our words
  check_model_types(request.model_path);
  Network network = new_network(runtime, builder);
  const int verbosity = static_cast<int>(nvinfer1::ILogger::Severity::kWARNING);
  if (!network.parser->parseFromFile(request.model_path.c_str(), verbosity)) {
    const kit::MappedFile file(request.model_path);
    refuse_model(runtime, builder, request, {{file.text(), file.size()}, std::filesystem::absolute(request.model_path)},
                 issues_of(*network.parser));
  }
  if (network.definition->getNbOutputs() == 0) {  // an empty file is a model to the parser
    throw kit::Failure(ASSAY_INVALID_MODEL, "the model " + request.model_path + " has no outputs: is the file whole?");
  }
  return network;
}

Network parse_in_float16(const Runtime& runtime, nvinfer1::IBuilder& builder, const kit::OpenRequest& request) {
  std::string model;
  try {
    model = onnx_graph::in_float16(onnx_graph::read(request.model_path));
  } catch (const Error& e) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "f16 was asked for, and the model, which is in f32, cannot be converted: " +
                                              std::string(e.what()) +
                                              ". Give one that is in f16 already, or ask for f32");
  }
  Network network = new_network(runtime, builder);
  if (!network.parser->parse(model.data(), model.size(), nullptr)) {
    refuse_model(runtime, builder, request, {model, {}}, issues_of(*network.parser));
  }
  return network;
}

std::vector<kit::TensorInfo> inputs_of(const nvinfer1::INetworkDefinition& network) {
  std::vector<kit::TensorInfo> inputs;
  for (std::int32_t i = 0; i < network.getNbInputs(); ++i) {
    const nvinfer1::ITensor& tensor = *network.getInput(i);
    kit::TensorInfo info;
    info.name = tensor.getName();
    if (tensor.isShapeTensor()) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "the values of the input '" + info.name +
                                                "' decide on shapes, and TensorRT must know their range when it builds "
                                                "the engine: make it a constant of the model");
    }
    info.dtype = dtype_of(tensor.getType(), info.name);
    info.shape = shape_of(tensor.getDimensions());
    inputs.push_back(std::move(info));
  }
  return inputs;
}

bool fix_shapes(nvinfer1::INetworkDefinition& network, const std::vector<InputRange>& ranges) {
  bool any_free = false;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    nvinfer1::ITensor& tensor = *network.getInput(static_cast<std::int32_t>(i));
    nvinfer1::Dims dims = tensor.getDimensions();
    bool changed = false;
    for (std::size_t a = 0; a < ranges[i].axes.size(); ++a) {
      const AxisRange& axis = ranges[i].axes[a];
      any_free = any_free || !axis.fixed();
      if (!axis.fixed() || dims.d[a] == axis.most) continue;
      dims.d[a] = axis.most;
      changed = true;
    }
    if (changed) tensor.setDimensions(dims);
  }
  return any_free;
}

void add_profile(nvinfer1::IOptimizationProfile& profile, const std::vector<InputRange>& ranges) {
  using nvinfer1::OptProfileSelector;
  const auto chosen = [](const AxisRange& axis, OptProfileSelector which) {
    if (which == OptProfileSelector::kMIN) return axis.least;
    return which == OptProfileSelector::kOPT ? axis.typical : axis.most;
  };
  for (const InputRange& range : ranges) {
    for (const auto which : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX}) {
      std::vector<std::int64_t> shape;
      for (const AxisRange& axis : range.axes) shape.push_back(chosen(axis, which));
      if (profile.setDimensions(range.name.c_str(), which, dims_of(shape))) continue;
      throw kit::Failure(ASSAY_UNSUPPORTED, "TensorRT refused the shapes " + to_text(range) + " of '" + range.name +
                                                "' for its optimization profile");
    }
  }
}

TypeCounts count_types(const nvinfer1::INetworkDefinition& network) {
  TypeCounts counts;
  for (std::int32_t l = 0; l < network.getNbLayers(); ++l) {
    const nvinfer1::ILayer& layer = *network.getLayer(l);
    const nvinfer1::LayerType type = layer.getType();
    if (type == nvinfer1::LayerType::kQUANTIZE || type == nvinfer1::LayerType::kDEQUANTIZE) ++counts.quantizing;
    for (std::int32_t o = 0; o < layer.getNbOutputs(); ++o) {
      const nvinfer1::ITensor* output = layer.getOutput(o);
      if (output == nullptr) continue;  // an optional one that the layer does not answer
      if (output->getType() == nvinfer1::DataType::kFLOAT) ++counts.f32;
      if (output->getType() == nvinfer1::DataType::kHALF) ++counts.f16;
      if (output->getType() == nvinfer1::DataType::kBF16) ++counts.bf16;
    }
  }
  return counts;
}

assay_dtype dtype_of(nvinfer1::DataType type, const std::string& tensor) {
  for (const KnownType& known : kKnownTypes) {
    if (known.theirs == type) return known.ours;
  }
  throw kit::Failure(ASSAY_UNSUPPORTED, "'" + tensor + "' has TensorRT's element type " +
                                            std::to_string(static_cast<int>(type)) +
                                            ", which cannot be passed as an input or output");
}

std::vector<std::int64_t> shape_of(const nvinfer1::Dims& dims) {
  return dims.nbDims < 0 ? std::vector<std::int64_t>() : std::vector<std::int64_t>(dims.d, dims.d + dims.nbDims);
}

nvinfer1::Dims dims_of(std::span<const std::int64_t> shape) {
  nvinfer1::Dims dims{};
  if (shape.size() > static_cast<std::size_t>(nvinfer1::Dims::MAX_DIMS)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "a shape of " + std::to_string(shape.size()) + " axes (" +
                                              kit::to_text(shape) + ") is more than TensorRT's " +
                                              std::to_string(nvinfer1::Dims::MAX_DIMS));
  }
  dims.nbDims = static_cast<std::int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), dims.d);
  return dims;
}

}  // namespace assay::tensorrt
