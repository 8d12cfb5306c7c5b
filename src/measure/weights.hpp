#pragma once
// Weights for an ensemble's members: found on one half of the samples, judged on the other. Pure.

#include <cstdint>
#include <span>
#include <vector>

#include "measure/accuracy.hpp"

namespace assay::measure {

/// The samples in two: of each class half and half, an odd one to the smaller half. Which, and of which class the odd
/// ones are given away first, is drawn by the seed.
struct Halves {
  Samples search, judge;
};
Halves halves(std::span<const std::int64_t> labels, std::uint64_t seed);

/// Weights in the smallest whole parts, (5, 1, 4, 2), none negative, under which Σ wᵢ yᵢ is right about most of
/// `samples`; among equals those of the largest mean log-probability of the label (rows that are no probabilities
/// become some by softmax); among equals of that, equal weights. Up to four members: every point of the simplex in
/// steps of a twelfth, of which equal weights of two, three and four are one. More: coordinate ascent from equal
/// weights.
std::vector<double> search_weights(std::span<const Scores> members, std::span<const std::int64_t> labels,
                                   const Samples& samples);

/// The same ratios, their sum 1. Sums of them are rounded, and votes that are even no longer are.
std::vector<double> normalised(std::span<const double> weights);

}  // namespace assay::measure
