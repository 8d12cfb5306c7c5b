#pragma once
// How an ensemble's work is divided. A strategy is a pure function from a workload to a schedule.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "assay/assay.hpp"

namespace assay::engine {

/// What there is to do.
struct Workload {
  std::vector<double> costs;  ///< of each member: time of a batch on one thread, in any unit; all 1 where unknown
  int threads = 1;            ///< the budget
  Goal goal = Goal::kThroughput;
};

/// How a member's session is set up.
struct MemberSetup {
  int threads = 1;  ///< in all its streams
  int streams = 1;  ///< batches of it at once
  bool operator==(const MemberSetup&) const = default;
};

struct Schedule {
  std::vector<MemberSetup> members;
  std::vector<std::vector<std::size_t>> lanes;  ///< what each may run, in its order of preference
  int in_flight = 1;                            ///< batches outstanding
};

struct Strategy {
  const char* name;
  const char* meaning;
  bool by_cost;  ///< wants measured costs
  Schedule (*schedule)(
      const Workload& workload);  ///< nullptr: the members become one graph, which its engine schedules
};

Schedule sequential_schedule(const Workload& workload);
Schedule concurrent_schedule(const Workload& workload);
Schedule pipelined_schedule(const Workload& workload);

/// All of them; a new one is a file and a line.
std::span<const Strategy> strategies();
/// Throws Error(kInvalidArgument), naming those there are.
const Strategy& strategy_by_name(const std::string& name);

/// Of each member, how its session is set up where some share one: `session_of[m]` is the first member with m's
/// session. A shared one has threads and streams of every lane that uses it, so that its members may compute at once.
std::vector<MemberSetup> session_setups(const Schedule& schedule, std::span<const std::size_t> session_of);

/// Indices of the members, the costliest first.
std::vector<std::size_t> by_falling_cost(const std::vector<double>& costs);

}  // namespace assay::engine
