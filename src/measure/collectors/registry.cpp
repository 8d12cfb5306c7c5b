// The table of metrics: a new kind is one file and one line here.

#include <array>

#include "measure/collectors/kinds.hpp"

namespace assay::measure {

std::span<const CollectorEntry> collectors() {
  static constexpr std::array kTable = {
      CollectorEntry{"throughput", collect_throughput},
      CollectorEntry{"latency", collect_latency},
      CollectorEntry{"time", collect_times},
      CollectorEntry{"load", collect_load},
      CollectorEntry{"members", collect_members},
      CollectorEntry{"start", collect_start},
      CollectorEntry{"memory", collect_memory},
      CollectorEntry{"energy", collect_energy},
      CollectorEntry{"cpu", collect_cpu},
      CollectorEntry{"parity", collect_parity},
      CollectorEntry{"peak", collect_peak},
  };
  return kTable;
}

std::vector<Metric> collect(const Observations& observations) {
  std::vector<Metric> metrics;
  for (const CollectorEntry& entry : collectors()) {
    for (Metric& metric : entry.collect(observations)) metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace assay::measure
