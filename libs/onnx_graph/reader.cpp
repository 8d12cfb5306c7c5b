#include "onnx_graph/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "assay/error.hpp"
#include "onnx_graph/onnx.pb.h"

namespace assay::onnx_graph {
namespace {

namespace fs = std::filesystem;

/// "ai.onnx" is the long name of the domain "".
std::string normal_domain(const std::string& domain) { return domain == "ai.onnx" ? std::string() : domain; }

Dimension read_dimension(Reading& reading, ByteSpan bytes) {
  using Proto = onnx::TensorShapeProto::Dimension;
  Dimension d;
  for (Fields f(reading, bytes, "Dimension"); f.next();) {
    // Some exporters write -1 for a free axis.
    if (f.number() == Proto::kDimValueFieldNumber) d.size = std::max<std::int64_t>(f.int64(), -1);
    if (f.number() == Proto::kDimParamFieldNumber) d.name = f.name();
  }
  if (d.known()) d.name.clear();
  return d;
}

Dimensions read_shape(Reading& reading, ByteSpan bytes) {
  Dimensions shape;
  for (Fields f(reading, bytes, "TensorShapeProto"); f.next();) {
    if (f.number() != onnx::TensorShapeProto::kDimFieldNumber) continue;
    if (shape.size() >= reading.limits.rank) {
      reading.fail(fmt::format("a value has more than {} axes: refused as hostile", reading.limits.rank));
    }
    reading.charge(sizeof(Dimension));
    shape.push_back(read_dimension(reading, f.bytes()));
  }
  return shape;
}

void read_type(Reading& reading, ByteSpan bytes, ValueInfo& info) {
  using Proto = onnx::TypeProto;
  info.kind = "unknown";
  for (Fields f(reading, bytes, "TypeProto"); f.next();) {
    switch (f.number()) {
      case Proto::kTensorTypeFieldNumber:
        info.kind = "tensor";
        for (Fields t(reading, f.bytes(), "TypeProto.Tensor"); t.next();) {
          if (t.number() == Proto::Tensor::kElemTypeFieldNumber) {
            info.type.element = static_cast<ElementType>(static_cast<std::int32_t>(t.varint()));
          }
          if (t.number() == Proto::Tensor::kShapeFieldNumber) info.type.shape = read_shape(reading, t.bytes());
        }
        break;
      case Proto::kSequenceTypeFieldNumber:
        info.kind = "sequence";
        break;
      case Proto::kMapTypeFieldNumber:
        info.kind = "map";
        break;
      case Proto::kOptionalTypeFieldNumber:
        info.kind = "optional";
        break;
      case Proto::kSparseTensorTypeFieldNumber:
        info.kind = "sparse tensor";
        break;
      default:
        break;
    }
  }
}

void check_size(Reading& reading, const ValueInfo& info) {
  if (!info.type.shape) return;
  const Dimensions& shape = *info.type.shape;
  std::int64_t elements = 1;
  for (const Dimension& d : shape) {
    if (d.size > 0 && (__builtin_mul_overflow(elements, d.size, &elements) || elements > (INT64_MAX >> 8))) {
      reading.fail(fmt::format("value {} is declared as {}, larger than any memory: refused as hostile",
                               quote(info.name), to_string(shape)));
    }
  }
}

/// The value of an attribute while its fields come in; one slot per kind, since the kind may come last.
struct AttributeDraft {
  std::string name;
  std::int64_t type = 0;
  AttributeValue single;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  std::vector<Tensor> tensors;
  std::vector<std::shared_ptr<const Graph>> graphs;
  bool kept = true;
};

void read_attribute_field(Source& source, Fields& f, AttributeDraft& draft, int depth) {
  using Proto = onnx::AttributeProto;
  Reading& reading = source.reading;
  switch (f.number()) {
    case Proto::kNameFieldNumber:
      draft.name = f.name();
      return;
    case Proto::kTypeFieldNumber:
      draft.type = f.int64();
      return;
    case Proto::kFFieldNumber:
      draft.single = f.fixed_float();
      return;
    case Proto::kIFieldNumber:
      draft.single = f.int64();
      return;
    case Proto::kSFieldNumber:
      draft.single = f.text();
      return;
    case Proto::kTFieldNumber:
      draft.single = read_tensor(source, f.bytes());
      return;
    case Proto::kGFieldNumber:
      draft.single = std::make_shared<const Graph>(read_graph(source, f.bytes(), depth + 1));
      return;
    case Proto::kFloatsFieldNumber:
      return f.floats([&](float v) { reading.charge(sizeof v), draft.floats.push_back(v); });
    case Proto::kIntsFieldNumber:
      return f.varints([&](std::uint64_t v) {
        reading.charge(sizeof v);
        draft.ints.push_back(static_cast<std::int64_t>(v));
      });
    case Proto::kStringsFieldNumber:
      draft.strings.push_back(f.text());
      return;
    case Proto::kTensorsFieldNumber:
      draft.tensors.push_back(read_tensor(source, f.bytes()));
      return;
    case Proto::kGraphsFieldNumber:
      draft.graphs.push_back(std::make_shared<const Graph>(read_graph(source, f.bytes(), depth + 1)));
      return;
    case Proto::kRefAttrNameFieldNumber:
      reading.fail("an attribute outside a function refers to a function's attribute");
    case Proto::kSparseTensorFieldNumber:
    case Proto::kSparseTensorsFieldNumber:
    case Proto::kTpFieldNumber:
    case Proto::kTypeProtosFieldNumber:
      draft.kept = false;
      return;
    default:
      return;
  }
}

AttributeValue attribute_value(AttributeDraft& draft) {
  using Proto = onnx::AttributeProto;
  if (!draft.kept) return {};
  switch (draft.type) {
    case Proto::FLOATS:
      return std::move(draft.floats);
    case Proto::INTS:
      return std::move(draft.ints);
    case Proto::STRINGS:
      return std::move(draft.strings);
    case Proto::TENSORS:
      return std::move(draft.tensors);
    case Proto::GRAPHS:
      return std::move(draft.graphs);
    // A zero or empty value may be left out of the file.
    case Proto::FLOAT:
      return std::holds_alternative<float>(draft.single) ? std::move(draft.single) : 0.0F;
    case Proto::INT:
      return std::holds_alternative<std::int64_t>(draft.single) ? std::move(draft.single) : std::int64_t{0};
    case Proto::STRING:
      return std::holds_alternative<std::string>(draft.single) ? std::move(draft.single) : std::string();
    default:
      break;
  }
  // Files before IR version 2 do not say the kind.
  if (!std::holds_alternative<std::monostate>(draft.single)) return std::move(draft.single);
  if (!draft.floats.empty()) return std::move(draft.floats);
  if (!draft.ints.empty()) return std::move(draft.ints);
  if (!draft.strings.empty()) return std::move(draft.strings);
  if (!draft.tensors.empty()) return std::move(draft.tensors);
  if (!draft.graphs.empty()) return std::move(draft.graphs);
  return {};
}

Node read_node(Source& source, ByteSpan bytes, int depth) {
  using Proto = onnx::NodeProto;
  source.reading.count_node();
  Node node;
  for (Fields f(source.reading, bytes, "NodeProto"); f.next();) {
    switch (f.number()) {
      case Proto::kInputFieldNumber:
        node.inputs.push_back(f.name());
        break;
      case Proto::kOutputFieldNumber:
        node.outputs.push_back(f.name());
        break;
      case Proto::kNameFieldNumber:
        node.name = f.name();
        break;
      case Proto::kOpTypeFieldNumber:
        node.op_type = f.name();
        break;
      case Proto::kDomainFieldNumber:
        node.domain = normal_domain(f.name());
        break;
      case Proto::kAttributeFieldNumber:
        source.reading.charge(sizeof(Attribute));
        node.attributes.push_back(read_attribute(source, f.bytes(), depth));
        break;
      default:
        break;
    }
  }
  return node;
}

/// The values that are stored; where they stand is not kept.
Tensor read_sparse_values(Source& source, ByteSpan bytes) {
  std::optional<Tensor> values;
  for (Fields f(source.reading, bytes, "SparseTensorProto"); f.next();) {
    if (f.number() == onnx::SparseTensorProto::kValuesFieldNumber) values = read_tensor(source, f.bytes());
  }
  if (!values) source.reading.fail("a sparse initializer has no values");
  source.reading.sparse_seen = true;
  return std::move(*values);
}

void read_opset(Reading& reading, ByteSpan bytes, Model& model) {
  std::string domain;
  std::int64_t version = 0;
  for (Fields f(reading, bytes, "OperatorSetIdProto"); f.next();) {
    if (f.number() == onnx::OperatorSetIdProto::kDomainFieldNumber) domain = normal_domain(f.name());
    if (f.number() == onnx::OperatorSetIdProto::kVersionFieldNumber) version = f.int64();
  }
  if (version < 1) {
    reading.fail(fmt::format("operator set {} has version {}: versions begin with 1", quote(domain), version));
  }
  model.opsets[domain] = std::max(version, model.opsets[domain]);
}

std::string read_function_name(Reading& reading, ByteSpan bytes) {
  std::string name, domain;
  for (Fields f(reading, bytes, "FunctionProto"); f.next();) {
    if (f.number() == onnx::FunctionProto::kNameFieldNumber) name = f.name();
    if (f.number() == onnx::FunctionProto::kDomainFieldNumber) domain = f.name();
  }
  return domain + "." + name;
}

Model read_model(Source& source, ByteSpan bytes) {
  using Proto = onnx::ModelProto;
  Reading& reading = source.reading;
  if (bytes.empty()) reading.fail("the file is empty (0 bytes): an ONNX model was expected");
  Model model;
  std::optional<ByteSpan> graph;
  std::string producer_version;
  for (Fields f(reading, bytes, "ModelProto"); f.next();) {
    switch (f.number()) {
      case Proto::kIrVersionFieldNumber:
        model.ir_version = f.int64();
        break;
      case Proto::kProducerNameFieldNumber:
        model.producer = f.name();
        break;
      case Proto::kProducerVersionFieldNumber:
        producer_version = f.name();
        break;
      case Proto::kOpsetImportFieldNumber:
        read_opset(reading, f.bytes(), model);
        break;
      case Proto::kFunctionsFieldNumber:
        model.functions.push_back(read_function_name(reading, f.bytes()));
        break;
      case Proto::kGraphFieldNumber:
        if (graph) reading.fail("the model has two graphs: an ONNX file has one");
        graph = f.bytes();
        break;
      default:
        break;
    }
  }
  if (!producer_version.empty()) model.producer += " " + producer_version;
  if (!graph || model.ir_version < 1) {
    reading.fail(
        fmt::format("not an ONNX model: {} bytes without {}", bytes.size(), graph ? "an IR version" : "a graph"));
  }
  if (model.opsets.empty() && model.ir_version >= 3) reading.fail("the model does not say which operator set it uses");
  model.graph = read_graph(source, *graph, 0);
  if (model.graph.outputs.empty()) reading.fail("the graph has no outputs: there would be nothing to compute");
  model.external_files = source.storage.external_files();
  model.has_sparse_initializers = reading.sparse_seen;
  return model;
}

}  // namespace

ValueInfo read_value_info(Reading& reading, ByteSpan bytes) {
  using Proto = onnx::ValueInfoProto;
  reading.charge(sizeof(ValueInfo));
  ValueInfo info;
  for (Fields f(reading, bytes, "ValueInfoProto"); f.next();) {
    if (f.number() == Proto::kNameFieldNumber) info.name = f.name();
    if (f.number() == Proto::kTypeFieldNumber) read_type(reading, f.bytes(), info);
  }
  check_size(reading, info);
  return info;
}

Attribute read_attribute(Source& source, ByteSpan bytes, int depth) {
  AttributeDraft draft;
  for (Fields f(source.reading, bytes, "AttributeProto"); f.next();) read_attribute_field(source, f, draft, depth);
  if (draft.name.empty()) source.reading.fail("an attribute has no name");
  return {std::move(draft.name), attribute_value(draft), bytes};
}

Graph read_graph(Source& source, ByteSpan bytes, int depth) {
  using Proto = onnx::GraphProto;
  Reading& reading = source.reading;
  if (depth > reading.limits.depth) {
    reading.fail(fmt::format("subgraphs are nested more than {} deep: refused as hostile", reading.limits.depth));
  }
  reading.charge(sizeof(Graph));
  Graph graph;
  for (Fields f(reading, bytes, "GraphProto"); f.next();) {
    switch (f.number()) {
      case Proto::kNodeFieldNumber:
        graph.nodes.push_back(read_node(source, f.bytes(), depth));
        break;
      case Proto::kNameFieldNumber:
        graph.name = f.name();
        break;
      case Proto::kInitializerFieldNumber:
        reading.count_initializer();
        graph.initializers.push_back(read_tensor(source, f.bytes()));
        break;
      case Proto::kSparseInitializerFieldNumber:
        reading.count_initializer();
        graph.sparse_initializers.push_back(read_sparse_values(source, f.bytes()));
        break;
      case Proto::kInputFieldNumber:
        graph.inputs.push_back(read_value_info(reading, f.bytes()));
        break;
      case Proto::kOutputFieldNumber:
        graph.outputs.push_back(read_value_info(reading, f.bytes()));
        break;
      case Proto::kValueInfoFieldNumber:
        graph.values.push_back(read_value_info(reading, f.bytes()));
        break;
      default:
        break;
    }
  }
  check_and_sort(reading, graph, depth == 0);
  return graph;
}

std::int64_t Model::opset() const {
  const auto found = opsets.find("");
  return found == opsets.end() ? 1 : found->second;
}

Model read(const fs::path& path, const Limits& limits) {
  Reading reading(path.string(), limits);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const auto storage = std::make_shared<Storage>(folder);
  const ByteSpan bytes = storage->map_file(reading, path, "model");
  Source source{reading, *storage};
  Model model = read_model(source, bytes);
  model.storage = storage;
  return model;
}

Model parse(std::span<const std::byte> bytes, const fs::path& folder, const Limits& limits) {
  Reading reading("model in memory", limits);
  if (bytes.size() > std::min<std::uint64_t>(limits.file_bytes, INT32_MAX)) {
    reading.fail(fmt::format("the model has {} bytes; at most {} are read", bytes.size(), limits.file_bytes));
  }
  const auto storage = std::make_shared<Storage>(folder);
  Source source{reading, *storage};
  Model model = read_model(source, bytes);
  model.storage = storage;
  return model;
}

}  // namespace assay::onnx_graph
