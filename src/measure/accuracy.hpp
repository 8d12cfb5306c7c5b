#pragma once
// How often classifiers are right, alone and together, and whether a difference can be shown. Pure.

#include <cstdint>
#include <span>
#include <vector>

#include "measure/statistics.hpp"

namespace assay::measure {

/// What one classifier answered: for each sample a row of a value a class, all finite.
struct Scores {
  std::int64_t classes = 0;
  std::vector<float> values;
  [[nodiscard]] std::int64_t samples() const { return classes == 0 ? 0 : std::ssize(values) / classes; }
  [[nodiscard]] std::span<const float> row(std::size_t sample) const {
    const auto length = static_cast<std::size_t>(classes);
    return std::span(values).subspan(sample * length, length);
  }
};

/// Every row is a distribution: values of 0 to 1 whose sum is 1 within a thousandth.
bool are_probabilities(const Scores& scores);

/// A share of n observations with its 95 % interval: Wilson's score interval without continuity correction (Probable
/// Inference, the Law of Succession, and Statistical Inference, JASA 1927).
struct Share {
  std::int64_t hits = 0, n = 0;
  [[nodiscard]] double value() const { return n == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(n); }
  [[nodiscard]] Interval interval() const;  ///< [0, 1] for n = 0: nothing is known
};

/// Observations of which two classifiers are not both right or both wrong, and how likely so uneven a split is where
/// neither is better: the exact, two-sided test (McNemar, Note on the Sampling Error of the Difference Between
/// Correlated Proportions or Percentages, Psychometrika 1947; the binomial in place of chi-squared).
struct Paired {
  std::int64_t only_first = 0, only_second = 0;
  [[nodiscard]] double p() const;
  /// At the 5 % level, in favour of the first.
  [[nodiscard]] bool first_is_better() const;
  [[nodiscard]] bool second_is_better() const;
};

/// 1 where a row's largest value is (the first of equals), 0 elsewhere: what its classifier votes for.
Scores votes(const Scores& scores);

/// Numbers of samples.
using Samples = std::vector<std::size_t>;
/// 0 to n - 1.
Samples all_samples(std::size_t n);

/// For each of `samples`, the place of its label among the classes by Σ wᵢ yᵢ over the members: 0 is the largest. Of
/// equal values the first class is the larger one, as argmax has it; of votes under weights in whole parts
/// (weights.hpp) these are found exactly. Labels are classes of the members.
std::vector<std::int64_t> ranks(std::span<const Scores> members, std::span<const double> weights,
                                std::span<const std::int64_t> labels, const Samples& samples);

/// The share of ranks below k: k = 1 is top-1.
Share top(std::span<const std::int64_t> ranks, std::int64_t k);
/// Of the top-1 answers of two classifiers to the same samples.
Paired paired(std::span<const std::int64_t> first, std::span<const std::int64_t> second);

}  // namespace assay::measure
