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
  const Way& way;
  double slowdown;
  double seconds;  ///< on its threads
  int threads = 1;
  bool at_best = false;  ///< none of the numbers of threads that are left would make it quicker
};

/// More threads for the lane, as few as make it quicker; answers how many.
int quicken(Lane& lane, int of, int left) {
  for (int more = 1; more <= left; ++more) {
    const double seconds = seconds_on(lane.way, of, lane.threads + more) * lane.slowdown;
    if (seconds >= lane.seconds) continue;
    lane.seconds = seconds;
    lane.threads += more;
    return more;
  }
  lane.at_best = true;
  return 0;
}

/// Of the lane's threads the fewest on which it is done by then.
int threads_for(const Lane& lane, int of, double seconds) {
  int threads = 1;
  while (threads < lane.threads && seconds_on(lane.way, of, threads) * lane.slowdown > seconds) ++threads;
  return threads;
}

double beyond(double used, double limit) { return limit > 0 ? std::max(0.0, used / limit - 1) : 0; }

/// Ways of all members, by the devices that they are on.
class Seating {
 public:
  Seating(const Problem& problem, const Ways& ways) : problem_(problem), ways_(ways) {
    for (std::size_t m = 0; m < ways.size(); ++m) group_on(way(m).device).members.push_back(m);
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
    for (const Group& group : groups_) {
      const double seconds = strategy != kConcurrent        ? spread(group.members)
                             : &group.members == &sharers() ? on_lanes(group.members, threads)
                                                            : side_by_side(group.members);
      last = std::max(last, seconds);
    }
    return last;
  }

  [[nodiscard]] double memory(const std::vector<int>& threads) const {
    double memory = 0;
    for (std::size_t m = 0; m < ways_.size(); ++m) memory += is_there_already(m, threads) ? 0 : way(m).memory;
    for (const auto& [backend, bytes] : problem_.libraries) memory += is_used(backend) ? bytes : 0;
    return memory;
  }

  [[nodiscard]] double over(double memory, const std::vector<int>& threads) const {
    double over = beyond(memory, problem_.memory_limit);
    for (const Group& group : groups_) {
      const auto limit = problem_.device_limits.find(*group.device);
      if (limit == problem_.device_limits.end()) continue;
      double used = 0;
      for (const std::size_t m : group.members) used += is_there_already(m, threads) ? 0 : way(m).device_memory;
      over += beyond(used, limit->second);
    }
    return over;
  }

 private:
  struct Group {
    const std::string* device;
    std::vector<std::size_t> members;
  };

  [[nodiscard]] const Way& way(std::size_t m) const { return problem_.members[m][ways_[m]]; }

  [[nodiscard]] bool is_used(const std::string& backend) const {
    for (std::size_t m = 0; m < ways_.size(); ++m) {
      if (way(m).backend == backend) return true;
    }
    return false;
  }

  Group& group_on(const std::string& device) {
    for (Group& group : groups_) {
      if (*group.device == device) return group;
    }
    Group& added = groups_.emplace_back(Group{&device, {}});
    added.members.reserve(ways_.size());  // a search makes a hundred thousand of these
    return added;
  }

  /// Those among whom the threads are divided: no core computes the others.
  [[nodiscard]] const std::vector<std::size_t>& sharers() const {
    static const std::vector<std::size_t> kNone;
    for (const Group& group : groups_) {
      if (*group.device == kCpu) return group.members;
    }
    return kNone;
  }

  /// Whether it is on the device on which it was when it was beside others.
  [[nodiscard]] bool is_where_it_was(std::size_t member) const {
    return problem_.slowdown_devices.at(member) == way(member).device;
  }

  /// Of what was measured of `member` beside these; 1 where nothing was.
  [[nodiscard]] double mean_slowdown(std::size_t member, const std::vector<std::size_t>& others) const {
    double sum = 0, count = 0;
    for (const std::size_t other : others) {
      const double slower = problem_.slowdown[member][other];
      if (std::isnan(slower) || !is_where_it_was(other)) continue;
      sum += slower;
      ++count;
    }
    return count > 0 ? sum / count : 1;
  }

  /// How many times longer a member takes than beside itself: beside one or another of its device, and for each other
  /// device, beside one or another there.
  [[nodiscard]] double slowdown(std::size_t member) const {
    if (problem_.slowdown.empty() || !is_where_it_was(member)) return 1;
    double factor = 1;
    for (const Group& group : groups_) factor *= mean_slowdown(member, group.members);
    return factor;
  }

  /// A lane for each. Whoever is last needs more in any better division, so that what is best is found so; what the
  /// last cannot use is for the others. Of a model that is there twice what did not let the last one end earlier is
  /// taken back: with different threads it would be two sessions for nothing.
  void divide(std::vector<int>& threads) const {
    const int all = problem_.threads;
    const std::vector<std::size_t>& members = sharers();
    std::vector<Lane> lanes;
    for (const std::size_t m : members) {
      const double slower = slowdown(m);
      lanes.push_back({way(m), slower, seconds_on(way(m), all, 1) * slower});
    }
    const auto earlier = [](const Lane& a, const Lane& b) {
      return a.at_best != b.at_best ? a.at_best : a.seconds < b.seconds;
    };
    for (int left = all - static_cast<int>(members.size()); left > 0;) {
      Lane& last = *std::max_element(lanes.begin(), lanes.end(), earlier);
      if (last.at_best) break;
      left -= quicken(last, all, left);
    }
    const double last = std::max_element(lanes.begin(), lanes.end(), [](const Lane& a, const Lane& b) {
                          return a.seconds < b.seconds;
                        })->seconds;
    for (std::size_t i = 0; i < members.size(); ++i) {
      threads[members[i]] = has_twin(members[i]) ? threads_for(lanes[i], all, last) : lanes[i].threads;
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

  /// Of the lane that is last to finish, with the threads divided among the lanes.
  [[nodiscard]] double on_lanes(const std::vector<std::size_t>& members, const std::vector<int>& threads) const {
    const int all = std::max(problem_.threads, 1);
    engine::Workload work{{}, all, Goal::kThroughput};
    for (const std::size_t m : members) work.costs.push_back(way(m).spread * all);
    double last = 0;
    for (const std::vector<std::size_t>& lane : engine::concurrent_schedule(work).lanes) {
      double load = 0;
      for (const std::size_t i : lane) {
        const std::size_t m = members[i];
        load += seconds_on(way(m), all, threads[m]) * slowdown(m);
      }
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

  const Problem& problem_;
  const Ways& ways_;
  std::vector<Group> groups_;
};

}  // namespace

bool divides_threads(const Problem& problem, const std::string& strategy, const Ways& ways) {
  return Seating(problem, ways).divides_threads(strategy);
}

std::vector<int> member_threads(const Problem& problem, const std::string& strategy, const Ways& ways) {
  return Seating(problem, ways).threads(strategy);
}

double predicted_seconds(const Problem& problem, const std::string& strategy, const Ways& ways) {
  const Seating seating(problem, ways);
  return seating.seconds(strategy, seating.threads(strategy));
}

Costs costs_of(const Problem& problem, const std::string& strategy, const Ways& ways) {
  const Seating seating(problem, ways);
  Costs costs;
  costs.threads = seating.threads(strategy);
  costs.memory = seating.memory(costs.threads);
  costs.over = seating.over(costs.memory, costs.threads);
  if (costs.over <= 0) costs.seconds = seating.seconds(strategy, costs.threads);
  return costs;
}

}  // namespace assay::tune
