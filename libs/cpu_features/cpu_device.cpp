#include "cpu_features/cpu_device.hpp"

#include <unistd.h>

namespace assay::cpu_features {

kit::Device cpu_device(const CpuFeatures& cpu) {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  kit::Device device{"cpu", (cpu.brand.empty() ? "CPU" : cpu.brand) + " (" + std::to_string(cores) + " cores)",
                     cpu.identity(), 0};
  if (pages > 0) {
    device.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  return device;
}

}  // namespace assay::cpu_features
