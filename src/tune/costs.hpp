#pragma once
// What a choice of ways takes: threads, seconds, memory. Pure.

#include <cstddef>
#include <string>
#include <vector>

#include "tune/placement.hpp"

namespace assay::tune {

/// The ways of all members, each an index into the member's of the Problem.
using Ways = std::vector<std::size_t>;

/// What follows from a member's way, whatever the others'.
struct WayCosts {
  std::size_t device = 0;       ///< among the table's
  std::size_t library = 0;      ///< among the Problem's; their number: none
  bool is_as_measured = false;  ///< on the device on which the member was when it was beside others
  std::vector<double> seconds;  ///< a sample, by the threads that compute a batch

  [[nodiscard]] double on(int threads) const { return seconds[static_cast<std::size_t>(threads)]; }
};

/// Looked up once, for a search asks what millions of choices take. Refers to the problem.
struct CostTable {
  struct Device {
    std::string name;
    double limit;  ///< of its memory; 0: none
  };
  const Problem& problem;
  std::vector<Device> devices;                 ///< the CPU first
  std::vector<std::vector<WayCosts>> members;  ///< as the Problem's
};
CostTable cost_table(const Problem& problem);

struct Costs {
  std::vector<int> threads;  ///< member_threads
  double memory = 0;         ///< bytes of the host: what is one session, or one engine's library, counts once
  double over = 0;     ///< how far memory goes beyond the host's and the devices' limits, in parts of these; 0: it fits
  double seconds = 0;  ///< predicted_seconds, where it fits
};

Costs costs_of(const CostTable& table, const std::string& strategy, const Ways& ways);

}  // namespace assay::tune
