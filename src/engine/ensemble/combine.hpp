#pragma once
// Members' outputs become one. Pure.

#include <optional>
#include <span>
#include <vector>

#include "assay/ensemble.hpp"

namespace assay::engine {

/// Along which axis an answer has its classes: the one besides the batch's (-1: there is none) that is not of length 1.
/// Nothing where there are several, or none, or one is empty. A free axis counts as a long one.
std::optional<std::size_t> class_axis(const Shape& shape, int batch_axis);

/// One output of every member, contiguous, of one type and shape, float32 or float64. kMean: Σ wᵢ yᵢ / Σ wᵢ, added in
/// the members' order in double, so that the answer does not depend on who finished first. kVote, of a shape that has a
/// class_axis: of each sample, the largest value's place (the first of equals) gets the member's wᵢ / Σ wᵢ.
void combine(Combine how, std::span<const void* const> members, std::span<const double> weights, DType dtype,
             const Shape& shape, int batch_axis, void* result);

}  // namespace assay::engine
