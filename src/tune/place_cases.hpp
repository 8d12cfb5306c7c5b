#pragma once
// What a search for a placement measures: its request, and the cases that follow from it. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/case.hpp"
#include "tune/placement.hpp"
#include "worker/member_inputs.hpp"

namespace assay::tune {

struct PlaceRequest {
  Case ensemble;  ///< model "a+b+c", batch size, goal, threads, data; backend, device and strategy are found
  std::vector<std::string> backends;          ///< those that may be used
  std::vector<std::string> devices = {kCpu};  ///< the same
  std::vector<std::int64_t> batches;          ///< a member's own; those that are not below the ensemble's are left out
  std::vector<worker::MemberFile> files;      ///< what the members take; empty: all say of it what the ensemble does
  double memory_limit = 0;                    ///< bytes of the host; 0: none
  std::map<std::string, double> device_limits{};  ///< bytes of another device, where it is known
  bool all_backends = false;                      ///< they are those that there were, and nobody named one
  bool interference = true;                       ///< measure pairs of members beside each other
};

/// What may run a member.
struct Engine {
  std::string backend;
  std::string device = kCpu;
  bool operator==(const Engine&) const = default;
};
/// Every backend on every device.
std::vector<Engine> engines_of(const PlaceRequest& request);
inline bool has_several_devices(const PlaceRequest& request) { return request.devices.size() > 1; }

/// Ensemble, engines, devices and batches of requests as JSON, and back. Throws Error(kInvalidArgument) with `context`.
std::string to_text(const std::vector<PlaceRequest>& requests);
std::vector<PlaceRequest> requests_from_text(const std::string& text, const std::string& context);

/// The batch sizes that a member may run in: the ensemble's first.
std::vector<std::int64_t> batches_of(const PlaceRequest& request);
/// Threads, fewer than all, that a member's lane may have for one batch: 2, 4, 8 …; none where no lane has more than
/// one. Where other devices may have the other members, it may have all but one.
std::vector<int> lane_threads(const PlaceRequest& request);
/// Those that the member's batch is measured on: on another device than the CPU, one of several, it has no lane of
/// theirs.
std::vector<int> lane_threads(const PlaceRequest& request, const Engine& engine);
/// The member's case that a cost is taken from: alone, in the given set-up; `threads`: 0 is all.
Case member_case(const PlaceRequest& request, const std::string& member, const Engine& engine, std::int64_t batch,
                 Goal goal, int threads = 0);
/// Every member on every engine at every batch: a batch on each thread, and all threads, or those of a lane, on one.
std::vector<Case> cost_cases(const PlaceRequest& request);
/// Whether some members can be beside each other, and are to be measured so.
bool measures_pairs(const PlaceRequest& request);
/// Whether members on these devices compute side by side: on one thread of the CPU they take turns.
bool are_side_by_side(const PlaceRequest& request, const std::string& a, const std::string& b);
/// Lanes that a pair has on that device: two, but on the CPU no more than there are threads.
int pair_lanes(const PlaceRequest& request, const std::string& device);
/// A member of a pair.
struct Beside {
  std::string member;
  Engine engine;
  int times = 1;  ///< that a lane of its computes a batch
};
/// Two members side by side on one device, each on its engine, a thread each, as on the lanes of a pipelined run; or
/// one beside itself. A batch is over when both lanes are done with it, so the lane of the cheaper one, `b`, computes
/// it several times over: in as much time as `a` takes (times_beside), else `b` would wait, and `a` would be alone
/// meanwhile.
Case pair_case(const PlaceRequest& request, const Beside& a, const Beside& b);
/// On devices that differ. Each beside itself, on the lanes of its device (pair_lanes; a thread each on the CPU), and
/// the other beside both: what that adds to a member's time in its pair_case with itself is the other device's doing.
Case across_case(const PlaceRequest& request, const Beside& a, const Beside& b);
/// How often the cheaper member computes a batch beside the costlier one, so that neither lane waits for more than a
/// third of the time; the costs are of a batch on one thread. Of a member that is cheaper than an eighth, 8.
int times_beside(double costlier, double cheaper);
/// A plan as a case: a plain strategy where all members run whole batches on one engine with the strategy's threads.
Case plan_case(const PlaceRequest& request, const Problem& problem, const Plan& plan);

/// Plans of the search's own that are verified.
inline constexpr std::size_t kVerifiedPlans = 2;

/// What a search measures at most. Which engines pairs and plans run on it finds out: the first stands for them.
struct Foreseen {
  std::vector<Case> alone, pairs, plans;
};
Foreseen foreseen(const PlaceRequest& request);

}  // namespace assay::tune
