#include "model/zoo.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <system_error>

#include "assay/error.hpp"
#include "model/format.hpp"
#include "model/zoo/networks.hpp"
#include "model/zoo/writer.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

// Part of the cache's path: a change of what is written must change it.
constexpr const char* kCacheFolder = "zoo/v2";

struct Entry {
  ZooNetwork network;
  Graph (*build)(const ZooRequest&);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries{
      {{"vgg19", "VGG19: 3x3 convolutions and three dense layers, no jumps", 143'667'240, false},
       [](const ZooRequest& r) { return vgg(r, false); }},
      {{"resnet50", "ResNet50 v1.5: bottleneck blocks, 16 additions", 25'557'032, false},
       [](const ZooRequest& r) { return resnet(r, false); }},
      {{"densenet201", "DenseNet201: dense blocks, 98 concatenations", 20'013'928, false},
       [](const ZooRequest& r) { return densenet(r, false); }},
      {{"efficientnetb0", "EfficientNetB0: depthwise convolutions, SiLU, squeeze-and-excite", 5'288'548, false},
       [](const ZooRequest& r) { return efficientnet(r, false); }},
      {{"tiny-vgg", "VGG's layers at 3x32x32: convolutions with biases, pooling, dense layers", 55'826, true},
       [](const ZooRequest& r) { return vgg(r, true); }},
      {{"tiny-resnet", "ResNet's layers at 3x32x32: strided and identity bottlenecks, additions", 13'906, true},
       [](const ZooRequest& r) { return resnet(r, true); }},
      {{"tiny-densenet", "DenseNet's layers at 3x32x32: pre-activation, concatenations, a transition", 15'546, true},
       [](const ZooRequest& r) { return densenet(r, true); }},
      {{"tiny-efficientnet", "EfficientNet's layers at 3x32x32: depthwise 3x3 and 5x5, SiLU, squeeze-and-excite",
        11'932, true},
       [](const ZooRequest& r) { return efficientnet(r, true); }},
      {{"tiny-mlp", "two dense layers in about 1 kB: what is left to measure is the cost of calling", 108, true},
       tiny_mlp},
      {{"tiny-multi", "two inputs of different shapes, three outputs", 306, true}, tiny_multi},
      {{"tiny-tokens", "int64 input_ids and attention_mask, free sequence axis, embedding", 1'940, true}, tiny_tokens},
      {{"tiny-uint8", "uint8 images, channels last, converted inside", 1'796, true}, tiny_uint8},
      {{"tiny-half", "float16 input, weights and output", 676, true}, tiny_half},
      {{"tiny-free-axes", "height and width are free, in the input and in one output", 256, true}, tiny_free_axes},
      {{"tiny-fixed-batch", "the batch is fixed at 4", 212, true}, tiny_fixed_batch},
      {{"tiny-no-batch", "no axis is a batch: one signal in, one answer out", 212, true}, tiny_no_batch},
      {{"tiny-dynamic-output", "the output's length depends on the input's values (NonZero)", 54, true},
       tiny_dynamic_output},
  };
  return kEntries;
}

const Entry* find(std::string_view name) {
  const auto& all = entries();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Entry& e) { return e.network.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// Levenshtein's.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// "; did you mean resnet50? The zoo has vgg19, …". Tiny ones are for tests: counted.
std::string proposal(std::string_view name) {
  const std::string_view typed = name.substr(0, 64);  // whatever was typed, little work
  std::vector<std::string> large;
  std::vector<std::string> near;
  for (const Entry& e : entries()) {
    const std::string& known = e.network.name;
    if (!e.network.tiny) large.push_back(known);
    const bool begins = typed.size() >= 3 && known.starts_with(typed);
    if (begins || distance(typed, known) <= std::max<std::size_t>(2, known.size() / 4)) near.push_back(known);
  }
  return fmt::format("{} The zoo has {} and {} tiny ones: assay models list",
                     near.empty() ? "." : fmt::format("; did you mean {}?", fmt::join(near, ", ")),
                     fmt::join(large, ", "), entries().size() - large.size());
}

std::string file_name(const ZooRequest& request) {
  return fmt::format("{}{}{}.onnx", request.name, request.logits ? "-logits" : "",
                     request.seed == 1 ? "" : fmt::format("-seed{}", request.seed));
}

}  // namespace

const std::vector<ZooNetwork>& zoo() {
  static const std::vector<ZooNetwork> kNetworks = [] {
    std::vector<ZooNetwork> networks;
    for (const Entry& e : entries()) networks.push_back(e.network);
    return networks;
  }();
  return kNetworks;
}

bool is_zoo_network(std::string_view name) { return find(name) != nullptr; }

std::filesystem::path write_zoo_network(const ZooRequest& request, const fs::path& folder) {
  const Entry* entry = find(request.name);
  if (entry == nullptr) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("there is no zoo network '{}'{}", request.name, proposal(request.name)));
  }
  const Graph graph = entry->build(request);
  if (graph.parameters() != entry->network.parameters) {
    throw Error(ErrorCode::kInternal, fmt::format("{} has {} parameters where {} are due", request.name,
                                                  graph.parameters(), entry->network.parameters));
  }
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorCode::kIo, fmt::format("cannot make the folder for {}: {}", request.name, failure.message()),
                folder.string());
  }
  const fs::path path = folder / file_name(request);
  write_model(graph, {request.seed, request.stop},
              fmt::format("{}. Seeded random weights (seed {}): for timing only, its answers mean nothing.",
                          entry->network.summary, request.seed),
              path);
  return path;
}

bool is_to_be_written(const std::string& model, const fs::path& cache_folder) {
  std::error_code ignored;
  return is_zoo_network(model) &&
         !fs::is_regular_file(cache_folder / kCacheFolder / file_name({.name = model}), ignored);
}

std::filesystem::path resolve_model(const std::string& model, const fs::path& cache_folder,
                                    const std::atomic<bool>* stop) {
  std::error_code ignored;
  if (is_zoo_network(model)) {
    const ZooRequest request{.name = model, .stop = stop};
    const fs::path folder = cache_folder / kCacheFolder;
    const fs::path cached = folder / file_name(request);
    return fs::is_regular_file(cached, ignored) ? cached : write_zoo_network(request, folder);
  }
  if (fs::is_directory(model, ignored)) {
    if (format_of(model) == Format::kSavedModel) return model;
    throw Error(ErrorCode::kInvalidArgument,
                "a model is a file, and this is a folder and no TensorFlow SavedModel (it has no saved_model.pb); name "
                "an .onnx file in it",
                model);
  }
  if (fs::exists(model, ignored)) return model;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("there is no file '{}', and no network of the zoo is called so{}", model, proposal(model)));
}

}  // namespace assay::model
