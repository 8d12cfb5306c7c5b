#pragma once
// Members' outputs become one. Pure.

#include <span>
#include <vector>

#include "assay/ensemble.hpp"

namespace assay::engine {

/// One output of every member, contiguous, of one type and shape, float32 or float64; `classes` is the length of the
/// last axis. kMean: Σ wᵢ yᵢ / Σ wᵢ, added in the members' order in double, so that the answer does not depend on who
/// finished first. kVote: of each row, the largest value's place (the first of equals) gets the member's wᵢ / Σ wᵢ.
void combine(Combine how, std::span<const void* const> members, std::span<const double> weights, DType dtype,
             std::int64_t elements, std::int64_t classes, void* result);

}  // namespace assay::engine
