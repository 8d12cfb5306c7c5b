#include "onnx_file.hpp"

#include <cstdio>

#include "assay/backend_kit_file.hpp"
#include "assay/error.hpp"
#include "onnx_graph/reader.hpp"

namespace assay::tensorflow {
namespace {

/// The translation differs where oneDNN's kernels are missing, which the environment decides, and no option in the key.
const char* saved_graph(const Runtime& runtime) { return runtime.onednn ? "/graph.pb" : "/graph_without_onednn.pb"; }

LoadedGraph from_cache(const Runtime& runtime, const std::string& folder, const onnx_graph::Model& model,
                       const TranslationRequest& translation) {
  LoadedGraph loaded(runtime);
  const kit::MappedFile file(folder + saved_graph(runtime));
  import_graph_def(runtime, loaded.graph.get(), {file.text(), file.size()}, "the translated graph");
  loaded.signature = signature_of(model, translation);
  find_places(runtime, loaded.graph.get(), loaded.signature);
  loaded.from_cache = true;
  return loaded;
}

LoadedGraph translated(const Runtime& runtime, const onnx_graph::Model& model, const TranslationRequest& translation) {
  LoadedGraph loaded(runtime);
  loaded.signature = translate(runtime, model, translation, loaded.graph.get());
  return loaded;
}

void save_graph(const Runtime& runtime, TF_Graph* graph, const std::string& folder) {
  const Handle<TF_Buffer> buffer(runtime.api.new_buffer(), runtime.api.delete_buffer);
  const Status status(runtime);
  runtime.api.graph_to_graph_def(graph, buffer.get(), status.get());
  status.check("serializing the translated graph");
  const std::string path = folder + saved_graph(runtime);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(buffer->data, 1, buffer->length, file) == buffer->length;
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) {
    throw kit::Failure(ASSAY_FRAMEWORK, "cannot write the translated graph to " + path + ": is the disk full?");
  }
}

LoadedGraph load_or_translate(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings) {
  const onnx_graph::Model model = onnx_graph::read(request.model_path);
  const TranslationRequest translation{request.shapes, request.batch_size, settings.channels_last, runtime.onednn};
  if (!request.cache_read.empty()) {
    try {
      return from_cache(runtime, request.cache_read, model, translation);
    } catch (const kit::Failure& e) {
      request.host.log(ASSAY_LOG_WARNING,
                       std::string("the cached graph is of no use, and the model is translated instead: ") + e.what());
    }
  }
  return translated(runtime, model, translation);
}

}  // namespace

LoadedGraph load_onnx(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings) {
  try {
    LoadedGraph loaded = load_or_translate(runtime, request, settings);
    loaded.translated = true;
    if (!loaded.from_cache && !request.cache_fill.empty()) save_graph(runtime, loaded.graph.get(), request.cache_fill);
    loaded.session = start_session(runtime, loaded.graph.get(), settings);
    return loaded;
  } catch (const Error& e) {
    throw kit::Failure(e.code() <= ErrorCode::kInternal ? static_cast<assay_status>(e.code()) : ASSAY_INVALID_MODEL,
                       e.what());
  }
}

}  // namespace assay::tensorflow
