// Members side by side, the threads divided among them by cost.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>

#include "engine/strategies/strategy.hpp"

namespace assay::engine {
namespace {

/// Longest processing time first (Graham 1969): each member to the lane that has least to do, the costliest first.
std::vector<std::vector<std::size_t>> divide(const std::vector<double>& costs, std::size_t lanes) {
  std::vector<std::vector<std::size_t>> result(lanes);
  std::vector<double> load(lanes, 0);
  for (const std::size_t member : by_falling_cost(costs)) {
    const auto least = static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
    result[least].push_back(member);
    load[least] += costs[member];
  }
  return result;
}

/// Of each lane, the most threads that a member of it has of its own; 0: none.
std::vector<int> own_threads(const std::vector<std::vector<std::size_t>>& lanes, const Workload& workload) {
  std::vector<int> own(lanes.size(), 0);
  if (workload.own_threads.empty()) return own;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    for (const std::size_t member : lanes[i]) own[i] = std::max(own[i], workload.own_threads[member]);
  }
  return own;
}

/// Lanes keep what is their members' own, the others begin with one thread; every further one to that of the others
/// which would be last to finish.
std::vector<int> share_threads(const std::vector<double>& load, const std::vector<int>& own, int threads) {
  std::vector<int> shares;
  std::int64_t left = threads;
  for (const int n : own) {
    shares.push_back(std::max(n, 1));
    left -= shares.back();
  }
  for (; left > 0; --left) {
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < load.size(); ++i) {
      if (own[i] == 0 && (!last || load[i] / shares[i] > load[*last] / shares[*last])) last = i;
    }
    if (!last) break;
    ++shares[*last];
  }
  return shares;
}

}  // namespace

Schedule concurrent_schedule(const Workload& workload) {
  if (on_several_devices(workload)) return schedule_by_device(workload, concurrent_schedule, 0);
  const std::vector<double>& costs = workload.costs;
  Schedule s;
  s.lanes = divide(costs, std::min(costs.size(), static_cast<std::size_t>(std::max(workload.threads, 1))));
  std::vector<double> load;
  for (const auto& lane : s.lanes) {
    load.push_back(std::accumulate(lane.begin(), lane.end(), 0.0,
                                   [&](double sum, std::size_t member) { return sum + costs[member]; }));
  }
  const std::vector<int> shares = share_threads(load, own_threads(s.lanes, workload), workload.threads);
  s.members.resize(costs.size());
  for (std::size_t lane = 0; lane < s.lanes.size(); ++lane) {
    for (const std::size_t member : s.lanes[lane]) s.members[member] = {.threads = shares[lane], .streams = 1};
  }
  s.in_flight = workload.goal == Goal::kLatency ? 1 : 2;
  return s;
}

}  // namespace assay::engine
