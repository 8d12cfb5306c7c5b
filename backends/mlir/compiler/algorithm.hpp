#pragma once
// How long a node takes on one core, and by which method a convolution takes least: a model (see algorithm.cpp).

#include <optional>

#include "layout.hpp"

namespace assay::compiler {

/// Of a node that computes so many samples of the batch at once, whose images lie in the nearest cache.
struct Cost {
  double cycles = 0;   ///< 0: of a node that only says how values are seen
  double weights = 0;  ///< bytes of what lies packed
};
Cost cost_of(const Graph& graph, const Node& node, std::int64_t samples, const Target& target, Math math);

/// What holds for the level of memory that holds so many bytes: a core's second cache, its part of the third, or none.
double at_level(double bytes, const Target& target, double near, double far, double memory);

/// Winograd's method where it should take less time than the definition. Of a convolution that is_dense.
std::optional<WinogradPlan> winograd_of(const Graph& graph, const Node& node, const Target& target);

}  // namespace assay::compiler
