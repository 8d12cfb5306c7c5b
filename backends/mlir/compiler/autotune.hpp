#pragma once
// Schedules of convolutions found by measuring.

#include "team.hpp"
#include "tuning.hpp"

namespace assay::compiler {

/// Compiles each convolution of the graph that is_dense alone, in the few ways that the model finds best, and measures
/// them in turns on the team, for about so many seconds. What beats the model's own choice is in the answer.
Tuning autotune(const Graph& graph, const Target& target, Math math, Team& team, double seconds);

}  // namespace assay::compiler
