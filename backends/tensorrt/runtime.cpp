#include "runtime.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "assay/backend_kit_framework.hpp"

namespace assay::tensorrt {
namespace {

constexpr const char* kOwnVariable = "ASSAY_TENSORRT_PATH";
constexpr std::array<const char*, 6> kFolders = {
    "lib/", "", "tensorrt_libs/", "lib64/", "lib/x86_64-linux-gnu/", "targets/x86_64-linux-gnu/lib/"};

/// The newest of `file` (a glob) in the folders where TensorRT's archives, packages and wheels have their libraries.
kit::FoundLibrary find_file(const kit::Host& host, const std::string& file) {
  std::vector<std::string> patterns;
  for (const char* folder : kFolders) patterns.push_back(folder + file);
  std::vector<const char*> c;
  for (const std::string& pattern : patterns) c.push_back(pattern.c_str());
  return kit::find_library(host, c);
}

std::string soname(const char* library) { return std::string(library) + ".so." + std::to_string(kHeaders.major); }

std::string none_found(const kit::Host& host) {
  std::string text = "TensorRT's library (" + soname("libnvinfer") + ") was not found; looked in";
  for (const auto& [folder, origin] : host.roots) text += " " + folder + " (" + origin + "),";
  if (host.roots.empty()) text += " no folder at all,";
  text.back() = '.';
  return text + " Install TensorRT " + std::to_string(kHeaders.major) + "." + std::to_string(kHeaders.minor) +
         " or a later " + std::to_string(kHeaders.major) + ", and set TENSORRT_ROOT or " + kOwnVariable +
         " to its folder.";
}

/// One of the right major version before any, which is then refused by what it says of itself; else what the loader
/// knows beyond the folders.
kit::FoundLibrary find_nvinfer(const kit::Host& host) {
  kit::FoundLibrary found = find_file(host, soname("libnvinfer") + "*");
  if (found.path.empty()) found = find_file(host, "libnvinfer.so.[0-9]*");
  if (!found.path.empty()) return found;
  void* handle = ::dlopen(soname("libnvinfer").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw kit::Failure(ASSAY_UNAVAILABLE, none_found(host));
  return {soname("libnvinfer"), "system"};
}

/// Kernels for the builder lie in libraries of their own, which it opens by name: from the same folder.
void tell_folder(kit::Symbols& symbols, const std::string& library) {
  bool (*set_path)(const char*) = nullptr;
  symbols.find("setInternalLibraryPath", set_path, false);
  const std::string folder = std::filesystem::path(library).parent_path().string();
  if (set_path == nullptr || folder.empty()) return;
  kit::Host host;
  host.roots.emplace_back(folder, "");
  static constexpr std::array<const char*, 1> kResource = {"libnvinfer_builder_resource*.so*"};
  if (!kit::find_library(host, kResource).path.empty()) set_path((folder + "/").c_str());
}

/// Beside the library, then where the host says, then where the loader looks.
void open_parser(Runtime& runtime, const kit::Host& host) {
  kit::Host beside;
  beside.roots.emplace_back(std::filesystem::path(runtime.library).parent_path().string(), "");
  kit::Host anywhere = host;
  anywhere.library.clear();
  runtime.parser_library = find_file(beside, soname("libnvonnxparser") + "*").path;
  if (runtime.parser_library.empty())
    runtime.parser_library = find_file(anywhere, soname("libnvonnxparser") + "*").path;
  if (runtime.parser_library.empty()) runtime.parser_library = soname("libnvonnxparser");
  try {
    kit::Symbols symbols(kit::open_library(runtime.parser_library));
    symbols.find("createNvOnnxParser_INTERNAL", runtime.create_parser);
    if (symbols.missing().empty()) return;
    throw kit::Failure(ASSAY_UNAVAILABLE, "it lacks " + symbols.missing());
  } catch (const kit::Failure& e) {
    throw kit::Failure(ASSAY_UNAVAILABLE,
                       "TensorRT " + runtime.version + " (" + runtime.library +
                           ") is there, but not its ONNX parser, " + soname("libnvonnxparser") + ": " + e.what() +
                           ". Install it (the package libnvonnxparsers, or TensorRT's archive) beside the library.");
  }
}

Runtime open_at(const kit::FoundLibrary& found, const kit::Host& host) {
  Runtime runtime;
  runtime.library = found.path;
  runtime.origin = found.origin;
  kit::Symbols symbols(kit::open_library(found.path));
  std::int32_t (*get_version)() = nullptr;
  symbols.find("getInferLibVersion", get_version);
  symbols.find("createInferBuilder_INTERNAL", runtime.create_builder);
  symbols.find("createInferRuntime_INTERNAL", runtime.create_runtime);
  if (!symbols.missing().empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, found.path + " (" + found.origin + ") is not TensorRT's library: it lacks " +
                                              symbols.missing() + ". Name the folder of libnvinfer.so in " +
                                              kOwnVariable + ".");
  }
  const Version met = decode_version(get_version());
  check_version(met, kHeaders, found.path);
  runtime.version = to_string(met);
  tell_folder(symbols, found.path);
  open_parser(runtime, host);
  return runtime;
}

}  // namespace

kit::Host with_tensorrt_root(kit::Host host) {
  const char* root = std::getenv("TENSORRT_ROOT");
  const bool named =
      std::any_of(host.roots.begin(), host.roots.end(), [](const auto& place) { return place.second == kOwnVariable; });
  if (root == nullptr || *root == '\0' || named || !host.library.empty()) return host;
  host.roots.insert(host.roots.begin(), {root, "TENSORRT_ROOT"});
  return host;
}

Runtime load_runtime(const kit::Host& host) {
  const kit::Host places = with_tensorrt_root(host);
  return open_at(find_nvinfer(places), places);
}

const Runtime& open_runtime(const kit::Host& host) {
  static kit::OneLibrary<Runtime> one;
  const kit::Host places = with_tensorrt_root(host);
  const kit::FoundLibrary found = find_nvinfer(places);
  return one.get("TensorRT", found, [&] { return open_at(found, places); });
}

}  // namespace assay::tensorrt
