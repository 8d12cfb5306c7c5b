#include "tune/costs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/case.hpp"
#include "engine/strategies/strategy.hpp"

namespace assay::tune {
namespace {

/// A number of threads, and seconds a sample on them.
struct Point {
  int threads;
  double seconds;
};

/// Seconds a sample on `share` of the threads: between two counts that were measured as Amdahl's law has it, by which
/// the time is linear in 1 / threads.
double seconds_on(const Way& way, int threads, int share) {
  Point below{1, way.spread * threads}, above{threads, way.whole};
  if (share <= 1 || threads < 2) return below.seconds;
  for (const auto& [count, seconds] : way.on_threads) {
    if (count <= share && count > below.threads) below = {count, seconds};
    if (count >= share && count < above.threads) above = {count, seconds};
  }
  if (below.threads >= above.threads) return above.seconds;
  const double width = 1.0 / below.threads - 1.0 / above.threads;
  return below.seconds + (above.seconds - below.seconds) * (1.0 / below.threads - 1.0 / share) / width;
}

/// A member on its own lane, while threads are divided.
struct Lane {
  const WayCosts& way;
  double slowdown;
  double seconds;  ///< on its threads
  int threads = 1;
  bool at_best = false;  ///< none of the numbers of threads that are left would make it quicker
};

/// More threads for the lane, as few as make it quicker; answers how many.
int quicken(Lane& lane, int left) {
  for (int more = 1; more <= left; ++more) {
    const double seconds = lane.way.on(lane.threads + more) * lane.slowdown;
    if (seconds >= lane.seconds) continue;
    lane.seconds = seconds;
    lane.threads += more;
    return more;
  }
  lane.at_best = true;
  return 0;
}

/// Of the lane's threads the fewest on which it is done by then.
int threads_for(const Lane& lane, double seconds) {
  int threads = 1;
  while (threads < lane.threads && lane.way.on(threads) * lane.slowdown > seconds) ++threads;
  return threads;
}

double beyond(double used, double limit) { return limit > 0 ? std::max(0.0, used / limit - 1) : 0; }

/// Its place among the table's devices, of which it is one from now on.
std::size_t device_number(CostTable& table, const std::string& name) {
  std::vector<CostTable::Device>& devices = table.devices;
  const auto known = std::find_if(devices.begin(), devices.end(), [&](const auto& d) { return d.name == name; });
  if (known != devices.end()) return static_cast<std::size_t>(known - devices.begin());
  const auto limit = table.problem.device_limits.find(name);
  devices.push_back({name, limit == table.problem.device_limits.end() ? 0 : limit->second});
  return devices.size() - 1;
}

WayCosts way_costs(CostTable& table, std::size_t member, const Way& way) {
  const Problem& problem = table.problem;
  const auto library = std::find_if(problem.libraries.begin(), problem.libraries.end(),
                                    [&](const auto& l) { return l.first == way.backend; });
  const int threads = std::max(problem.threads, 1);
  WayCosts costs;
  costs.device = device_number(table, way.device);
  costs.library = static_cast<std::size_t>(library - problem.libraries.begin());
  costs.is_as_measured = member < problem.slowdown_devices.size() && problem.slowdown_devices[member] == way.device;
  for (int share = 0; share <= threads; ++share) costs.seconds.push_back(seconds_on(way, threads, share));
  return costs;
}

/// Ways of all members, by the devices that they are on.
class Seating {
 public:
  Seating(const CostTable& table, const Ways& ways) : table_(table), problem_(table.problem), ways_(ways) {
    for (std::size_t m = 0; m < ways.size(); ++m) group_on(costs(m).device).members.push_back(m);
  }

  [[nodiscard]] bool divides_threads(const std::string& strategy) const {
    const auto lanes = static_cast<int>(sharers().size());
    return strategy == kConcurrent && lanes > 0 && problem_.threads > lanes;
  }

  [[nodiscard]] std::vector<int> threads(const std::string& strategy) const {
    std::vector<int> threads(ways_.size(), 0);
    for (const std::size_t m : sharers()) threads[m] = strategy == kSequential ? std::max(problem_.threads, 1) : 1;
    if (divides_threads(strategy)) divide(threads);
    return threads;
  }

  /// Of the device that is last: they compute side by side, but in turn.
  [[nodiscard]] double seconds(const std::string& strategy, const std::vector<int>& threads) const {
    double last = 0;
    if (strategy == kSequential) {
      for (std::size_t m = 0; m < ways_.size(); ++m) last += way(m).whole;
      return last;
    }
    for (const Group& group : groups_) last = std::max(last, seconds_of(group, strategy, threads));
    return last;
  }

  [[nodiscard]] double memory(const std::vector<int>& threads) const {
    double memory = 0;
    for (std::size_t m = 0; m < ways_.size(); ++m) memory += is_there_already(m, threads) ? 0 : way(m).memory;
    for (std::size_t l = 0; l < problem_.libraries.size(); ++l) memory += is_used(l) ? problem_.libraries[l].second : 0;
    return memory;
  }

  [[nodiscard]] double over(double memory, const std::vector<int>& threads) const {
    double over = beyond(memory, problem_.memory_limit);
    for (const Group& group : groups_) {
      const double limit = table_.devices[group.device].limit;
      if (limit <= 0) continue;
      double used = 0;
      for (const std::size_t m : group.members) used += is_there_already(m, threads) ? 0 : way(m).device_memory;
      over += beyond(used, limit);
    }
    return over;
  }

 private:
  struct Group {
    std::size_t device;
    std::vector<std::size_t> members;
  };

  [[nodiscard]] const Way& way(std::size_t m) const { return problem_.members[m][ways_[m]]; }
  [[nodiscard]] const WayCosts& costs(std::size_t m) const { return table_.members[m][ways_[m]]; }

  [[nodiscard]] double seconds_of(const Group& group, const std::string& strategy,
                                  const std::vector<int>& threads) const {
    if (strategy != kConcurrent) return spread(group.members);
    if (group.device != kOnCpu) return side_by_side(group.members);
    return divides_threads(strategy) ? on_own_lanes(group.members, threads) : on_lanes(group.members);
  }

  [[nodiscard]] bool is_used(std::size_t library) const {
    for (std::size_t m = 0; m < ways_.size(); ++m) {
      if (costs(m).library == library) return true;
    }
    return false;
  }

  Group& group_on(std::size_t device) {
    for (Group& group : groups_) {
      if (group.device == device) return group;
    }
    Group& added = groups_.emplace_back(Group{device, {}});
    added.members.reserve(ways_.size());  // a search makes millions of these
    return added;
  }

  /// Those among whom the threads are divided: no core computes the others.
  [[nodiscard]] const std::vector<std::size_t>& sharers() const {
    static const std::vector<std::size_t> kNone;
    for (const Group& group : groups_) {
      if (group.device == kOnCpu) return group.members;
    }
    return kNone;
  }

  /// Of what was measured of `member` beside these; 1 where nothing was.
  [[nodiscard]] double mean_slowdown(std::size_t member, const std::vector<std::size_t>& others) const {
    double sum = 0, count = 0;
    for (const std::size_t other : others) {
      const double slower = problem_.slowdown[member][other];
      if (std::isnan(slower) || !costs(other).is_as_measured) continue;
      sum += slower;
      ++count;
    }
    return count > 0 ? sum / count : 1;
  }

  /// How many times longer a member takes than beside itself: beside one or another of its device, and for each other
  /// device, beside one or another there.
  [[nodiscard]] double slowdown(std::size_t member) const {
    if (problem_.slowdown.empty() || !costs(member).is_as_measured) return 1;
    double factor = 1;
    for (const Group& group : groups_) factor *= mean_slowdown(member, group.members);
    return factor;
  }

  /// A lane for each. Whoever is last needs more in any better division, so that what is best is found so; what the
  /// last cannot use is for the others. Of a model that is there twice what did not let the last one end earlier is
  /// taken back: with different threads it would be two sessions for nothing.
  void divide(std::vector<int>& threads) const {
    const std::vector<std::size_t>& members = sharers();
    std::vector<Lane> lanes;
    lanes.reserve(members.size());
    for (const std::size_t m : members) {
      const double slower = slowdown(m);
      lanes.push_back({costs(m), slower, costs(m).on(1) * slower});
    }
    const auto earlier = [](const Lane& a, const Lane& b) {
      return a.at_best != b.at_best ? a.at_best : a.seconds < b.seconds;
    };
    for (int left = problem_.threads - static_cast<int>(members.size()); left > 0;) {
      Lane& last = *std::max_element(lanes.begin(), lanes.end(), earlier);
      if (last.at_best) break;
      left -= quicken(last, left);
    }
    const double last = std::max_element(lanes.begin(), lanes.end(), [](const Lane& a, const Lane& b) {
                          return a.seconds < b.seconds;
                        })->seconds;
    for (std::size_t i = 0; i < members.size(); ++i) {
      threads[members[i]] = has_twin(members[i]) ? threads_for(lanes[i], last) : lanes[i].threads;
    }
  }

  /// Whether the same model is there again, in the same way.
  [[nodiscard]] bool has_twin(std::size_t member) const {
    for (std::size_t m = 0; m < problem_.same_as.size(); ++m) {
      if (m != member && problem_.same_as[m] == problem_.same_as[member] && ways_[m] == ways_[member]) return true;
    }
    return false;
  }

  /// Each thread, or the device, kept busy by one member or another.
  [[nodiscard]] double spread(const std::vector<std::size_t>& members) const {
    double sum = 0;
    for (const std::size_t m : members) sum += way(m).spread * slowdown(m);
    return sum;
  }

  /// Of the lane that is last to finish, where each member has one. The engine's strategy, which says the same of the
  /// lanes, would divide the threads once more.
  [[nodiscard]] double on_own_lanes(const std::vector<std::size_t>& members, const std::vector<int>& threads) const {
    double last = 0;
    for (const std::size_t m : members) last = std::max(last, costs(m).on(threads[m]) * slowdown(m));
    return last;
  }

  /// The same, where a lane has one thread, and as many members as the engine's strategy gives it.
  [[nodiscard]] double on_lanes(const std::vector<std::size_t>& members) const {
    engine::Workload work{{}, std::max(problem_.threads, 1), Goal::kThroughput};
    work.costs.reserve(members.size());
    for (const std::size_t m : members) work.costs.push_back(costs(m).on(1));
    double last = 0;
    for (const std::vector<std::size_t>& lane : engine::concurrent_schedule(work).lanes) {
      double load = 0;
      for (const std::size_t i : lane) load += costs(members[i]).on(1) * slowdown(members[i]);
      last = std::max(last, load);
    }
    return last;
  }

  /// On another device every member has a lane, with one batch at a time: no lane is quicker than its member alone, nor
  /// is the device quicker than when it is kept busy.
  [[nodiscard]] double side_by_side(const std::vector<std::size_t>& members) const {
    double last = spread(members);
    for (const std::size_t m : members) last = std::max(last, way(m).whole * slowdown(m));
    return last;
  }

  /// The same model on the same engine and device in the same batch with the same threads is one session, which is
  /// there once.
  [[nodiscard]] bool is_there_already(std::size_t member, const std::vector<int>& threads) const {
    for (std::size_t m = 0; m < std::min(member, problem_.same_as.size()); ++m) {
      if (problem_.same_as[m] != problem_.same_as[member]) continue;
      if (ways_[m] == ways_[member] && threads[m] == threads[member]) return true;
    }
    return false;
  }

  static constexpr std::size_t kOnCpu = 0;  ///< among the table's devices

  const CostTable& table_;
  const Problem& problem_;
  const Ways& ways_;
  std::vector<Group> groups_;
};

}  // namespace

CostTable cost_table(const Problem& problem) {
  CostTable table{problem, {}, {}};
  (void)device_number(table, kCpu);  // the first
  for (std::size_t m = 0; m < problem.members.size(); ++m) {
    std::vector<WayCosts>& member = table.members.emplace_back();
    for (const Way& way : problem.members[m]) member.push_back(way_costs(table, m, way));
  }
  return table;
}

bool divides_threads(const Problem& problem, const std::string& strategy, const Ways& ways) {
  const CostTable table = cost_table(problem);
  return Seating(table, ways).divides_threads(strategy);
}

std::vector<int> member_threads(const Problem& problem, const std::string& strategy, const Ways& ways) {
  const CostTable table = cost_table(problem);
  return Seating(table, ways).threads(strategy);
}

double predicted_seconds(const Problem& problem, const std::string& strategy, const Ways& ways) {
  const CostTable table = cost_table(problem);
  const Seating seating(table, ways);
  return seating.seconds(strategy, seating.threads(strategy));
}

Costs costs_of(const CostTable& table, const std::string& strategy, const Ways& ways) {
  const Seating seating(table, ways);
  Costs costs;
  costs.threads = seating.threads(strategy);
  costs.memory = seating.memory(costs.threads);
  costs.over = seating.over(costs.memory, costs.threads);
  if (costs.over <= 0) costs.seconds = seating.seconds(strategy, costs.threads);
  return costs;
}

}  // namespace assay::tune
