#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/case.hpp"

namespace assay::runner {

/// Indices into `cases`, `processes` times over, in randomised blocks: each block holds every case once, shuffled by a
/// generator seeded with `seed` (the same order on every machine).
std::vector<std::size_t> interleaved_order(std::size_t cases, int processes, std::uint64_t seed);

/// Cases that differ in nothing but the batch size, smallest first: one curve.
using Ladder = std::vector<std::size_t>;
std::vector<Ladder> ladders(const std::vector<Case>& cases);

/// Rungs from which a curve may be cut short: three doublings are four points.
inline constexpr std::size_t kLongLadder = 5;

/// The first block. Curves long enough to be cut short are climbed rung by rung, all curves together, each rung
/// shuffled: a rung is only known to be needed after those below it. All else is shuffled as in interleaved_order.
std::vector<std::size_t> first_block(const std::vector<Case>& cases, std::uint64_t seed);

}  // namespace assay::runner
