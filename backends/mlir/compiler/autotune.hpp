#pragma once
// Schedules of convolutions found by measuring.

#include "team.hpp"
#include "tuning.hpp"

namespace assay::compiler {

struct Autotuned {
  Tuning tuning;     ///< those that beat the model's own choice
  int problems = 0;  ///< different ones in the graph
  int measured = 0;  ///< in the time that there was, those that should take longest first
};

/// Compiles each convolution of the graph that is_dense alone, in the few ways that the model finds best, and measures
/// them in turns on the team, for about so many seconds.
Autotuned autotune(const Graph& graph, const Target& target, Math math, Team& team, double seconds);

}  // namespace assay::compiler
