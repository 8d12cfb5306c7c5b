#include <algorithm>
#include <array>
#include <string>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_times(const Observations& o) {
  static constexpr std::array kClocks = {"queue", "fill", "copy_in", "compute", "copy_out", "drain"};
  std::vector<Metric> metrics;
  for (const char* clock : kClocks) {
    Metric metric = missing(std::string("time.") + clock, "ms", "");
    std::vector<double> values = pooled(o, std::string(clock) + "_ns");
    if (values.empty()) {
      metric.remark = "no batch was timed";
    } else {
      for (double& v : values) v /= kMillisecond;
      std::sort(values.begin(), values.end());
      metric.value = median(values);
      metric.n = std::ssize(values);
      if (const auto interval = quantile_interval(values, 0.5)) {
        metric.low = interval->low;
        metric.high = interval->high;
      }
      metric.remark = "median per batch";
    }
    if (const auto it = o.texts.find("remark." + metric.tag); it != o.texts.end()) add_remark(metric, it->second);
    metrics.push_back(metric);
  }
  return metrics;
}

}  // namespace assay::measure
