#include "execution_provider.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "cuda_libraries.hpp"
#include "ort_options.hpp"

namespace assay::ort {
namespace {

std::string cpuinfo_field(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const auto colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

kit::Device cpu_device() {
  const int cpus = usable_cpus();
  std::string model = cpuinfo_field("model name");
  if (model.empty()) model = "CPU";
  kit::Device device;
  device.name = "cpu";
  device.description = model + " (" + std::to_string(cpus) + (cpus == 1 ? " core)" : " cores)");
  device.identity = cpuinfo_field("vendor_id") + " " + model + " " + cpuinfo_field("flags");
  device.memory_bytes =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  return device;
}

std::string without_cuda(const Library& library, const std::vector<std::string>& providers) {
  std::string names;
  for (const std::string& name : providers) names += (names.empty() ? "" : ", ") + name;
  return "ONNX Runtime " + library.version() + " in " + library.path() + " (" + library.origin() +
         ") was built without CUDA (its providers are " + names +
         "). Run `assay setup onnxruntime-gpu`, or name the folder of a build with CUDA in ASSAY_ONNXRUNTIME_PATH";
}

}  // namespace

std::vector<std::string> available_providers(const Library& library) {
  char** names = nullptr;
  int count = 0;
  library.call<GetAvailableProviders>("listing the execution providers", &names, &count);
  std::vector<std::string> result(names, names + count);
  library.call<ReleaseAvailableProviders>("freeing the list of execution providers", names, count);
  return result;
}

const nvidia::CudaRuntime& cuda_of(const Library& library, const kit::Host& host) {
  const std::vector<std::string> providers = available_providers(library);
  if (std::find(providers.begin(), providers.end(), kCudaProvider) == providers.end()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, without_cuda(library, providers));
  }
  if (!library.has(kApiPlacement)) {
    throw kit::Failure(ASSAY_UNAVAILABLE, "ONNX Runtime " + library.version() + " in " + library.path() +
                                              " does not tell which of a model's nodes run on a GPU: 1." +
                                              std::to_string(kApiPlacement) +
                                              ".0 or newer does. Run `assay setup onnxruntime-gpu`");
  }
  try {
    return nvidia::CudaRuntime::open(cuda_roots(library, host));
  } catch (const kit::Failure& failure) {
    throw kit::Failure(failure.code(), std::string(failure.what()) + " Or run `assay setup onnxruntime-gpu`.");
  }
}

std::vector<kit::Device> devices(const Library& library, const kit::Host& host, std::string& absent) {
  std::vector<kit::Device> all = {cpu_device()};
  try {
    std::vector<kit::Device> gpus = cuda_of(library, host).devices();
    if (!gpus.empty()) find_cuda_libraries(library, cuda_roots(library, host));  // throws where some are missing
    all.insert(all.end(), gpus.begin(), gpus.end());
    if (gpus.empty()) absent = "no GPU: CUDA's driver has none";
  } catch (const kit::Failure& failure) {
    if (failure.code() != ASSAY_UNAVAILABLE) throw;
    absent = std::string("no GPU: ") + failure.what();
  }
  return all;
}

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

void check_device(const Library& library, const std::string& device) {
  if (device == "cpu" || is_gpu(device)) return;
  throw kit::Failure(ASSAY_UNAVAILABLE, "device " + device + " was asked of ONNX Runtime " + library.version() +
                                            ", which knows cpu and gpu:N here");
}

}  // namespace assay::ort
