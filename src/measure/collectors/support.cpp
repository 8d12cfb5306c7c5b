#include "measure/collectors/support.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::measure {

std::string why_not_cached(const Case& c) {
  return c.cache ? "the cache gave nothing to load" : "the cache is off in this case";
}

std::vector<const ProcessSamples*> kept(const Observations& o) {
  std::vector<const ProcessSamples*> result;
  for (const ProcessSamples& p : o.processes) {
    if (p.kept) result.push_back(&p);
  }
  return result;
}

const std::vector<double>& series(const ProcessSamples& p, const std::string& name) {
  static const std::vector<double> none;
  const auto it = p.values.find(name);
  return it == p.values.end() ? none : it->second;
}

std::optional<double> scalar(const ProcessSamples& p, const std::string& name) {
  const std::vector<double>& values = series(p, name);
  if (values.empty()) return std::nullopt;
  return values.front();
}

std::vector<double> scalars(const Observations& o, const std::string& name) {
  std::vector<double> values;
  for (const ProcessSamples* p : kept(o)) {
    if (const auto value = scalar(*p, name)) values.push_back(*value);
  }
  return values;
}

std::vector<double> pooled(const Observations& o, const std::string& name) {
  std::vector<double> values;
  for (const ProcessSamples* p : kept(o)) {
    const std::vector<double>& one = series(*p, name);
    values.insert(values.end(), one.begin(), one.end());
  }
  return values;
}

Metric missing(std::string tag, std::string unit, std::string why) {
  return {.tag = std::move(tag),
          .unit = std::move(unit),
          .value = {},
          .low = {},
          .high = {},
          .n = 0,
          .remark = std::move(why)};
}

void add_remark(Metric& metric, const std::string& remark) {
  if (remark.empty()) return;
  metric.remark += (metric.remark.empty() ? "" : "; ") + remark;
}

void add_level_remark(Metric& metric, const Observations& o) {
  if (!o.effort.until_level) return;
  const std::vector<double> levels = scalars(o, "warm_up.level");
  const auto never = std::count(levels.begin(), levels.end(), 0.0);
  if (never == 0) return;
  add_remark(metric, fmt::format("the series never became level in {} of {} processes: it may still be changing", never,
                                 levels.size()));
}

std::optional<Interval> interval_over_processes(const std::vector<double>& values) {
  return values.size() < 10 ? t_interval(values) : bootstrap_mean(values, 1);
}

Metric over_processes(const Observations& o, const std::string& tag, const std::string& unit, const std::string& name,
                      double divisor, const std::string& why) {
  std::vector<double> values = scalars(o, name);
  Metric metric = missing(tag, unit, "");
  if (values.empty()) {
    metric.remark = why;
  } else {
    for (double& v : values) v /= divisor;
    metric.value = mean(values);
    metric.n = std::ssize(values);
    if (const auto interval = interval_over_processes(values)) {
      metric.low = std::max(0.0, interval->low);
      metric.high = interval->high;
    }
  }
  if (const auto it = o.texts.find("remark." + tag); it != o.texts.end()) add_remark(metric, it->second);
  return metric;
}

void widen(Metric& metric, const Observations& o, const std::vector<double>& by_process, std::size_t processes) {
  if (!metric.value) return;
  const double value = *metric.value;
  double low = metric.low.value_or(value);
  double high = metric.high.value_or(value);
  if (by_process.size() < 2) {
    low -= o.noise_floor * value;
    high += o.noise_floor * value;
    const std::string who =
        processes < 2 ? "one process" : fmt::format("{} processes with too few batches to be compared", processes);
    add_remark(metric, fmt::format("{}: interval widened by the noise floor of {:.1f} %", who, 100 * o.noise_floor));
  } else if (const auto between = interval_over_processes(by_process)) {
    const double centre = mean(by_process);
    low = std::min(low, value - (centre - between->low));
    high = std::max(high, value + (between->high - centre));
  }
  metric.low = std::max(0.0, low);
  metric.high = high;
}

}  // namespace assay::measure
