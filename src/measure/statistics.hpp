#pragma once
// Statistics of small samples. Pure: numbers in, numbers out. Every formula names its source.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace assay::measure {

/// A 95 % interval.
struct Interval {
  double low = 0, high = 0;
};

double mean(std::span<const double> values);                ///< values must not be empty
double standard_deviation(std::span<const double> values);  ///< n - 1 in the denominator; 0 for fewer than two
double median(std::span<const double> values);              ///< must not be empty

/// The q-quantile (0 < q < 1) as an order statistic: the smallest value that at least a share q does not exceed
/// (type 1 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996). `sorted` must not be empty.
double quantile_of_sorted(std::span<const double> sorted, double q);

/// Observations below which the q-quantile has no two-sided 95 % bound: min(q, 1-q)^n must be at most 2.5 % on the
/// nearer side; p50 needs 6, p95 72, p99 368.
std::int64_t needed_for_quantile(double q);

/// Distribution-free interval of the q-quantile from order statistics, at most 2.5 % outside on either side (binomial;
/// David and Nagaraja, Order Statistics, 3rd ed., section 7.1). Nothing where there are too few values.
std::optional<Interval> quantile_interval(std::span<const double> sorted, double q);

/// Student's t interval of the mean; nothing for fewer than two values.
std::optional<Interval> t_interval(std::span<const double> values);
/// The 97.5 % point of Student's t.
double t_critical(std::int64_t degrees_of_freedom);

/// Bias-corrected and accelerated bootstrap interval of the mean (Efron, Better Bootstrap Confidence Intervals, JASA
/// 1987), 2000 seeded resamples. Series of more than 200 values are first reduced to 200 means of consecutive ones,
/// which also tames autocorrelation. Nothing for fewer than five values.
std::optional<Interval> bootstrap_mean(std::span<const double> values, std::uint64_t seed);

/// Means of `batches` consecutive groups of equal size (the first ones; up to batches - 1 values at the end are left
/// out): Conway, Some Tactical Problems in Digital Simulation (1963).
std::vector<double> batch_means(std::span<const double> values, std::size_t batches);

/// P(X <= k) of a binomial with n trials of probability p.
double binomial_cdf(std::int64_t k, std::int64_t n, double p);

/// Percentage points and the distribution function of the standard normal.
double normal_cdf(double z);
double normal_quantile(double p);

}  // namespace assay::measure
