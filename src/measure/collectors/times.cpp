#include <algorithm>
#include <array>
#include <string>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {
namespace {

/// Of each process, in ms.
std::vector<double> medians(const Observations& o, const std::string& name) {
  std::vector<double> result;
  for (const ProcessSamples* p : kept(o)) {
    if (const std::vector<double>& one = series(*p, name); !one.empty()) result.push_back(median(one) / kMillisecond);
  }
  return result;
}

}  // namespace

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
      const std::vector<double> by_process = medians(o, std::string(clock) + "_ns");
      std::sort(values.begin(), values.end());
      metric.value = median(values);
      metric.n = std::ssize(values);
      if (const auto interval = quantile_interval(values, 0.5)) {
        metric.low = interval->low;
        metric.high = interval->high;
      }
      metric.remark = "median per batch";
      widen(metric, o, by_process, by_process.size());
    }
    if (const auto it = o.texts.find("remark." + metric.tag); it != o.texts.end()) add_remark(metric, it->second);
    metrics.push_back(metric);
  }
  return metrics;
}

}  // namespace assay::measure
