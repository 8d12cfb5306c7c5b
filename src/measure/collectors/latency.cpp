#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {
namespace {

std::vector<double> sorted_milliseconds(std::vector<double> values) {
  for (double& v : values) v /= kMillisecond;
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<std::vector<double>> per_process(const Observations& o) {
  std::vector<std::vector<double>> all;
  for (const ProcessSamples* p : kept(o)) {
    const std::vector<double>& one = series(*p, "latency_ns");
    if (!one.empty()) all.push_back(sorted_milliseconds(one));
  }
  return all;
}

Metric percentile(const Observations& o, const std::vector<double>& all,
                  const std::vector<std::vector<double>>& processes, const char* tag, double q) {
  Metric metric = missing(tag, "ms", "");
  metric.n = std::ssize(all);
  const std::int64_t needed = needed_for_quantile(q);
  if (metric.n < needed) {
    metric.remark = fmt::format("needs {}, had {}", needed, metric.n);
    // A median of few is still their middle, with no bound; a high percentile of few would be their largest.
    if (q != 0.5 || all.empty()) return metric;
    metric.value = median(all);
    metric.remark += " for an interval of its own";
    // No bound is no certainty: what was seen is the least that the interval must hold.
    metric.low = all.front();
    metric.high = all.back();
    widen(metric, o, {}, processes.size());
    return metric;
  }
  metric.value = quantile_of_sorted(all, q);
  if (const auto interval = quantile_interval(all, q)) {
    metric.low = interval->low;
    metric.high = interval->high;
  }
  std::vector<double> by_process;
  for (const std::vector<double>& one : processes) {
    if (static_cast<double>(one.size()) * std::min(q, 1 - q) >= 1) by_process.push_back(quantile_of_sorted(one, q));
  }
  widen(metric, o, by_process, processes.size());
  return metric;
}

Metric mean_latency(const Observations& o, const std::vector<double>& in_order,
                    const std::vector<std::vector<double>>& processes) {
  Metric metric = missing("latency.mean", "ms", "");
  metric.n = std::ssize(in_order);
  metric.value = mean(in_order);
  if (const auto interval = bootstrap_mean(in_order, 1)) {
    metric.low = interval->low;
    metric.high = interval->high;
  }
  std::vector<double> by_process;
  by_process.reserve(processes.size());
  for (const std::vector<double>& one : processes) by_process.push_back(mean(one));
  widen(metric, o, by_process, processes.size());
  return metric;
}

}  // namespace

std::vector<Metric> collect_latency(const Observations& o) {
  static constexpr std::array<std::pair<const char*, double>, 4> kPercentiles = {
      {{"latency.p50", 0.5}, {"latency.p90", 0.9}, {"latency.p95", 0.95}, {"latency.p99", 0.99}}};
  std::vector<double> in_order = pooled(o, "latency_ns");
  if (in_order.empty()) {
    std::vector<Metric> none;
    for (const auto& [tag, q] : kPercentiles) none.push_back(missing(tag, "ms", "no batch was timed"));
    for (const char* tag : {"latency.max", "latency.mean"}) none.push_back(missing(tag, "ms", "no batch was timed"));
    return none;
  }
  const std::vector<double> all = sorted_milliseconds(in_order);
  for (double& v : in_order) v /= kMillisecond;
  const auto processes = per_process(o);
  std::vector<Metric> metrics;
  for (const auto& [tag, q] : kPercentiles) metrics.push_back(percentile(o, all, processes, tag, q));
  Metric largest = missing("latency.max", "ms", "the largest seen; a longer run sees larger ones");
  largest.value = all.back();
  largest.n = std::ssize(all);
  metrics.push_back(largest);
  metrics.push_back(mean_latency(o, in_order, processes));
  const std::vector<double> outstanding = scalars(o, "in_flight");
  const std::vector<double> strides = scalars(o, "stride");
  for (Metric& metric : metrics) {
    add_level_remark(metric, o);
    if (!outstanding.empty()) add_remark(metric, fmt::format("{:.0f} outstanding", outstanding.front()));
    for (const char* text : {"remark.latency", "input.remark"}) {
      if (const auto it = o.texts.find(text); it != o.texts.end()) add_remark(metric, it->second);
    }
    if (!strides.empty() && strides.front() > 1) {
      add_remark(metric, fmt::format("one batch in {:.0f} was kept", strides.front()));
    }
  }
  return metrics;
}

}  // namespace assay::measure
