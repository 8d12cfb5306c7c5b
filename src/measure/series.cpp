#include "measure/series.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace assay::measure {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

/// Median absolute deviation, scaled to a normal's standard deviation (Rousseeuw and Croux, Alternatives to the Median
/// Absolute Deviation, JASA 1993).
double robust_deviation(std::span<const double> values, double centre) {
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double v : values) distances.push_back(std::abs(v - centre));
  return 1.4826 * median(distances);
}

}  // namespace

Throughput throughput(std::span<const double> finishes_ns, std::int64_t stride) {
  Throughput result;
  if (finishes_ns.size() < 2) return result;
  result.completions = (std::ssize(finishes_ns) - 1) * stride;
  result.seconds = (finishes_ns.back() - finishes_ns.front()) / kNanosecondsPerSecond;
  if (result.seconds <= 0) return Throughput{};
  result.per_second = static_cast<double>(result.completions) / result.seconds;
  std::vector<double> gaps;
  gaps.reserve(finishes_ns.size() - 1);
  for (std::size_t i = 1; i < finishes_ns.size(); ++i) gaps.push_back(finishes_ns[i] - finishes_ns[i - 1]);
  if (gaps.size() < 10) return result;
  const std::vector<double> groups = batch_means(gaps, std::min<std::size_t>(gaps.size() / 2, 20));
  const std::optional<Interval> gap = t_interval(groups);
  if (gap && gap->low > 0) {
    const double scale = static_cast<double>(stride) * kNanosecondsPerSecond;
    result.interval = Interval{scale / gap->high, scale / gap->low};
  }
  return result;
}

LittleCheck little_check(std::span<const double> finishes_ns, std::span<const double> latencies_ns, double begin,
                         double end, std::int64_t stride, double stated) {
  LittleCheck check{.stated = stated};
  double inside = 0;
  for (std::size_t i = 0; i < finishes_ns.size(); ++i) {
    const double from = std::max(finishes_ns[i] - latencies_ns[i], begin);
    inside += std::max(0.0, std::min(finishes_ns[i], end) - from);
  }
  if (end > begin) check.observed = inside * static_cast<double>(stride) / (end - begin);
  check.ok = std::abs(check.observed - stated) <= 0.05 * stated;
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
  const double explained = 2 * 1.2533 * scatter * std::sqrt(2.0 / static_cast<double>(length / 2));
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
  if (n == 0) return std::nullopt;
  return std::max(0.005, std::expm1(1.96 * std::sqrt(squares / static_cast<double>(n))));
}

bool flat_for_three_doublings(std::span<const double> values, double floor) {
  if (values.size() < 4) return false;
  const auto [low, high] = std::minmax_element(values.end() - 4, values.end());
  return *high > 0 && *low > 0 && (*high - *low) <= floor * *high;
}

}  // namespace assay::measure
