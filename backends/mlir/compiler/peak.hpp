#pragma once
// What the cores of a team can do at most.

#include "kernel.hpp"
#include "team.hpp"

namespace assay::compiler {

/// Multiplications and additions a nanosecond of vectors of floats that stay in registers: measured, all threads of the
/// team at once, for some milliseconds.
double peak_of(const Target& target, Team& team);

}  // namespace assay::compiler
