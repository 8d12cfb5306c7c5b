#pragma once
// How long a node takes on one core, and by which method a convolution takes least: a model (see algorithm.cpp).

#include <optional>

#include "tuning.hpp"

namespace assay::compiler {

/// Of a node that computes a part of the batch at once, whose images lie in the nearest cache.
Cost cost_of(const Graph& graph, const Node& node, Share part, const Target& target, Math math);

/// A dense convolution by its definition, whose tiles are made of rows of so many pixels.
struct DirectProblem {
  std::int64_t pixels = 1, row = 1;  ///< of the whole output; of a row
  std::int64_t window = 1, channels = 1, outputs = 1;
};
/// By the best tile, or the best one of so many vectors.
Cost direct_cost(const DirectProblem& problem, const Target& target, std::int64_t vectors = 0);

/// What holds for the level of memory that holds so many bytes: a core's second cache, its part of the third, or none.
double at_level(double bytes, const Target& target, double near, double far, double memory);
/// Cycles for which a byte of so many is waited for beside computing.
double wait_of_byte(double bytes, const Target& target);

/// Cycles that are won where a convolution of one pixel is computed by bands of rows with the depthwise one that takes
/// it: its answer is not waited for, but its tiles are of single rows, and rows that two bands share are moved. None
/// where a cache cannot hold what one row of the answer takes.
double gain_of_bands(const Graph& graph, const Node& dense, const Node& depthwise, const Target& target);

/// Cycles that are won where factors of a convolution's input channels are multiplied into the weights, for each
/// sample, and not into the images; a window of one pixel.
double gain_of_scaled_weights(const Graph& graph, const Node& conv, const Target& target);

/// Ways of computing a convolution that is_dense which may be the fastest: the model's choice, then others by its
/// order.
std::vector<ConvSchedule> schedules_of(const Graph& graph, const Node& node, const Target& target, Math math);

/// Winograd's method where it should take less time than the definition, or was measured to. Of a convolution that
/// is_dense. The weights are packed another way than they are already where that takes 5 % less, and may be.
std::optional<WinogradPlan> winograd_of(const Graph& graph, const Node& node, const Target& target, Kept& kept);

/// The tile of one by its definition; the weights likewise.
Tile direct_tile(const DirectProblem& problem, const Constant& weights, const WeightView& view, const Target& target,
                 Kept& kept);

}  // namespace assay::compiler
