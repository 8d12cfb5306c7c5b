#pragma once
// What a choice of ways takes: threads, seconds, memory. Pure.

#include <string>
#include <vector>

#include "tune/placement.hpp"

namespace assay::tune {

/// The ways of all members, each an index into the member's of the Problem.
using Ways = std::vector<std::size_t>;

struct Costs {
  std::vector<int> threads;  ///< member_threads
  double memory = 0;         ///< bytes of the host: what is one session, or one engine's library, counts once
  double over = 0;     ///< how far memory goes beyond the host's and the devices' limits, in parts of these; 0: it fits
  double seconds = 0;  ///< predicted_seconds, where it fits
};

Costs costs_of(const Problem& problem, const std::string& strategy, const Ways& ways);

}  // namespace assay::tune
