#include "tune/place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace assay::tune {
namespace {

constexpr double kMs = 1e-3, kMiB = 1024.0 * 1024.0;
/// Plans that are looked at; the two best of different make are verified.
constexpr std::size_t kPlans = 8;

std::optional<double> value_of(const Outcome& outcome, const std::string& tag) {
  const Metric* metric = outcome.state == OutcomeState::kMeasured ? find_metric(outcome, tag) : nullptr;
  return metric == nullptr ? std::nullopt : metric->value;
}

/// Outcomes by the key of their case; measured once, and only those that are not stored.
class Results {
 public:
  Results(const Bench& bench, Placed& placed) : bench_(bench), placed_(placed) {}

  /// False: it was interrupted.
  bool want(PlaceStep step, const std::vector<Case>& cases) {
    std::vector<Case> missing;
    std::set<std::string> keys;
    for (const Case& c : cases) {
      const std::string key = case_key(c);
      if (known_.contains(key) || !keys.insert(key).second) continue;
      if (auto stored = bench_.stored(c)) {
        known_.emplace(key, std::move(*stored));
        ++placed_.reused;
      } else {
        missing.push_back(c);
      }
    }
    if (missing.empty()) return true;
    std::vector<Outcome> outcomes = bench_.measure(step, missing);
    placed_.measured += outcomes.size();
    placed_.interrupted = outcomes.size() < missing.size();
    for (Outcome& o : outcomes) {
      std::string key = case_key(o.test_case);
      known_.insert_or_assign(std::move(key), std::move(o));
    }
    return !placed_.interrupted;
  }

  [[nodiscard]] std::optional<double> value(const Case& c, const std::string& tag) const {
    const auto it = known_.find(case_key(c));
    return it == known_.end() ? std::nullopt : value_of(it->second, tag);
  }

 private:
  const Bench& bench_;
  Placed& placed_;
  std::map<std::string, Outcome> known_;
};

/// A way for each engine and batch that was measured both ways.
std::vector<Way> ways_of(const PlaceRequest& request, const std::string& member, const Results& results) {
  std::vector<Way> ways;
  for (const std::string& backend : request.backends) {
    for (const std::int64_t batch : batches_of(request)) {
      const Case spread = member_case(request, member, backend, batch, Goal::kThroughput);
      const Case whole = member_case(request, member, backend, batch, Goal::kLatency);
      const auto rate = results.value(spread, "throughput");
      const auto latency = results.value(whole, "latency.p50");
      if (!rate || *rate <= 0 || !latency) continue;
      const double memory = results.value(spread, "memory.model").value_or(0) * kMiB;
      ways.push_back(
          {backend, batch, 1 / *rate, *latency * kMs / static_cast<double>(std::max<std::int64_t>(batch, 1)), memory});
    }
  }
  return ways;
}

std::size_t quickest(const std::vector<Way>& ways) {
  return static_cast<std::size_t>(
      std::min_element(ways.begin(), ways.end(), [](const Way& a, const Way& b) { return a.spread < b.spread; }) -
      ways.begin());
}

/// Each beside every other, both on the engine that suits the first best. False: it was interrupted.
bool measure_interference(const PlaceRequest& request, const std::vector<std::string>& members, Results& results,
                          Placed& placed) {
  if (!measures_pairs(request)) return true;
  const std::int64_t batch = request.ensemble.batch_size;
  const std::size_t n = members.size();
  std::vector<Case> cases;
  std::vector<std::string> best;  // of each member: the engine that suits it best
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<Way>& ways = placed.problem.members[i];
    best.push_back(ways[quickest(ways)].backend);
    for (const std::string& other : members) {
      if (members[i] != other) cases.push_back(pair_case(request, members[i], other, best[i]));
    }
  }
  if (!results.want(PlaceStep::kPairs, cases)) return false;
  placed.problem.slowdown.assign(n, std::vector<double>(n, 1));
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<Way>& ways = placed.problem.members[i];
    const auto rate = results.value(member_case(request, members[i], best[i], batch, Goal::kThroughput), "throughput");
    const double spread = rate ? 1 / *rate : ways[quickest(ways)].spread;
    // Beside itself: as many batches at once as threads.
    const double itself = spread * request.ensemble.threads * static_cast<double>(std::max<std::int64_t>(batch, 1));
    const std::string tag = fmt::format("member.{}.latency.mean", std::filesystem::path(members[i]).stem().string());
    for (std::size_t j = 0; j < n; ++j) {
      if (members[i] == members[j]) continue;
      const auto beside = results.value(pair_case(request, members[i], members[j], best[i]), tag);
      if (beside) placed.problem.slowdown[i][j] = *beside * kMs / itself;
    }
  }
  return true;
}

/// A plain strategy on the one framework that should do it best. "sequential" is the study's way.
std::optional<Case> plain_case(const PlaceRequest& request, const Problem& problem, const std::string& strategy) {
  std::optional<Plan> best;
  for (const std::string& backend : request.backends) {
    Plan plan{strategy, {}, 0, 0};
    for (const std::vector<Way>& ways : problem.members) {
      const auto it = std::find_if(ways.begin(), ways.end(), [&](const Way& way) {
        return way.backend == backend && way.batch_size == request.ensemble.batch_size;
      });
      if (it == ways.end()) break;
      plan.ways.push_back(static_cast<std::size_t>(it - ways.begin()));
    }
    if (plan.ways.size() != problem.members.size()) continue;
    plan.seconds = predicted_seconds(problem, plan.strategy, plan.ways);
    if (!best || plan.seconds < best->seconds) best = plan;
  }
  if (!best) return std::nullopt;
  return plan_case(request, problem, *best);
}

PlacedSearch search_found(const Placed& placed, const std::vector<std::string>& members) {
  PlacedSearch search{members, placed.problem.slowdown, {}};
  for (const Plan& plan : placed.plans) {
    PlacedSearch::Prediction p{1 / plan.seconds, {plan.strategy, {}}};
    for (std::size_t m = 0; m < plan.ways.size(); ++m) {
      const Way& way = placed.problem.members[m][plan.ways[m]];
      p.placement.seats.push_back({way.backend, way.batch_size});
    }
    search.predicted.push_back(std::move(p));
  }
  return search;
}

void verify(const PlaceRequest& request, const Bench& bench, Placed& placed) {
  std::vector<Case> cases;
  const auto add = [&](const Case& c) {
    const std::string key = case_key(c);
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& other) { return case_key(other) == key; })) {
      cases.push_back(c);
    }
  };
  for (const Plan& plan : placed.plans) {
    if (cases.size() < kVerifiedPlans) add(plan_case(request, placed.problem, plan));
  }
  std::optional<Case> plain = plain_case(request, placed.problem, "pipelined");
  if (plain) add(*plain);
  if (const auto study = plain_case(request, placed.problem, "sequential")) add(*study);
  if (plain) {  // of one graph nothing can be predicted
    plain->strategy = kMerged;
    add(*plain);
  }
  if (bench.found) bench.found(search_found(placed, members_of(request.ensemble.model)));
  placed.verified = bench.measure(PlaceStep::kPlans, cases);
  placed.interrupted = placed.verified.size() < cases.size();
  placed.winner = fastest(placed.verified);
}

struct StepRow {
  const char *stored, *said;
};

const StepRow& row_of(PlaceStep step) {
  static constexpr StepRow kRows[] = {{"alone", "each member alone"},
                                      {"pairs", "members beside each other"},
                                      {"plans", "the best plans and the plain strategies, interleaved"}};
  return kRows[static_cast<std::size_t>(step)];
}

}  // namespace

const char* to_string(PlaceStep step) { return row_of(step).stored; }
const char* describe(PlaceStep step) { return row_of(step).said; }

std::optional<std::size_t> fastest(const std::vector<Outcome>& outcomes) {
  std::optional<std::size_t> best;
  double most = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto rate = value_of(outcomes[i], "throughput");
    if (!rate || *rate <= most) continue;
    most = *rate;
    best = i;
  }
  return best;
}

Placed place(const PlaceRequest& request, const Bench& bench) {
  Placed placed;
  Results results(bench, placed);
  const std::vector<std::string> members = members_of(request.ensemble.model);
  if (!results.want(PlaceStep::kAlone, cost_cases(request))) return placed;
  placed.problem.threads = request.ensemble.threads;
  placed.problem.memory_limit = request.memory_limit;
  for (const std::string& member : members) {
    placed.problem.members.push_back(ways_of(request, member, results));
    if (!placed.problem.members.back().empty()) continue;
    throw Error(ErrorCode::kUnavailable,
                "no engine that was asked for could be measured with this member: its rows in the results say why",
                member);
  }
  for (const std::string& backend : request.backends) {
    const Case c = member_case(request, members.front(), backend, request.ensemble.batch_size, Goal::kThroughput);
    placed.problem.libraries.emplace_back(backend, results.value(c, "memory.library").value_or(0) * kMiB);
  }
  if (!measure_interference(request, members, results, placed)) return placed;
  placed.plans = best_plans(placed.problem, kPlans);
  if (placed.plans.empty()) {
    throw Error(ErrorCode::kOutOfMemory,
                "no placement of the members fits into the memory allowed; raise "
                "--memory-limit, or take a smaller batch",
                request.ensemble.model);
  }
  verify(request, bench, placed);
  return placed;
}

}  // namespace assay::tune
