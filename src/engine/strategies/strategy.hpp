#pragma once
// How an ensemble's work is divided. A strategy is a pure function from a workload to a schedule.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "assay/backend_abi.h"
#include "core/case.hpp"

namespace assay::engine {

/// What there is to do.
struct Workload {
  std::vector<double> costs;  ///< of each member: time of a batch on one thread, in any unit; all 1 where unknown
  int threads = 1;            ///< the budget
  Goal goal = Goal::kThroughput;
  /// Of each member, "cpu" or another; empty: all on one. While a member computes on another than the CPU it takes no
  /// core of the budget.
  std::vector<std::string> devices{};
  /// Of each member, the threads that it has whatever its share would be (0: its share); empty: none has its own.
  /// `concurrent` divides what these leave.
  std::vector<int> own_threads{};
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

/// Of all members in one order, wherever they are.
Schedule sequential_schedule(const Workload& workload);
/// On several devices the members of each have lanes of their own: those on the CPU share the budget as an ensemble of
/// themselves would, so that its lanes never wait for another device; on another device every member has a lane.
Schedule concurrent_schedule(const Workload& workload);
/// The same, but for lanes on another device: two for its members together, so that one's batch is handed over and
/// copied while the other's computes.
Schedule pipelined_schedule(const Workload& workload);

/// All of them; a new one is a file and a line.
std::span<const Strategy> strategies();
/// Throws Error(kInvalidArgument), naming those there are.
const Strategy& strategy_by_name(const std::string& name);

/// Gives members the threads of their own that the workload says. On the CPU such a member then computes no more
/// batches at once than it has threads: each takes one at least.
void keep_own_threads(const Workload& workload, Schedule& schedule);

/// Of each member, how its session is set up where some share one: `session_of[m]` is the first member with m's
/// session. A shared one has threads and streams of every lane that uses it, so that its members may compute at once.
std::vector<MemberSetup> session_setups(const Schedule& schedule, std::span<const std::size_t> session_of);

/// Who else computes on the cores of the members' sessions (`session_of` as above, `devices` as the Workload's): on one
/// lane sessions compute in turn; on several at the same time, two batches of one session, too.
assay_core_use core_use(const Schedule& schedule, std::span<const std::size_t> session_of,
                        const std::vector<std::string>& devices);
/// Of all lanes on the CPU together, each with the threads of that member of it which has most for a batch.
double threads_at_once(const Schedule& schedule, const std::vector<MemberSetup>& setups,
                       const std::vector<std::string>& devices);

/// Whether members are on devices that differ.
bool on_several_devices(const Workload& workload);
/// Every device's members scheduled as an ensemble of their own, with the budget on the CPU and so many lanes of one
/// thread elsewhere (0: one for each member); their lanes side by side.
Schedule schedule_by_device(const Workload& workload, Schedule (*schedule)(const Workload&), int lanes_elsewhere);

/// Indices of the members, the costliest first.
std::vector<std::size_t> by_falling_cost(const std::vector<double>& costs);

}  // namespace assay::engine
