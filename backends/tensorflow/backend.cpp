#include "backend.hpp"

#include <unistd.h>

#include "cpu_features/cpu_features.hpp"
#include "runtime.hpp"
#include "session.hpp"
#include "settings.hpp"

namespace assay::tensorflow {

kit::Probe TensorFlowBackend::probe(const kit::Host& host) {
  kit::Probe probe;
  const cpu_features::CpuFeatures cpu = cpu_features::decode(cpu_features::read_cpu_registers());
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  kit::Device device{"cpu", (cpu.brand.empty() ? "CPU" : cpu.brand) + " (" + std::to_string(cores) + " cores)",
                     cpu.identity(), 0};
  if (pages > 0) {
    device.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  try {
    const Runtime& runtime = open_runtime(host);
    probe.available = true;
    probe.version = runtime.version;
    probe.library = runtime.library;
    probe.origin = runtime.origin;
    probe.devices.push_back(std::move(device));
  } catch (const kit::Failure& e) {
    if (e.code() != ASSAY_UNAVAILABLE) throw;
    probe.reason = e.what();
  }
  return probe;
}

std::span<const assay_option> TensorFlowBackend::options() { return option_table(); }

std::unique_ptr<kit::Session> TensorFlowBackend::open(const kit::OpenRequest& request) {
  return std::make_unique<TfSession>(open_runtime(request.host), request);
}

}  // namespace assay::tensorflow
