#include "saved_model.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "wire.hpp"

namespace assay::tensorflow {
namespace {

constexpr const char* kTag = "serve";
constexpr const char* kDefaultSignature = "serving_default";

// Field numbers of meta_graph.proto and tensor_shape.proto.
constexpr int kSignatureDefs = 5;                           // MetaGraphDef
constexpr int kKey = 1, kValue = 2;                         // of a map's entry
constexpr int kSignatureInputs = 1, kSignatureOutputs = 2;  // SignatureDef
constexpr int kTensorName = 1, kTensorShape = 3;            // TensorInfo
constexpr int kDim = 2, kUnknownRank = 3, kDimSize = 1;     // TensorShapeProto, and its Dim

struct Tensor {
  std::string place;
  std::optional<Ints> shape;  ///< nothing where the rank is not known
};

/// By name, since a map has no order in the file.
struct SavedSignature {
  std::map<std::string, Tensor> inputs, outputs;
};

std::pair<std::string, std::string_view> map_entry(std::string_view bytes) {
  std::pair<std::string, std::string_view> entry;
  for (MessageReader fields(bytes); fields.next();) {
    if (fields.field() == kKey) entry.first = fields.bytes();
    if (fields.field() == kValue) entry.second = fields.bytes();
  }
  return entry;
}

std::optional<Ints> shape_in(std::string_view bytes) {
  Ints shape;
  for (MessageReader fields(bytes); fields.next();) {
    if (fields.field() == kUnknownRank && fields.integer() != 0) return std::nullopt;
    if (fields.field() != kDim) continue;
    std::int64_t size = 0;
    for (MessageReader dim(fields.bytes()); dim.next();) {
      if (dim.field() == kDimSize) size = dim.integer();
    }
    shape.push_back(size < 0 ? -1 : size);
  }
  return shape;
}

Tensor tensor_in(std::string_view bytes) {
  Tensor tensor;
  for (MessageReader fields(bytes); fields.next();) {
    if (fields.field() == kTensorName) tensor.place = fields.bytes();
    if (fields.field() == kTensorShape) tensor.shape = shape_in(fields.bytes());
  }
  return tensor;
}

SavedSignature signature_in(std::string_view bytes) {
  SavedSignature signature;
  for (MessageReader fields(bytes); fields.next();) {
    if (fields.field() != kSignatureInputs && fields.field() != kSignatureOutputs) continue;
    const auto [name, tensor] = map_entry(fields.bytes());
    (fields.field() == kSignatureInputs ? signature.inputs : signature.outputs)[name] = tensor_in(tensor);
  }
  return signature;
}

/// The one of that name; the error lists those that there are.
SavedSignature find_signature(std::string_view meta_graph, const std::string& wanted) {
  std::vector<std::string> names;
  for (MessageReader fields(meta_graph); fields.next();) {
    if (fields.field() != kSignatureDefs) continue;
    const auto [name, signature] = map_entry(fields.bytes());
    if (name == wanted) return signature_in(signature);
    if (!name.starts_with("__")) names.push_back(name);  // TensorFlow's own, such as __saved_model_init_op
  }
  std::sort(names.begin(), names.end());
  throw kit::Failure(ASSAY_INVALID_ARGUMENT, "the SavedModel has no signature '" + wanted + "'; it has: " +
                                                 listed(names) + ". Choose one with the option signature");
}

std::vector<Port> ports_of(const Runtime& runtime, TF_Graph* graph, const std::map<std::string, Tensor>& tensors) {
  std::vector<Port> ports;
  for (const auto& [name, tensor] : tensors) {
    const std::optional<TF_Output> place = find_output(runtime, graph, tensor.place);
    if (!place) {
      throw kit::Failure(ASSAY_INVALID_MODEL, "the signature's '" + name + "' is '" + tensor.place +
                                                  "', which its graph does not have (a sparse or composite tensor?)");
    }
    ports.push_back(port_at(runtime, graph, name, *place, tensor.shape));
  }
  return ports;
}

void require_file(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(folder + "/saved_model.pb", ignored)) return;
  throw kit::Failure(ASSAY_INVALID_MODEL, folder + " holds no saved_model.pb: it is no SavedModel");
}

}  // namespace

LoadedGraph load_saved_model(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings) {
  require_file(request.model_path);
  LoadedGraph loaded(runtime);
  const Handle<TF_SessionOptions> options = session_options(runtime, settings);
  const Handle<TF_Buffer> meta_graph(runtime.api.new_buffer(), runtime.api.delete_buffer);
  const char* const tags[] = {kTag};
  const Status status(runtime);
  loaded.session = {
      runtime, runtime.api.load_session_from_saved_model(options.get(), nullptr, request.model_path.c_str(), tags, 1,
                                                         loaded.graph.get(), meta_graph.get(), status.get())};
  status.check("loading the SavedModel (tag " + std::string(kTag) + ")", true);
  const SavedSignature signature = find_signature({static_cast<const char*>(meta_graph->data), meta_graph->length},
                                                  request.option("signature", kDefaultSignature));
  loaded.signature.inputs = ports_of(runtime, loaded.graph.get(), signature.inputs);
  loaded.signature.outputs = ports_of(runtime, loaded.graph.get(), signature.outputs);
  if (loaded.signature.outputs.empty()) {
    throw kit::Failure(ASSAY_INVALID_MODEL, "the signature has no outputs: choose another with the option signature");
  }
  check_places(loaded.signature);
  return loaded;
}

}  // namespace assay::tensorflow
