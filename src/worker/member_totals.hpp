#pragma once
// What the members of an ensemble did, as numbers of a case: "member.NAME.<tag>".

#include <map>
#include <string>

#include "assay/assay.hpp"
#include "worker/tasks.hpp"

namespace assay::worker {

/// Of a member since it was loaded.
struct MemberTotals {
  double batches = 0;
  double busy_ns = 0, active_ns = 0;  ///< over all lanes; in which one lane or more computed it
  double load_ns = 0;
  bool from_cache = false;
};

/// By name. Of `report`: what an ensemble's session says of "members".
std::map<std::string, MemberTotals> member_totals(const std::string& report);
/// The same of a request's session; nothing where there is one model, or one graph of all.
std::map<std::string, MemberTotals> member_totals(const Request& request, Session& session);

/// "load.cold" of those that were not loaded from the cache, or "load.cached" of those that were.
void put_member_loads(const std::map<std::string, MemberTotals>& members, bool cached, TaskResult& result);

/// "latency.mean" and, where the goal is throughput, "throughput", of what was done between two states. A member's
/// throughput is of the time in which it computes, on one lane or on several at once: in all time every member does as
/// many samples as the ensemble.
void put_member_window(const std::map<std::string, MemberTotals>& begin, const std::map<std::string, MemberTotals>& end,
                       Goal goal, double batch_size, TaskResult& result);

}  // namespace assay::worker
