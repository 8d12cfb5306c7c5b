#include "onnx_file.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "assay/backend_kit_file.hpp"
#include "assay/error.hpp"
#include "onnx_graph/reader.hpp"
#include "optimized_graph.hpp"

namespace assay::tensorflow {
namespace {

constexpr std::int64_t kMostSamples = 64;  // of a batch that is run for its graph alone
constexpr const char* kTranslatedFile = "/graph.pb";
constexpr const char* kOptimizedFile = "/optimized.pb";

LoadedGraph imported(const Runtime& runtime, std::string_view graph_def, Signature signature) {
  LoadedGraph loaded(runtime);
  import_graph_def(runtime, loaded.graph.get(), graph_def, "the translated graph");
  loaded.signature = std::move(signature);
  find_places(runtime, loaded.graph.get(), loaded.signature);
  return loaded;
}

LoadedGraph from_cache(const Runtime& runtime, const std::string& folder, const onnx_graph::Model& model,
                       const TranslationRequest& translation) {
  const bool optimized = std::filesystem::exists(folder + kOptimizedFile);
  const kit::MappedFile file(folder + (optimized ? kOptimizedFile : kTranslatedFile));
  LoadedGraph loaded = imported(runtime, {file.text(), file.size()}, signature_of(model, translation));
  loaded.from_cache = true;
  loaded.optimized = optimized;
  return loaded;
}

LoadedGraph translated(const Runtime& runtime, const onnx_graph::Model& model, const TranslationRequest& translation) {
  LoadedGraph loaded(runtime);
  loaded.signature = translate(runtime, model, translation, loaded.graph.get());
  return loaded;
}

void write_file(const std::string& path, std::string_view bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) {
    throw kit::Failure(ASSAY_FRAMEWORK, "cannot write the graph to " + path + ": is the disk full?");
  }
}

void save_translated(const Runtime& runtime, TF_Graph* graph, const std::string& folder) {
  const Handle<TF_Buffer> buffer(runtime.api.new_buffer(), runtime.api.delete_buffer);
  const Status status(runtime);
  runtime.api.graph_to_graph_def(graph, buffer.get(), status.get());
  status.check("serializing the translated graph");
  write_file(folder + kTranslatedFile, {static_cast<const char*>(buffer->data), buffer->length});
}

/// XLA compiles none of oneDNN's kernels, which an optimized graph names: it starts from the translated one.
bool worth_optimizing(const Signature& signature, const Settings& settings) {
  std::int64_t samples = 1;
  for (const Port& input : signature.inputs) {
    if (!input.info.shape.empty()) samples = std::max(samples, input.info.shape.front());
  }
  return !settings.xla && settings.grappler && samples <= kMostSamples;
}

/// Empty where there is none to be had.
std::string optimized_if_possible(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings,
                                  const LoadedGraph& loaded) {
  if (!worth_optimizing(loaded.signature, settings)) return "";
  try {
    return optimized_graph(runtime, loaded.graph.get(), loaded.signature, settings);
  } catch (const kit::Failure& e) {
    request.host.log(ASSAY_LOG_INFO,
                     std::string("the translated graph is cached, and not the optimized one: ") + e.what());
    return "";
  }
}

/// What was optimized for the cache is what this session runs, too.
void fill_cache(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings,
                LoadedGraph& loaded) {
  const std::string optimized = optimized_if_possible(runtime, request, settings, loaded);
  if (optimized.empty()) {
    save_translated(runtime, loaded.graph.get(), request.cache_fill);
    return;
  }
  write_file(request.cache_fill + kOptimizedFile, optimized);
  Signature signature = std::move(loaded.signature);
  loaded = LoadedGraph(runtime);  // the weights are in `optimized`
  loaded = imported(runtime, optimized, std::move(signature));
  loaded.optimized = true;
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
    if (!loaded.from_cache && !request.cache_fill.empty()) fill_cache(runtime, request, settings, loaded);
    loaded.session =
        start_session(runtime, loaded.graph.get(), loaded.optimized ? settings_of_optimized(settings) : settings);
    return loaded;
  } catch (const Error& e) {
    throw kit::Failure(e.code() <= ErrorCode::kInternal ? static_cast<assay_status>(e.code()) : ASSAY_INVALID_MODEL,
                       e.what());
  }
}

}  // namespace assay::tensorflow
