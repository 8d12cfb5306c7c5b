#include "cuda_libraries.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "elf_needed.hpp"

namespace assay::ort {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProvider = "libonnxruntime_providers_cuda.so";
/// Opened by the provider itself when the first convolution asks for it, so that it is not among what its file needs.
constexpr const char* kCudnn = "libcudnn.so.9";
/// Used where they are there: by cuDNN to compile kernels.
constexpr std::array<const char*, 2> kWelcome = {"libnvrtc.so.13", "libnvrtc.so.12"};

/// Of NVIDIA's, but not the driver's (libcuda.so.1), which no wheel has.
bool is_toolkit_library(const std::string& name) {
  return (name.starts_with("libcu") || name.starts_with("libnv")) && !name.starts_with("libcuda.so");
}

/// "" where no root has it.
std::string path_in(const std::vector<kit::SearchRoot>& roots, const std::string& name) {
  kit::Host host;
  host.roots = roots;
  const std::string in_wheels = "nvidia/*/lib/" + name;
  const std::string below = "lib/" + name, below64 = "lib64/" + name;
  const std::array<const char*, 4> patterns = {in_wheels.c_str(), name.c_str(), below.c_str(), below64.c_str()};
  return kit::find_library(host, patterns).path;
}

bool loader_has(const std::string& name) { return ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr; }

std::string missing_text(const Library& library, const std::vector<kit::SearchRoot>& roots,
                         const std::string& missing) {
  std::string text = "ONNX Runtime " + library.version() + " in " + library.path() + " needs " + missing +
                     " to run on a GPU; neither the loader has it nor";
  for (const auto& [folder, origin] : roots) text += " " + folder + " (" + origin + "),";
  text.back() = '.';
  return text + " Run `assay setup onnxruntime-gpu`, which brings all of them";
}

}  // namespace

std::vector<kit::SearchRoot> cuda_roots(const Library& library, const kit::Host& host) {
  const fs::path folder = fs::path(library.path()).parent_path();
  std::vector<kit::SearchRoot> roots = {{folder.parent_path().parent_path().string(), "beside ONNX Runtime"},
                                        {folder.string(), "ONNX Runtime's folder"}};
  roots.insert(roots.end(), host.roots.begin(), host.roots.end());
  return roots;
}

std::vector<CudaLibrary> find_cuda_libraries(const Library& library, const std::vector<kit::SearchRoot>& roots) {
  const fs::path provider = fs::path(library.path()).parent_path() / kProvider;
  std::vector<std::string> names = needed_libraries(provider.string());
  if (names.empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, "ONNX Runtime " + library.version() + " in " + library.path() +
                                              " names CUDA among its providers, but " + provider.string() +
                                              " cannot be read: run `assay setup onnxruntime-gpu`");
  }
  std::erase_if(names, [](const std::string& name) { return !is_toolkit_library(name); });
  if (std::find(names.begin(), names.end(), kCudnn) == names.end()) names.emplace_back(kCudnn);
  std::vector<CudaLibrary> found;
  std::string missing;
  for (const std::string& name : names) {
    found.push_back({name, path_in(roots, name)});
    if (found.back().path.empty() && !loader_has(name)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) throw kit::Failure(ASSAY_UNAVAILABLE, missing_text(library, roots, missing));
  for (const char* name : kWelcome) {
    if (const std::string path = path_in(roots, name); !path.empty()) found.insert(found.begin(), {name, path});
  }
  return found;
}

std::string open_cuda_libraries(const std::vector<CudaLibrary>& libraries) {
  std::string version;
  // One may need another of them (cuBLAS needs cuBLASLt) that lies in a folder of its own: what fails is tried again
  // after the others.
  std::vector<CudaLibrary> left = libraries;
  for (std::size_t before = left.size() + 1; !left.empty() && left.size() < before;) {
    before = left.size();
    std::erase_if(left, [](const CudaLibrary& l) {
      return ::dlopen((l.path.empty() ? l.name : l.path).c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr;
    });
  }
  for (const CudaLibrary& l : left) kit::open_library(l.path.empty() ? l.name : l.path);  // throws the loader's reason
  void* cudnn = ::dlopen(kCudnn, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (cudnn == nullptr) return version;
  if (auto* get = reinterpret_cast<std::size_t (*)()>(::dlsym(cudnn, "cudnnGetVersion"))) {
    version = cudnn_version_text(get());
  }
  return version;
}

std::string cudnn_version_text(std::size_t version) {
  // Since version 9 the first number is in ten thousands, before in thousands.
  constexpr std::size_t kTenThousand = 10000, kThousand = 1000, kHundred = 100;
  const std::size_t unit = version >= kTenThousand ? kTenThousand : kThousand;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / kHundred) + "." +
         std::to_string(version % kHundred);
}

}  // namespace assay::ort
