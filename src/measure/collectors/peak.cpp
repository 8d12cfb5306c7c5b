#include <fmt/format.h>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_peak(const Observations& o) {
  Metric metric = missing("peak.effective", "1", "");
  const std::vector<double> flops = scalars(o, "model.flops");
  const std::vector<double> peaks = scalars(o, "machine.fma_peak");
  if (o.test_case->device != kCpu) {
    metric.remark = "the peak of this device is not known";
  } else if (flops.empty()) {
    metric.remark = "the graph's FLOPs are not known: a shape or an operator is open";
  } else if (peaks.empty()) {
    metric.remark = "the machine's FMA peak was not measured";
  } else {
    const Metric rate = collect_throughput(o).front();
    if (!rate.value) {
      metric.remark = rate.remark;
      return {metric};
    }
    const double scale = flops.front() / mean(peaks);
    metric.value = *rate.value * scale;
    if (rate.low) metric.low = *rate.low * scale;
    if (rate.high) metric.high = *rate.high * scale;
    metric.n = rate.n;
    const auto kernel = o.texts.find("machine.fma_kernel");
    metric.remark = fmt::format("{:.2f} GFLOP a sample over a measured peak of {:.0f} GFLOP/s{}", flops.front() / 1e9,
                                mean(peaks) / 1e9, kernel == o.texts.end() ? "" : " (" + kernel->second + ")");
  }
  return {metric};
}

}  // namespace assay::measure
