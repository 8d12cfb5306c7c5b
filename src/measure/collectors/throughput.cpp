#include <fmt/format.h>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_throughput(const Observations& o) {
  if (o.test_case->goal != Goal::kThroughput) {
    return {missing("throughput", "1/s", "this case is for latency; throughput is an experiment of its own")};
  }
  Metric metric = missing("throughput", "1/s", "");
  std::vector<double> by_process;
  for (const ProcessSamples* p : kept(o)) {
    const auto stride = static_cast<std::int64_t>(scalar(*p, "stride").value_or(1));
    const Throughput t = throughput(series(*p, "finish_ns"), stride);
    if (t.completions == 0) continue;
    const double samples = scalar(*p, "batch_size").value_or(1);
    by_process.push_back(t.per_second * samples);
    metric.n += t.completions;
    if (t.interval) {  // of the last process; counts only where it is the only one
      metric.low = t.interval->low * samples;
      metric.high = t.interval->high * samples;
    }
  }
  if (by_process.empty()) {
    metric.remark = "needs two completions in a window, had fewer";
    return {metric};
  }
  metric.value = mean(by_process);
  if (by_process.size() > 1) metric.low = metric.high = std::nullopt;
  if (by_process.size() == 1 && !metric.low)
    add_remark(metric, "fewer than ten completions: their scatter is not in the interval");
  widen(metric, o, by_process);
  const std::vector<double> outstanding = scalars(o, "in_flight");
  if (!outstanding.empty()) add_remark(metric, fmt::format("{:.0f} batches outstanding", outstanding.front()));
  for (const char* text : {"remark.throughput", "input.remark"}) {
    if (const auto it = o.texts.find(text); it != o.texts.end()) add_remark(metric, it->second);
  }
  return {metric};
}

}  // namespace assay::measure
