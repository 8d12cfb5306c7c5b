#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/case.hpp"
#include "engine/strategies/strategy.hpp"

namespace assay::engine {
namespace {

constexpr std::array kStrategies = {
    Strategy{kSequential, "one member after the other, each with all threads", false, sequential_schedule},
    Strategy{kConcurrent, "members side by side, the threads divided among them by measured cost", true,
             concurrent_schedule},
    Strategy{kPipelined, "a lane a thread, members of several batches interleaved", false, pipelined_schedule},
    Strategy{kMerged, "one graph of all members and of what combines them, which one engine schedules", false, nullptr},
};

/// What a lane has of a member's session, where several lanes have parts of it.
struct LaneShare {
  double threads = 0, streams = 0;
};

std::vector<LaneShare> shares_of_a_lane(const Schedule& schedule) {
  std::vector<int> lanes(schedule.members.size(), 0);
  for (const auto& lane : schedule.lanes) {
    for (const std::size_t m : lane) ++lanes[m];
  }
  std::vector<LaneShare> shares;
  for (std::size_t m = 0; m < lanes.size(); ++m) {
    const MemberSetup& setup = schedule.members[m];
    const double parts = std::max(lanes[m], 1);
    shares.push_back({setup.threads / parts, setup.streams / parts});
  }
  return shares;
}

int at_least_one(double sum) { return std::max(1, static_cast<int>(std::lround(sum))); }

}  // namespace

std::span<const Strategy> strategies() { return kStrategies; }

const Strategy& strategy_by_name(const std::string& name) {
  std::string known;
  for (const Strategy& s : kStrategies) {
    if (s.name == name) return s;
    known += (known.empty() ? "" : ", ") + std::string(s.name);
  }
  if (name == kPlaced) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' is what `assay bench` searches for, with the members' engines and batches that it prints "
                    "for C++; here the strategies are {}",
                    name, known));
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("there is no strategy '{}' for an ensemble; there are {}", name, known));
}

std::vector<MemberSetup> session_setups(const Schedule& schedule, std::span<const std::size_t> session_of) {
  const std::vector<LaneShare> shares = shares_of_a_lane(schedule);
  std::vector<LaneShare> sums(schedule.members.size());  // by the session's first member
  for (const auto& lane : schedule.lanes) {
    std::vector<LaneShare> here(schedule.members.size());  // a lane runs one member at a time: the most of them
    for (const std::size_t m : lane) {
      LaneShare& most = here[session_of[m]];
      most.threads = std::max(most.threads, shares[m].threads);
      most.streams = std::max(most.streams, shares[m].streams);
    }
    for (std::size_t s = 0; s < sums.size(); ++s) {
      sums[s].threads += here[s].threads;
      sums[s].streams += here[s].streams;
    }
  }
  std::vector<MemberSetup> setups;
  for (const std::size_t s : session_of)
    setups.push_back({at_least_one(sums[s].threads), at_least_one(sums[s].streams)});
  return setups;
}

std::vector<std::size_t> by_falling_cost(const std::vector<double>& costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  return order;
}

}  // namespace assay::engine
