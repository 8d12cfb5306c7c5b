#pragma once
// How long a node takes on one core, and by which method a convolution takes least: a model (see algorithm.cpp).

#include <optional>

#include "tuning.hpp"

namespace assay::compiler {

/// Of a node that computes a part of the batch at once, whose images lie in the nearest cache.
struct Cost {
  double cycles = 0;   ///< 0: of a node that only says how values are seen
  double weights = 0;  ///< bytes of what lies packed
};
struct Share {
  std::int64_t samples = 1, of = 1;
};
Cost cost_of(const Graph& graph, const Node& node, Share part, const Target& target, Math math);

/// What holds for the level of memory that holds so many bytes: a core's second cache, its part of the third, or none.
double at_level(double bytes, const Target& target, double near, double far, double memory);

/// Ways of computing a convolution that is_dense which may be the fastest: the model's choice, then others by its
/// order.
std::vector<ConvSchedule> schedules_of(const Graph& graph, const Node& node, const Target& target, Math math);

/// Winograd's method where it should take less time than the definition, or was measured to. Of a convolution that
/// is_dense.
std::optional<WinogradPlan> winograd_of(const Graph& graph, const Node& node, const Target& target);

}  // namespace assay::compiler
