// A lane for each thread, any member on any lane, batches interleaved: no core waits at a member's end.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/strategies/strategy.hpp"

namespace assay::engine {
namespace {

/// On another device than the CPU: one batch is handed over and copied while another computes.
constexpr int kLanesElsewhere = 2;

/// While one lane is at the costliest job of the oldest batch, the others need as much work each, from that batch and
/// those after it; and one more is filled meanwhile.
int batches_for(const std::vector<double>& costs, int lanes) {
  const double sum = std::accumulate(costs.begin(), costs.end(), 0.0);
  const double most = *std::max_element(costs.begin(), costs.end());
  return 1 + static_cast<int>(std::ceil(lanes * most / sum));
}

}  // namespace

Schedule pipelined_schedule(const Workload& workload) {
  if (on_several_devices(workload)) return schedule_by_device(workload, pipelined_schedule, kLanesElsewhere);
  const int lanes = std::max(workload.threads, 1);
  Schedule s;
  s.members.assign(workload.costs.size(), {.threads = lanes, .streams = lanes});
  // What is left of a batch when lanes run out of work is then the cheap ones.
  s.lanes.assign(static_cast<std::size_t>(lanes), by_falling_cost(workload.costs));
  s.in_flight = workload.goal == Goal::kLatency ? 1 : batches_for(workload.costs, lanes);
  return s;
}

}  // namespace assay::engine
