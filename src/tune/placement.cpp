#include "tune/placement.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/add_once.hpp"
#include "tune/costs.hpp"
#include "tune/local_search.hpp"

namespace assay::tune {
namespace {

constexpr const char* kStrategies[] = {kPipelined, kConcurrent, kSequential};

/// The best so far, each once.
class Best {
 public:
  Best(const CostTable& table, std::size_t count) : table_(table), count_(count) {}

  void offer(const std::string& strategy, Ways ways) {
    order_alike(ways);
    Costs costs = costs_of(table_, strategy, ways);
    if (costs.over > 0) return;
    Plan plan{strategy, std::move(ways), costs.seconds, costs.memory, std::move(costs.threads)};
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
  void order_alike(Ways& ways) const {
    const std::vector<std::size_t>& same_as = table_.problem.same_as;
    for (std::size_t m = 0; m < same_as.size(); ++m) {
      for (std::size_t before = 0; before < m; ++before) {
        if (same_as[before] == same_as[m] && ways[before] > ways[m]) std::swap(ways[before], ways[m]);
      }
    }
  }

  const CostTable& table_;
  std::size_t count_;
  std::vector<Plan> plans_;
};

/// Every combination, as a number whose digits are the ways.
void search_all(const Problem& problem, const std::string& strategy, Best& best) {
  Ways ways(problem.members.size(), 0);
  for (;;) {
    best.offer(strategy, ways);
    std::size_t digit = 0;
    while (digit < ways.size() && ++ways[digit] == problem.members[digit].size()) ways[digit++] = 0;
    if (digit == ways.size()) return;
  }
}

double cost_of(const CostTable& table, const std::string& strategy, const Ways& ways) {
  const Costs costs = costs_of(table, strategy, ways);
  // What does not fit is worse than all that does, and the less so the less it is over.
  return costs.over > 0 ? 1e12 * (1 + costs.over) : costs.seconds;
}

/// Of each member the way that is least by `cost`, among those that are `allowed`, or where none is, among all.
Ways least_ways(const Problem& problem, const std::function<double(const Way&)>& cost,
                const std::function<bool(const Way&)>& allowed) {
  Ways ways;
  for (const std::vector<Way>& all : problem.members) {
    const auto least = std::min_element(all.begin(), all.end(), [&](const Way& a, const Way& b) {
      return std::pair(!allowed(a), cost(a)) < std::pair(!allowed(b), cost(b));
    });
    ways.push_back(static_cast<std::size_t>(least - all.begin()));
  }
  return ways;
}

/// An engine on a device.
using Spot = std::pair<std::string, std::string>;

std::vector<Spot> spots_of(const Problem& problem) {
  std::vector<Spot> spots;
  for (const std::vector<Way>& ways : problem.members) {
    for (const Way& way : ways) add_once(spots, {way.backend, way.device});
  }
  return spots;
}

bool are_several_devices(const std::vector<Spot>& spots) {
  return std::any_of(spots.begin(), spots.end(), [&](const Spot& s) { return s.second != spots.front().second; });
}

using Set = std::vector<std::size_t>;

/// Sets of 0 … n-1: all of one, all of two and so on, for as long as these are at most `most` together.
std::vector<Set> sets_of(std::size_t n, std::size_t most) {
  std::vector<Set> all, of_size = {{}};
  for (std::size_t size = 1; size <= n; ++size) {
    std::vector<Set> larger;
    for (const Set& set : of_size) {
      for (std::size_t next = set.empty() ? 0 : set.back() + 1; next < n; ++next) {
        larger.push_back(set);
        larger.back().push_back(next);
      }
    }
    if (size > 1 && all.size() + larger.size() > most) break;
    all.insert(all.end(), larger.begin(), larger.end());
    of_size = std::move(larger);
  }
  return all;
}

/// Where the search begins: the quickest ways. Where these do not fit, memory makes hills between choices, most of all
/// the engines' libraries, and so does a device that is last while others are idle: then also the quickest and the
/// smallest ways on each set of engines, of very many engines on each small one.
std::vector<Ways> starts_of(const CostTable& table, const std::string& strategy) {
  constexpr std::size_t kMostSets = 255;  // all of eight
  const Problem& problem = table.problem;
  const bool whole = strategy == kSequential;
  const auto seconds = [whole](const Way& way) { return whole ? way.whole : way.spread; };
  const auto memory = [](const Way& way) { return way.memory + way.device_memory; };
  std::vector<Ways> starts = {least_ways(problem, seconds, [](const Way&) { return true; })};
  const Ways& quickest = starts.front();
  const std::vector<Spot> spots = spots_of(problem);
  const bool fits = costs_of(table, strategy, quickest).over <= 0;
  if (fits && !are_several_devices(spots)) return starts;
  for (const Set& set : sets_of(spots.size(), kMostSets)) {
    const auto is_in_set = [&](const Way& way) {
      const Spot spot{way.backend, way.device};
      return std::any_of(set.begin(), set.end(), [&](std::size_t s) { return spots[s] == spot; });
    };
    starts.push_back(least_ways(problem, seconds, is_in_set));
    starts.push_back(least_ways(problem, memory, is_in_set));
  }
  return starts;
}

void search_locally(const CostTable& table, const std::string& strategy, Best& best) {
  std::vector<std::size_t> counts;
  for (const std::vector<Way>& ways : table.problem.members) counts.push_back(ways.size());
  const auto cost = [&](const Ways& ways) { return cost_of(table, strategy, ways); };
  std::set<Ways> seen;  // many starts are alike, or meet: from there on the way is the same
  for (Ways& ways : starts_of(table, strategy)) {
    while (seen.insert(ways).second) {
      best.offer(strategy, ways);
      if (improve(counts, cost, ways)) continue;
      for (std::size_t m = 0; m < ways.size(); ++m) {  // the neighbours of the end: runners-up
        for_each_change(counts, ways, m, [&](const Ways& one) { best.offer(strategy, one); });
      }
    }
  }
}

}  // namespace

std::vector<Plan> best_plans(const Problem& problem, std::size_t count, std::size_t exact) {
  const CostTable table = cost_table(problem);
  Best best(table, count);
  double combinations = 1;
  for (const std::vector<Way>& ways : problem.members) combinations *= static_cast<double>(ways.size());
  for (const char* strategy : kStrategies) {
    if (combinations <= static_cast<double>(exact)) {
      search_all(problem, strategy, best);
    } else {
      search_locally(table, strategy, best);
    }
  }
  return best.take();
}

}  // namespace assay::tune
