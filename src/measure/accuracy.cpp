#include "measure/accuracy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace assay::measure {
namespace {

constexpr double kLevel = 0.05;

bool is_distribution(std::span<const float> row) {
  constexpr double kSlack = 1e-3;  // float16 and sums of thousands of classes
  double sum = 0;
  for (const float v : row) {
    if (v < -kSlack || v > 1 + kSlack) return false;
    sum += static_cast<double>(v);
  }
  return std::abs(sum - 1) <= kSlack;
}

std::int64_t rank_of(std::span<const double> row, std::size_t label) {
  const double own = row[label];
  std::int64_t larger = 0;
  for (std::size_t c = 0; c < row.size(); ++c) larger += row[c] > own || (row[c] == own && c < label) ? 1 : 0;
  return larger;
}

}  // namespace

bool are_probabilities(const Scores& scores) {
  for (std::size_t s = 0; s < static_cast<std::size_t>(scores.samples()); ++s) {
    if (!is_distribution(scores.row(s))) return false;
  }
  return true;
}

Interval Share::interval() const {
  if (n == 0) return {0, 1};
  const double z = normal_quantile(1 - kLevel / 2);
  const auto count = static_cast<double>(n);
  const double share = value();
  const double centre = share + z * z / (2 * count);
  const double half = z * std::sqrt(share * (1 - share) / count + z * z / (4 * count * count));
  const double whole = 1 + z * z / count;
  // At the ends the formula gives 0 and 1 but for rounding.
  return {hits == 0 ? 0 : (centre - half) / whole, hits == n ? 1 : (centre + half) / whole};
}

Scores votes(const Scores& scores) {
  Scores result{scores.classes, std::vector<float>(scores.values.size(), 0.0F)};
  for (std::size_t s = 0; s < static_cast<std::size_t>(scores.samples()); ++s) {
    const std::span<const float> row = scores.row(s);
    const auto first = s * row.size();
    result.values[first + static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin())] = 1;
  }
  return result;
}

double Paired::p() const {
  const std::int64_t n = only_first + only_second;
  return std::min(1.0, 2 * binomial_cdf(std::min(only_first, only_second), n, 0.5));
}

bool Paired::first_is_better() const { return only_first > only_second && p() < kLevel; }
bool Paired::second_is_better() const { return only_second > only_first && p() < kLevel; }

Samples all_samples(std::size_t n) {
  Samples samples(n);
  std::iota(samples.begin(), samples.end(), std::size_t{0});
  return samples;
}

std::vector<std::int64_t> ranks(std::span<const Scores> members, std::span<const double> weights,
                                std::span<const std::int64_t> labels, const Samples& samples) {
  std::vector<std::int64_t> result;
  result.reserve(samples.size());
  std::vector<double> row(static_cast<std::size_t>(members.front().classes));
  for (const std::size_t sample : samples) {
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::span<const float> values = members[m].row(sample);
      for (std::size_t c = 0; c < row.size(); ++c) row[c] += weights[m] * static_cast<double>(values[c]);
    }
    result.push_back(rank_of(row, static_cast<std::size_t>(labels[sample])));
  }
  return result;
}

Share top(std::span<const std::int64_t> ranks, std::int64_t k) {
  return {std::count_if(ranks.begin(), ranks.end(), [k](std::int64_t rank) { return rank < k; }), std::ssize(ranks)};
}

Paired paired(std::span<const std::int64_t> first, std::span<const std::int64_t> second) {
  Paired result;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] == 0 && second[i] != 0) ++result.only_first;
    if (first[i] != 0 && second[i] == 0) ++result.only_second;
  }
  return result;
}

}  // namespace assay::measure
