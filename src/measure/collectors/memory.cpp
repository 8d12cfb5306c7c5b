#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_memory(const Observations& o) {
  const std::string why = kNotRead;
  std::vector<Metric> metrics = {
      over_processes(o, "memory.peak", "MiB", "memory.peak", kMebibyte, why),
      over_processes(o, "memory.resting", "MiB", "memory.resting", kMebibyte, why),
      over_processes(o, "memory.device", "MiB", "memory.device", kMebibyte,
                     o.test_case->device == kCpu ? "the device is the CPU: its memory is the process's"
                                                 : "the device's memory could not be read"),
      over_processes(o, "memory.library", "MiB", "memory.library", kMebibyte, why),
      over_processes(o, "memory.model", "MiB", "memory.model", kMebibyte, why)};
  return metrics;
}

}  // namespace assay::measure
