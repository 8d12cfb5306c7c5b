#include "model/tensorflow_facts.hpp"

#include <algorithm>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "onnx_graph/wire.hpp"

namespace assay::model {
namespace {

using onnx_graph::ByteSpan;
using onnx_graph::Fields;
using onnx_graph::Reading;

/// A file is taken for what its name says: that must be said of one that is something else.
onnx_graph::ReadAs read_as(Format format) {
  if (format == Format::kSavedModel) {
    return {"TensorFlow SavedModel", "is it one? The folder was taken for one since it holds a file saved_model.pb"};
  }
  return {"frozen TensorFlow graph",
          "is it one? It was taken for one since its name ends in .pb; an ONNX model is named *.onnx"};
}

/// TensorFlow's DataType as ONNX's words have it; "" for what nothing can be fed or read as.
std::string type_name(std::uint64_t type) {
  switch (type) {
    case 1:
      return "float32";
    case 2:
      return "float64";
    case 3:
      return "int32";
    case 4:
      return "uint8";
    case 5:
      return "int16";
    case 6:
      return "int8";
    case 7:
      return "string";
    case 9:
      return "int64";
    case 10:
      return "bool";
    case 14:
      return "bfloat16";
    case 17:
      return "uint16";
    case 19:
      return "float16";
    case 22:
      return "uint32";
    case 23:
      return "uint64";
    default:
      return "type " + std::to_string(type);
  }
}

/// Walks the messages of saved_model.proto, meta_graph.proto, graph.proto, node_def.proto and function.proto, of which
/// the numbers are.
class TensorFlowReader {
 public:
  TensorFlowReader(Model& model, ByteSpan bytes)
      : model_(model),
        bytes_(bytes),
        reading_(model.files.at(0).string(), onnx_graph::Limits{}, read_as(model.format)) {}

  void saved_model() {
    for (Fields f(reading_, bytes_, "SavedModel"); f.next();) {
      if (f.number() == 2) meta_graph(f.bytes());
    }
  }

  /// Of a SavedModel the names of its signatures alone.
  void signature_names() {
    for (Fields f(reading_, bytes_, "SavedModel"); f.next();) {
      if (f.number() != 2) continue;
      for (Fields meta(reading_, f.bytes(), "MetaGraphDef"); meta.next();) {
        if (meta.number() == 5) add_signature(entry(meta.bytes(), "signature").first);
      }
    }
  }

  void graph(ByteSpan bytes) {
    for (Fields f(reading_, bytes, "GraphDef"); f.next();) {
      if (f.number() == 1) node(f.bytes());
      if (f.number() == 2) library(f.bytes());
    }
  }

 private:
  void meta_graph(ByteSpan bytes) {
    for (Fields f(reading_, bytes, "MetaGraphDef"); f.next();) {
      if (f.number() == 2) graph(f.bytes());
      if (f.number() == 5) signature_entry(f.bytes());
    }
  }

  /// Key and value of a map<string, message>.
  std::pair<std::string, ByteSpan> entry(ByteSpan bytes, const char* what) {
    std::pair<std::string, ByteSpan> result;
    for (Fields f(reading_, bytes, what); f.next();) {
      if (f.number() == 1) result.first = f.name();
      if (f.number() == 2) result.second = f.bytes();
    }
    return result;
  }

  /// TensorFlow's own, such as __saved_model_init_op, nobody calls.
  void add_signature(const std::string& name) {
    if (!name.starts_with("__")) model_.signatures.push_back(name);
  }

  void signature_entry(ByteSpan bytes) {
    const auto [name, signature] = entry(bytes, "signature");
    add_signature(name);
    if (name != kDefaultSignature) return;
    for (Fields f(reading_, signature, "SignatureDef"); f.next();) {
      if (f.number() != 1 && f.number() != 2) continue;
      std::vector<Port>& ports = f.number() == 1 ? model_.input_ports : model_.output_ports;
      const auto [port_name, info] = entry(f.bytes(), "signature");
      ports.push_back(port(port_name, info));
    }
  }

  Port port(const std::string& name, ByteSpan info) {
    Port result{name, type_name(0), std::nullopt, {}};
    for (Fields f(reading_, info, "TensorInfo"); f.next();) {
      if (f.number() == 2) result.type = type_name(f.varint());
      if (f.number() == 3) shape(f.bytes(), result);
    }
    return result;
  }

  void shape(ByteSpan bytes, Port& to) {
    Shape sizes;
    for (Fields f(reading_, bytes, "TensorShapeProto"); f.next();) {
      if (f.number() == 3 && f.varint() != 0) return;  // not even the rank is known
      if (f.number() != 2) continue;
      std::int64_t size = 0;
      for (Fields dim(reading_, f.bytes(), "Dim"); dim.next();) {
        if (dim.number() == 1) size = dim.int64();
      }
      sizes.push_back(size);
    }
    to.axes.assign(sizes.size(), "");
    to.shape = std::move(sizes);
  }

  void library(ByteSpan bytes) {
    for (Fields f(reading_, bytes, "FunctionDefLibrary"); f.next();) {
      if (f.number() != 1) continue;
      for (Fields function(reading_, f.bytes(), "FunctionDef"); function.next();) {
        if (function.number() == 3) node(function.bytes());
      }
    }
  }

  void node(ByteSpan bytes) {
    reading_.count_node();
    std::string name, type;
    Port found;
    for (Fields f(reading_, bytes, "NodeDef"); f.next();) {
      if (f.number() == 1) name = f.name();
      if (f.number() == 2) type = f.name();
      if (f.number() == 5 && type == "Placeholder") placeholder_attribute(f.bytes(), found);
    }
    ++model_.statistics.operators[type];
    if (model_.format != Format::kGraphDef || type != "Placeholder") return;
    found.name = name;
    model_.input_ports.push_back(std::move(found));
  }

  void placeholder_attribute(ByteSpan bytes, Port& to) {
    const auto [name, value] = entry(bytes, "attribute");
    for (Fields f(reading_, value, "AttrValue"); f.next();) {
      if (name == "dtype" && f.number() == 6) to.type = type_name(f.varint());
      if (name == "shape" && f.number() == 7) shape(f.bytes(), to);
    }
  }

  Model& model_;
  ByteSpan bytes_;
  Reading reading_;
};

}  // namespace

void add_tensorflow_facts(Model& model) {
  const MappedFile file(model.files.at(0));
  TensorFlowReader reader(model, file.bytes());
  model.format == Format::kSavedModel ? reader.saved_model() : reader.graph(file.bytes());
  if (model.statistics.operators.empty()) {
    const onnx_graph::ReadAs as = read_as(model.format);
    throw Error(ErrorCode::kInvalidModel,
                "not a whole " + as.what + ": it has no operators. Is the file complete, and " + as.doubt,
                model.files.at(0).string());
  }
  std::sort(model.signatures.begin(), model.signatures.end());
  const auto by_name = [](const Port& a, const Port& b) { return a.name < b.name; };
  if (model.format != Format::kSavedModel) return;
  std::sort(model.input_ports.begin(), model.input_ports.end(), by_name);  // a map has no order in the file
  std::sort(model.output_ports.begin(), model.output_ports.end(), by_name);
}

std::vector<std::string> signature_names(const Model& model) {
  if (model.format != Format::kSavedModel) return {};
  const MappedFile file(model.files.at(0));
  Model named;
  named.format = model.format;
  named.files = model.files;
  TensorFlowReader(named, file.bytes()).signature_names();
  std::sort(named.signatures.begin(), named.signatures.end());
  return named.signatures;
}

}  // namespace assay::model
