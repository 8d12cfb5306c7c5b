#include <fmt/format.h>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_start(const Observations& o) {
  Metric metric = over_processes(o, "start", "ms", "start", kMillisecond, "not measured in this campaign");
  const std::vector<double> together = pooled(o, "start.together");
  if (metric.value && !together.empty()) {
    add_remark(metric, fmt::format("{} at once: {:.1f} ms each", together.size(), mean(together) / kMillisecond));
  }
  return {metric};
}

}  // namespace assay::measure
