#include "measure/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

namespace assay::measure {
namespace {

constexpr double kTail = 0.025;
constexpr std::size_t kBootstrapLength = 200;
constexpr int kResamples = 2000;

std::vector<double> sorted_copy(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

/// Continued fraction of the incomplete beta function (Lentz's method; Press et al., Numerical Recipes, section 6.4).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double h = d;
  for (int m = 1; m <= 300; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = 1 + even / c;
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = 1 + odd / c;
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-14) break;
  }
  return h;
}

/// Regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/// Acceleration of the BCa interval by the jackknife; for a mean, the jackknife means differ from the mean by
/// (mean - x_i) / (n - 1).
double acceleration_of_mean(std::span<const double> values, double centre) {
  double cubes = 0;
  double squares = 0;
  for (const double v : values) {
    const double d = v - centre;  // sign: mean of jackknife means, less one of them
    cubes += d * d * d;
    squares += d * d;
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

std::vector<double> resampled_means(std::span<const double> values, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<double> means(kResamples);
  for (double& m : means) {
    double sum = 0;
    // Not uniform_int_distribution: its results differ between standard libraries.
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[generator() % values.size()];
    m = sum / static_cast<double>(values.size());
  }
  std::sort(means.begin(), means.end());
  return means;
}

}  // namespace

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double centre = mean(values);
  double squares = 0;
  for (const double v : values) squares += (v - centre) * (v - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double median(std::span<const double> values) {
  const std::vector<double> sorted = sorted_copy(values);
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double quantile_of_sorted(std::span<const double> sorted, double q) {
  const auto n = static_cast<double>(sorted.size());
  // The product of a decimal fraction and n may lie a rounding error above a whole number.
  const auto rank = static_cast<std::int64_t>(std::ceil(q * n - 1e-9));
  return sorted[static_cast<std::size_t>(std::clamp<std::int64_t>(rank - 1, 0, std::ssize(sorted) - 1))];
}

std::int64_t needed_for_quantile(double q) {
  return static_cast<std::int64_t>(std::ceil(std::log(kTail) / std::log(std::max(q, 1 - q)) - 1e-9));
}

std::optional<Interval> quantile_interval(std::span<const double> sorted, double q) {
  const std::int64_t n = std::ssize(sorted);
  if (n < needed_for_quantile(q)) return std::nullopt;
  // X_(l) is above the quantile with P(B < l) and X_(u) below it with P(B >= u), B binomial(n, q). Largest l, smallest
  // u.
  std::int64_t low = static_cast<std::int64_t>(q * static_cast<double>(n));
  while (low > 0 && binomial_cdf(low - 1, n, q) > kTail) --low;
  std::int64_t high = static_cast<std::int64_t>(q * static_cast<double>(n)) + 1;
  while (high < n && 1 - binomial_cdf(high - 1, n, q) > kTail) ++high;
  if (low < 1) return std::nullopt;
  return Interval{sorted[static_cast<std::size_t>(low - 1)], sorted[static_cast<std::size_t>(high - 1)]};
}

double t_critical(std::int64_t degrees_of_freedom) {
  const auto v = static_cast<double>(degrees_of_freedom);
  // P(|T| > t) = I_{v / (v + t²)}(v / 2, 1 / 2); bisection: monotone, and exact enough in 80 steps.
  double low = 0;
  double high = 1000;
  for (int i = 0; i < 80; ++i) {
    const double t = (low + high) / 2;
    (incomplete_beta(v / 2, 0.5, v / (v + t * t)) > 2 * kTail ? low : high) = t;
  }
  return (low + high) / 2;
}

std::optional<Interval> t_interval(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double centre = mean(values);
  const double half =
      t_critical(std::ssize(values) - 1) * standard_deviation(values) / std::sqrt(static_cast<double>(values.size()));
  return Interval{centre - half, centre + half};
}

std::optional<Interval> bootstrap_mean(std::span<const double> values, std::uint64_t seed) {
  if (values.size() < 5) return std::nullopt;
  std::vector<double> blocks;
  if (values.size() > kBootstrapLength) {
    blocks = batch_means(values, kBootstrapLength);
    values = blocks;
  }
  const double centre = mean(values);
  const std::vector<double> means = resampled_means(values, seed);
  const auto below = std::lower_bound(means.begin(), means.end(), centre) - means.begin();
  const auto equal = std::upper_bound(means.begin(), means.end(), centre) - means.begin() - below;
  const double share = (static_cast<double>(below) + static_cast<double>(equal) / 2) / kResamples;
  const double bias = normal_quantile(std::clamp(share, 0.5 / kResamples, 1 - 0.5 / kResamples));
  const double a = acceleration_of_mean(values, centre);
  const auto end_at = [&](double z) {
    const double shifted = bias + (bias + z) / (1 - a * (bias + z));
    const double p = std::clamp(normal_cdf(shifted), 0.5 / kResamples, 1 - 0.5 / kResamples);
    return quantile_of_sorted(means, p);
  };
  const double z = normal_quantile(1 - kTail);
  return Interval{end_at(-z), end_at(z)};
}

std::vector<double> batch_means(std::span<const double> values, std::size_t batches) {
  const std::size_t size = batches == 0 ? 0 : values.size() / batches;
  std::vector<double> means;
  if (size == 0) return means;
  means.reserve(batches);
  for (std::size_t b = 0; b < batches; ++b) means.push_back(mean(values.subspan(b * size, size)));
  return means;
}

// 1 - I_p(k + 1, n - k).
double binomial_cdf(std::int64_t k, std::int64_t n, double p) {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return 1 - incomplete_beta(static_cast<double>(k + 1), static_cast<double>(n - k), p);
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) {
  double low = -10;
  double high = 10;
  for (int i = 0; i < 80; ++i) {
    const double z = (low + high) / 2;
    (normal_cdf(z) < p ? low : high) = z;
  }
  return (low + high) / 2;
}

}  // namespace assay::measure
