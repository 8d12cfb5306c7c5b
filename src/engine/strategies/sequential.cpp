// One member after the other, each with all threads: the study's way.
#include <numeric>

#include "engine/strategies/strategy.hpp"

namespace assay::engine {

Schedule sequential_schedule(const Workload& workload) {
  Schedule s;
  s.members.assign(workload.costs.size(), {.threads = workload.threads, .streams = 1});
  s.lanes.resize(1);
  s.lanes[0].resize(workload.costs.size());
  std::iota(s.lanes[0].begin(), s.lanes[0].end(), std::size_t{0});
  s.in_flight = workload.goal == Goal::kLatency ? 1 : 2;  // the second is filled while the first computes
  return s;
}

}  // namespace assay::engine
