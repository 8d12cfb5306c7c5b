#include "execution_provider.hpp"

#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <thread>

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

}  // namespace

std::vector<std::string> available_providers(const Library& library) {
  char** names = nullptr;
  int count = 0;
  library.call<GetAvailableProviders>("listing the execution providers", &names, &count);
  std::vector<std::string> result(names, names + count);
  library.call<ReleaseAvailableProviders>("freeing the list of execution providers", names, count);
  return result;
}

std::vector<kit::Device> devices() { return {cpu_device()}; }

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::string append_provider(const Library& library, OrtSessionOptions* /*options*/, const std::string& device) {
  // The CPU provider is in every session: nothing to append.
  if (device == "cpu") return "CPUExecutionProvider";
  throw kit::Failure(ASSAY_UNAVAILABLE,
                     "device " + device + " was asked of ONNX Runtime " + library.version() + ", which has only: cpu");
}

}  // namespace assay::ort
