#include <algorithm>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_parity(const Observations& o) {
  const auto it = o.texts.find("parity");
  const std::string why = it == o.texts.end() ? "unverified: there was no reference" : it->second;
  std::vector<Metric> metrics = {over_processes(o, "parity.error", "1", "parity.error", 1, why),
                                 over_processes(o, "parity.top1", "1", "parity.top1", 1, why)};
  for (Metric& metric : metrics) {
    if (!metric.value) continue;
    // The same inputs in every process: the worst of them, and no interval.
    const std::vector<double> values = scalars(o, metric.tag);
    const bool larger_is_worse = metric.tag == "parity.error";
    for (const double v : values)
      metric.value = larger_is_worse ? std::max(*metric.value, v) : std::min(*metric.value, v);
    metric.low = metric.high = std::nullopt;
    add_remark(metric, why);
  }
  return metrics;
}

}  // namespace assay::measure
