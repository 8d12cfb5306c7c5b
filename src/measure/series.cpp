#include "measure/series.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace assay::measure {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
/// Completions below which segments of the window say nothing of its scatter.
constexpr double kLeastForInterval = 4;
constexpr double kMostSegments = 20;
constexpr int kFewSegments = 10;
constexpr double kBatchesOfSegment = 2;  // one after another

/// Sum over batches of the part of their time under way that lies in [from, to].
double shares_inside(std::span<const double> finishes, std::span<const double> latencies, double from, double to) {
  double sum = 0;
  for (std::size_t i = 0; i < finishes.size(); ++i) {
    const double f = finishes[i];
    const double l = latencies[i];
    if (l <= 0) {
      sum += f > from && f <= to ? 1 : 0;
    } else {
      sum += std::max(0.0, std::min(f, to) - std::max(f - l, from)) / l;
    }
  }
  return sum;
}

/// Median absolute deviation, scaled to a normal's standard deviation (Rousseeuw and Croux, Alternatives to the Median
/// Absolute Deviation, JASA 1993).
double robust_deviation(std::span<const double> values, double centre) {
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double v : values) distances.push_back(std::abs(v - centre));
  return 1.4826 * median(distances);
}

double first_of(const std::map<std::string, std::vector<double>>& values, const char* name, double otherwise) {
  const auto it = values.find(name);
  return it == values.end() || it->second.empty() ? otherwise : it->second.front();
}

}  // namespace

Throughput throughput(std::span<const double> finishes_ns, std::span<const double> latencies_ns, double window_ns,
                      std::int64_t stride) {
  Throughput result;
  if (window_ns <= 0 || finishes_ns.size() != latencies_ns.size()) return result;
  const auto each = static_cast<double>(stride);
  const double shares = each * shares_inside(finishes_ns, latencies_ns, 0, window_ns);
  if (shares <= 0) return result;
  result.completions = shares;
  result.seconds = window_ns / kNanosecondsPerSecond;
  result.per_second = shares / result.seconds;
  if (shares < kLeastForInterval) return result;
  // A segment shorter than a few batches would repeat its neighbour's.
  const double lasts = mean(latencies_ns);
  const double fit = lasts > 0 ? window_ns / (kBatchesOfSegment * lasts) : kMostSegments;
  const auto segments = static_cast<int>(std::clamp(fit, 2.0, kMostSegments));
  std::vector<double> rates;
  for (int i = 0; i < segments; ++i) {
    const double from = window_ns * i / segments;
    const double to = window_ns * (i + 1) / segments;
    rates.push_back(each * shares_inside(finishes_ns, latencies_ns, from, to) * segments / result.seconds);
  }
  const auto over_segments = t_interval(rates);
  if (!over_segments) return result;
  double half = (over_segments->high - over_segments->low) / 2;
  if (segments < kFewSegments && latencies_ns.size() > 1) {
    // Two or three segments may agree by chance; the batches' own times scatter as well.
    const double error = standard_deviation(latencies_ns) / std::sqrt(static_cast<double>(latencies_ns.size()));
    half = std::max(half, result.per_second * t_critical(std::ssize(latencies_ns) - 1) * error / lasts);
  }
  result.interval = Interval{std::max(0.0, result.per_second - half), result.per_second + half};
  return result;
}

Throughput throughput(const std::map<std::string, std::vector<double>>& values) {
  const auto both = [&](const char* inside, const char* open) {
    std::vector<double> all;
    for (const char* name : {inside, open}) {
      if (const auto it = values.find(name); it != values.end())
        all.insert(all.end(), it->second.begin(), it->second.end());
    }
    return all;
  };
  return throughput(both("finish_ns", "open_finish_ns"), both("latency_ns", "open_latency_ns"),
                    first_of(values, "window", 0), static_cast<std::int64_t>(first_of(values, "stride", 1)));
}

std::optional<double> samples_per_second(const Case& c, const std::map<std::string, std::vector<double>>& values) {
  const double asked = static_cast<double>(std::max<std::int64_t>(c.batch_size, 1));
  const double batch = first_of(values, "batch_size", asked);
  if (c.goal == Goal::kThroughput) {
    const Throughput t = throughput(values);
    if (t.completions <= 0) return std::nullopt;
    return t.per_second * batch;
  }
  const auto latencies = values.find("latency_ns");
  if (latencies == values.end() || latencies->second.empty()) return std::nullopt;
  return 1e9 * batch / median(latencies->second);
}

LittleCheck little_check(const Throughput& x, std::span<const double> latencies_ns, double stated) {
  LittleCheck check{.stated = stated};
  if (latencies_ns.empty() || x.completions <= 0) return check;
  const double r = mean(latencies_ns);
  check.observed = x.per_second * r / kNanosecondsPerSecond;
  // The batches cut by the edges are in X and not in R: with few that scatter, the two means differ by chance.
  const double error = standard_deviation(latencies_ns) / std::sqrt(static_cast<double>(latencies_ns.size()));
  const double bound = std::max(0.05, r > 0 ? 2 * error / r : 0);
  check.ok = std::abs(check.observed - stated) <= bound * stated;
  return check;
}

bool is_level(std::span<const double> series) {
  if (series.size() < 8) return false;
  const std::size_t length = std::clamp<std::size_t>(series.size() / 2, 8, 64);
  const std::span<const double> last = series.last(length);
  const std::span<const double> first_half = last.first(length / 2);
  const std::span<const double> second_half = last.last(length / 2);
  const double before = median(first_half);
  const double after = median(second_half);
  const double scatter = std::max(robust_deviation(first_half, before), robust_deviation(second_half, after));
  // Standard error of a difference of two medians of h normal values: 1.2533 s sqrt(2 / h).
  const double explained = 2 * 1.2533 * scatter * std::sqrt(2.0 / static_cast<double>(first_half.size()));
  return std::abs(after - before) <= std::max(0.02 * std::abs(before), explained);
}

std::optional<double> noise_floor(std::span<const std::pair<double, double>> pairs) {
  double squares = 0;
  std::int64_t n = 0;
  for (const auto& [a, b] : pairs) {
    if (a <= 0 || b <= 0) continue;
    const double ratio = std::log(a / b);
    squares += ratio * ratio;
    ++n;
  }
  if (n < static_cast<std::int64_t>(kLeastPairs)) return std::nullopt;
  return std::max(0.005, std::expm1(t_critical(n) * std::sqrt(squares / static_cast<double>(n))));
}

bool flat_for_three_doublings(std::span<const double> values, double floor) {
  if (values.size() < 4) return false;
  const auto [low, high] = std::minmax_element(values.end() - 4, values.end());
  return *high > 0 && *low > 0 && (*high - *low) <= floor * *high;
}

}  // namespace assay::measure
