#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/case.hpp"
#include "engine/strategies/strategy.hpp"

namespace assay::engine {
namespace {

constexpr std::array kStrategies = {
    Strategy{"sequential", "one member after the other, each with all threads", false, sequential_schedule},
    Strategy{"concurrent", "members side by side, the threads divided among them by measured cost", true,
             concurrent_schedule},
    Strategy{"pipelined", "a lane a thread, members of several batches interleaved", false, pipelined_schedule},
    Strategy{kMerged, "one graph of all members and of what combines them, which one engine schedules", false, nullptr},
};

}  // namespace

std::span<const Strategy> strategies() { return kStrategies; }

const Strategy& strategy_by_name(const std::string& name) {
  std::string known;
  for (const Strategy& s : kStrategies) {
    if (s.name == name) return s;
    known += (known.empty() ? "" : ", ") + std::string(s.name);
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("there is no strategy '{}' for an ensemble; there are {}", name, known));
}

std::vector<std::size_t> by_falling_cost(const std::vector<double>& costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  return order;
}

}  // namespace assay::engine
