#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "model/zoo/moments.hpp"
#include "model/zoo/random.hpp"

namespace assay::model {

/// How the weights of a convolution or dense layer are made, row by row ([rows][inputs][taps]), so that no tensor need
/// lie in memory whole.
///
/// A row is random, made orthogonal to its inputs' foreseen means (tap by tap, so also where padding cuts taps off),
/// and scaled so that the outcome's variance is what `deviation` says. Both matter in deep random networks: what all
/// inputs have in common would else outgrow, layer by layer, what tells them apart, and every input would get one
/// answer.
struct WeightRows {
  std::int64_t rows = 0;
  std::int64_t inputs = 0;              ///< channels that a row sees
  std::int64_t taps = 1;                ///< positions of the kernel
  std::shared_ptr<const Moments> seen;  ///< of every input channel
  std::vector<double> deviation;        ///< of each row's outcome
  bool depthwise = false;               ///< row r sees channel r alone
  std::vector<double> through;          ///< of each row's outcome, what the inputs' means make of it; empty: nothing

  [[nodiscard]] std::int64_t size() const { return rows * inputs * taps; }
};

/// How much of a channel's mean, in units of deviations, a depthwise row lets through. At 1 and above what all
/// positions have in common would grow from block to block.
inline constexpr double kDepthwiseThrough = 0.4;

/// Calls `sink` with one row after another.
void make_rows(const WeightRows& recipe, const RandomTensor& random,
               const std::function<void(std::span<const float>)>& sink);

/// The outcome's moments.
Moments foreseen(const WeightRows& recipe);

/// IEEE half precision, rounded to nearest even.
std::uint16_t half_from(float value);

}  // namespace assay::model
