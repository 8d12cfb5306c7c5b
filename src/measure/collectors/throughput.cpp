#include <fmt/format.h>

#include <cmath>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_throughput(const Observations& o) {
  if (o.test_case->goal != Goal::kThroughput) {
    return {missing("throughput", "1/s", kNotForThroughput)};
  }
  Metric metric = missing("throughput", "1/s", "");
  std::vector<double> by_process;
  double completions = 0;
  for (const ProcessSamples* p : kept(o)) {
    const Throughput t = throughput(p->values);
    if (t.completions <= 0) continue;
    const double samples = scalar(*p, "batch_size").value_or(1);
    by_process.push_back(t.per_second * samples);
    completions += t.completions;
    if (t.interval) {  // of the last process; counts only where it is the only one
      metric.low = t.interval->low * samples;
      metric.high = t.interval->high * samples;
    }
  }
  if (by_process.empty()) {
    metric.remark = "no batch was done inside a window";
    return {metric};
  }
  metric.n = std::llround(completions);
  metric.value = mean(by_process);
  if (by_process.size() > 1) metric.low = metric.high = std::nullopt;
  if (by_process.size() == 1 && !metric.low)
    add_remark(metric, "fewer than four completions: their scatter is not in the interval");
  widen(metric, o, by_process, by_process.size());
  const std::vector<double> outstanding = scalars(o, "in_flight");
  if (!outstanding.empty()) add_remark(metric, fmt::format("{:.0f} batches outstanding", outstanding.front()));
  add_level_remark(metric, o);
  for (const char* text : {"remark.throughput", "input.remark"}) {
    if (const auto it = o.texts.find(text); it != o.texts.end()) add_remark(metric, it->second);
  }
  return {metric};
}

}  // namespace assay::measure
