#include "tune/placement.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "engine/strategies/strategy.hpp"

namespace assay::tune {
namespace {

constexpr const char* kStrategies[] = {"pipelined", "concurrent", "sequential"};

/// Of what could be measured; 1 where nothing was.
double mean_slowdown(const Problem& problem, std::size_t member) {
  if (problem.slowdown.empty()) return 1;
  double sum = 0, count = 0;
  for (const double slower : problem.slowdown[member]) {
    if (std::isnan(slower)) continue;
    sum += slower;
    ++count;
  }
  return count > 0 ? sum / count : 1;
}

double sum_over(const Problem& problem, const std::vector<std::size_t>& ways,
                const std::function<double(std::size_t, const Way&)>& seconds) {
  double sum = 0;
  for (std::size_t m = 0; m < ways.size(); ++m) sum += seconds(m, problem.members[m][ways[m]]);
  return sum;
}

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

/// A lane for each member. Whoever is last needs more in any better division, so that what is best is found so; what
/// the last cannot use is for the others.
std::vector<int> divided(const Problem& problem, const std::vector<std::size_t>& ways) {
  const int all = problem.threads;
  std::vector<Lane> lanes;
  for (std::size_t m = 0; m < ways.size(); ++m) {
    const Way& way = problem.members[m][ways[m]];
    const double slowdown = mean_slowdown(problem, m);
    lanes.push_back({way, slowdown, seconds_on(way, all, 1) * slowdown});
  }
  const auto earlier = [](const Lane& a, const Lane& b) {
    return a.at_best != b.at_best ? a.at_best : a.seconds < b.seconds;
  };
  for (int left = all - static_cast<int>(ways.size()); left > 0;) {
    Lane& last = *std::max_element(lanes.begin(), lanes.end(), earlier);
    if (last.at_best) break;
    left -= quicken(last, all, left);
  }
  std::vector<int> threads;
  for (const Lane& lane : lanes) threads.push_back(lane.threads);
  return threads;
}

/// Of the lane that is last to finish.
double concurrent_seconds(const Problem& problem, const std::vector<std::size_t>& ways,
                          const std::vector<int>& threads) {
  const int all = std::max(problem.threads, 1);
  engine::Workload work{{}, all, Goal::kThroughput};
  for (std::size_t m = 0; m < ways.size(); ++m) work.costs.push_back(problem.members[m][ways[m]].spread * all);
  double last = 0;
  for (const std::vector<std::size_t>& lane : engine::concurrent_schedule(work).lanes) {
    double load = 0;
    for (const std::size_t m : lane) {
      load += seconds_on(problem.members[m][ways[m]], all, threads[m]) * mean_slowdown(problem, m);
    }
    last = std::max(last, load);
  }
  return last;
}

double seconds_of(const Problem& problem, const std::string& strategy, const std::vector<std::size_t>& ways,
                  const std::vector<int>& threads) {
  if (strategy == "sequential") {
    return sum_over(problem, ways, [](std::size_t, const Way& way) { return way.whole; });
  }
  if (strategy == "concurrent") return concurrent_seconds(problem, ways, threads);
  return sum_over(problem, ways, [&](std::size_t m, const Way& way) { return way.spread * mean_slowdown(problem, m); });
}

/// The same model on the same engine in the same batch with the same threads is one session, which is there once.
bool is_there_already(const Problem& problem, const std::vector<std::size_t>& ways, const std::vector<int>& threads,
                      std::size_t member) {
  for (std::size_t m = 0; m < std::min(member, problem.same_as.size()); ++m) {
    if (problem.same_as[m] != problem.same_as[member]) continue;
    if (ways[m] == ways[member] && threads[m] == threads[member]) return true;
  }
  return false;
}

double memory_of(const Problem& problem, const std::vector<std::size_t>& ways, const std::vector<int>& threads) {
  std::set<std::string> used;
  double memory = sum_over(problem, ways, [&](std::size_t m, const Way& way) {
    used.insert(way.backend);
    return is_there_already(problem, ways, threads, m) ? 0 : way.memory;
  });
  for (const auto& [backend, bytes] : problem.libraries) memory += used.contains(backend) ? bytes : 0;
  return memory;
}

bool fits(const Problem& problem, double memory) { return problem.memory_limit <= 0 || memory <= problem.memory_limit; }

/// The best so far, each once.
class Best {
 public:
  Best(const Problem& problem, std::size_t count) : problem_(problem), count_(count) {}

  void offer(const std::string& strategy, std::vector<std::size_t> ways) {
    order_alike(ways);
    std::vector<int> threads = member_threads(problem_, strategy, ways);
    const double memory = memory_of(problem_, ways, threads);
    if (!fits(problem_, memory)) return;
    Plan plan{strategy, std::move(ways), 0, memory, std::move(threads)};
    plan.seconds = seconds_of(problem_, strategy, plan.ways, plan.threads);
    const auto same = [&](const Plan& p) { return p.strategy == plan.strategy && p.ways == plan.ways; };
    if (std::any_of(plans_.begin(), plans_.end(), same)) return;
    const auto place = std::upper_bound(plans_.begin(), plans_.end(), plan,
                                        [](const Plan& a, const Plan& b) { return a.seconds < b.seconds; });
    plans_.insert(place, std::move(plan));
    if (plans_.size() > count_) plans_.pop_back();
  }
  std::vector<Plan> take() { return std::move(plans_); }

 private:
  /// Which of two that are the same model has which way is no difference: the first has the first.
  void order_alike(std::vector<std::size_t>& ways) const {
    for (std::size_t m = 0; m < problem_.same_as.size(); ++m) {
      for (std::size_t before = 0; before < m; ++before) {
        if (problem_.same_as[before] == problem_.same_as[m] && ways[before] > ways[m]) std::swap(ways[before], ways[m]);
      }
    }
  }

  const Problem& problem_;
  std::size_t count_;
  std::vector<Plan> plans_;
};

/// Every combination, as a number whose digits are the ways.
void search_all(const Problem& problem, const std::string& strategy, Best& best) {
  std::vector<std::size_t> ways(problem.members.size(), 0);
  for (;;) {
    best.offer(strategy, ways);
    std::size_t digit = 0;
    while (digit < ways.size() && ++ways[digit] == problem.members[digit].size()) ways[digit++] = 0;
    if (digit == ways.size()) return;
  }
}

double cost_of(const Problem& problem, const std::string& strategy, const std::vector<std::size_t>& ways) {
  const std::vector<int> threads = member_threads(problem, strategy, ways);
  const double over = memory_of(problem, ways, threads) - problem.memory_limit;
  // What does not fit is worse than all that does, and the less so the less it is over.
  if (problem.memory_limit > 0 && over > 0) return 1e12 * (1 + over / problem.memory_limit);
  return seconds_of(problem, strategy, ways, threads);
}

/// The best of some changes of a choice.
struct Choice {
  double cost;
  std::vector<std::size_t> ways;
};

/// Every other way of one member; `visit` gets the changed choice.
template <class Visit>
void for_each_change(const Problem& problem, std::vector<std::size_t> ways, std::size_t member, const Visit& visit) {
  for (ways[member] = 0; ways[member] < problem.members[member].size(); ++ways[member]) visit(ways);
}

/// The best change of one member's way, or where none helps, of two members' (an engine's library pays off with the
/// second); false where neither does.
bool improve(const Problem& problem, const std::string& strategy, std::vector<std::size_t>& ways) {
  const double now = cost_of(problem, strategy, ways);
  Choice best{now, ways};
  const auto consider = [&](const std::vector<std::size_t>& changed) {
    const double cost = cost_of(problem, strategy, changed);
    if (cost < best.cost) best = {cost, changed};
  };
  const std::size_t n = ways.size();
  for (std::size_t a = 0; a < n; ++a) for_each_change(problem, ways, a, consider);
  for (std::size_t a = 0; a < n && best.cost >= now; ++a) {
    for_each_change(problem, ways, a, [&](const std::vector<std::size_t>& one) {
      for (std::size_t b = a + 1; b < n; ++b) for_each_change(problem, one, b, consider);
    });
  }
  ways = best.ways;
  return best.cost < now;
}

/// Of each member the way that is least by `cost`, among those that are `allowed`, or where none is, among all.
std::vector<std::size_t> least_ways(const Problem& problem, const std::function<double(const Way&)>& cost,
                                    const std::function<bool(const Way&)>& allowed) {
  std::vector<std::size_t> ways;
  for (const std::vector<Way>& all : problem.members) {
    const auto least = std::min_element(all.begin(), all.end(), [&](const Way& a, const Way& b) {
      return std::pair(!allowed(a), cost(a)) < std::pair(!allowed(b), cost(b));
    });
    ways.push_back(static_cast<std::size_t>(least - all.begin()));
  }
  return ways;
}

/// Where the search begins: the quickest ways. Where these do not fit, memory makes hills between choices, most of all
/// the engines' libraries: then also the quickest and the smallest ways on each set of engines.
std::vector<std::vector<std::size_t>> starts_of(const Problem& problem, const std::string& strategy) {
  constexpr std::size_t kMostEngines = 6;  // 63 sets
  const bool whole = strategy == "sequential";
  const auto seconds = [whole](const Way& way) { return whole ? way.whole : way.spread; };
  const auto memory = [](const Way& way) { return way.memory; };
  std::vector<std::vector<std::size_t>> starts = {least_ways(problem, seconds, [](const Way&) { return true; })};
  const std::vector<std::size_t>& quickest = starts.front();
  if (fits(problem, memory_of(problem, quickest, member_threads(problem, strategy, quickest)))) return starts;
  const std::size_t engines = std::min(problem.libraries.size(), kMostEngines);
  for (std::size_t set = 1; set < std::size_t{1} << engines; ++set) {
    const auto is_in_set = [&](const Way& way) {
      for (std::size_t e = 0; e < engines; ++e) {
        if ((set >> e & 1U) != 0 && problem.libraries[e].first == way.backend) return true;
      }
      return false;
    };
    starts.push_back(least_ways(problem, seconds, is_in_set));
    starts.push_back(least_ways(problem, memory, is_in_set));
  }
  return starts;
}

void search_locally(const Problem& problem, const std::string& strategy, Best& best) {
  for (std::vector<std::size_t>& ways : starts_of(problem, strategy)) {
    best.offer(strategy, ways);
    while (improve(problem, strategy, ways)) best.offer(strategy, ways);
    for (std::size_t m = 0; m < ways.size(); ++m) {  // the neighbours of the end: runners-up
      for_each_change(problem, ways, m, [&](const std::vector<std::size_t>& one) { best.offer(strategy, one); });
    }
  }
}

}  // namespace

bool divides_threads(const Problem& problem, const std::string& strategy) {
  return strategy == "concurrent" && problem.threads > static_cast<int>(problem.members.size());
}

std::vector<int> member_threads(const Problem& problem, const std::string& strategy,
                                const std::vector<std::size_t>& ways) {
  if (divides_threads(problem, strategy)) return divided(problem, ways);
  const int each = strategy == "sequential" ? std::max(problem.threads, 1) : 1;
  return std::vector<int>(ways.size(), each);
}

double predicted_seconds(const Problem& problem, const std::string& strategy, const std::vector<std::size_t>& ways) {
  return seconds_of(problem, strategy, ways, member_threads(problem, strategy, ways));
}

std::vector<Plan> best_plans(const Problem& problem, std::size_t count, std::size_t exact) {
  Best best(problem, count);
  double combinations = 1;
  for (const std::vector<Way>& ways : problem.members) combinations *= static_cast<double>(ways.size());
  for (const char* strategy : kStrategies) {
    if (combinations <= static_cast<double>(exact)) {
      search_all(problem, strategy, best);
    } else {
      search_locally(problem, strategy, best);
    }
  }
  return best.take();
}

}  // namespace assay::tune
