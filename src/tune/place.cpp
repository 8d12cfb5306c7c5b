#include "tune/place.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "assay/error.hpp"
#include "base/add_once.hpp"
#include "tune/interference.hpp"
#include "tune/results.hpp"

namespace assay::tune {
namespace {

constexpr double kMs = 1e-3, kMiB = 1024.0 * 1024.0;
/// Plans that are looked at; the two best of different make are verified.
constexpr std::size_t kPlans = 8;

/// Whether it fits where it computes, or that cannot be told: then it is no way.
bool tells_memory(const PlaceRequest& request, const Engine& engine, const std::optional<double>& memory,
                  const std::optional<double>& of_device) {
  if (!memory && request.memory_limit > 0) return false;
  return of_device || engine.device == kCpu || !request.device_limits.contains(engine.device);
}

/// As measured both ways; nothing where it was not.
std::optional<Way> way_on(const PlaceRequest& request, const std::string& member, const Engine& engine,
                          std::int64_t batch, const Results& results) {
  const Case spread = member_case(request, member, engine, batch, Goal::kThroughput);
  const Case whole = member_case(request, member, engine, batch, Goal::kLatency);
  const auto rate = results.value(spread, "throughput");
  const auto latency = results.value(whole, "latency.p50");
  if (!rate || *rate <= 0 || !latency) return std::nullopt;
  const auto memory = results.value(spread, "memory.model");
  const auto of_device = results.value(spread, "memory.device");
  if (!tells_memory(request, engine, memory, of_device)) return std::nullopt;
  const double samples = static_cast<double>(std::max<std::int64_t>(batch, 1));
  Way way{engine.backend, batch, 1 / *rate, *latency * kMs / samples, memory.value_or(0) * kMiB};
  way.device = engine.device;
  way.device_memory = of_device.value_or(0) * kMiB;
  for (const int threads : lane_threads(request, engine)) {
    const Case some = member_case(request, member, engine, batch, Goal::kLatency, threads);
    if (const auto ms = results.value(some, "latency.p50")) way.on_threads[threads] = *ms * kMs / samples;
  }
  return way;
}

/// A way for each engine and batch that was measured both ways.
std::vector<Way> ways_of(const PlaceRequest& request, const std::string& member, const Results& results) {
  std::vector<Way> ways;
  for (const Engine& engine : engines_of(request)) {
    for (const std::int64_t batch : batches_of(request)) {
      if (auto way = way_on(request, member, engine, batch, results)) ways.push_back(std::move(*way));
    }
  }
  return ways;
}

/// Of the engine's library, as the first of its cases tells that was measured: on whichever device, for it is opened
/// and asked for its devices before one of them is used. What it takes for a device's sake is in the members' memory.
double library_bytes(const PlaceRequest& request, const std::string& backend, const Results& results) {
  for (const Case& c : cost_cases(request)) {
    if (c.backend != backend) continue;
    if (const auto mib = results.value(c, "memory.library")) return *mib * kMiB;
  }
  return 0;  // nothing runs on it
}

/// A plain strategy on the one framework and device that should do it best.
std::optional<Case> plain_case(const PlaceRequest& request, const Problem& problem, const std::string& strategy) {
  std::optional<Plan> best;
  for (const Engine& engine : engines_of(request)) {
    Plan plan{strategy, {}, 0, 0};
    for (const std::vector<Way>& ways : problem.members) {
      const auto it = std::find_if(ways.begin(), ways.end(), [&](const Way& way) {
        return Engine{way.backend, way.device} == engine && way.batch_size == request.ensemble.batch_size;
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

bool are_several(const std::vector<std::string>& devices) {
  return std::any_of(devices.begin(), devices.end(), [&](const std::string& d) { return d != devices.front(); });
}

PlacedSearch search_found(const PlaceRequest& request, const Placed& placed) {
  PlacedSearch search{members_of(request.ensemble.model), placed.problem.slowdown, {}};
  const std::vector<std::string>& devices = placed.problem.slowdown_devices;
  if (are_several(devices)) search.slowdown_devices = devices;
  for (const Plan& plan : placed.plans) {
    PlacedSearch::Prediction p{1 / plan.seconds, {plan.strategy, {}}};
    for (std::size_t m = 0; m < plan.ways.size(); ++m) {
      const Way& way = placed.problem.members[m][plan.ways[m]];
      const int threads = way.device == kCpu ? plan.threads[m] : 0;  // elsewhere no core computes it
      p.placement.seats.push_back({way.backend, way.batch_size, threads});
      if (has_several_devices(request)) p.placement.seats.back().device = way.device;
    }
    search.predicted.push_back(std::move(p));
  }
  return search;
}

/// What plans have to win against: the study's way on the framework that should do it best, and one graph of all, of
/// which nothing can be predicted, on the framework that should do best with members side by side. (Plain strategies
/// that are predicted well are among the plans.)
std::vector<Case> rivals(const PlaceRequest& request, const Problem& problem) {
  std::vector<Case> cases;
  if (const auto sequential = plain_case(request, problem, kSequential)) cases.push_back(*sequential);
  if (auto merged = plain_case(request, problem, kPipelined)) {
    merged->strategy = kMerged;
    cases.push_back(*merged);
  }
  return cases;
}

/// Those that are none of the others.
std::vector<Case> without(std::vector<Case> cases, const std::vector<Case>& others) {
  std::set<std::string> keys;
  for (const Case& c : others) keys.insert(case_key(c));
  std::erase_if(cases, [&](const Case& c) { return keys.contains(case_key(c)); });
  return cases;
}

/// The best plans against what they have to win against; where all of those plans fail (of memory, say), the next ones.
void verify(const PlaceRequest& request, const Bench& bench, Placed& placed) {
  PlacedSearch search = search_found(request, placed);
  const std::vector<Case> others = rivals(request, placed.problem);
  std::vector<Case> found, failed;
  for (const Plan& plan : placed.plans) add_once(found, plan_case(request, placed.problem, plan), case_key);
  if (bench.failed) std::copy_if(found.begin(), found.end(), std::back_inserter(failed), bench.failed);
  found = without(std::move(found), failed);
  for (std::size_t next = 0; next < found.size(); next += kVerifiedPlans) {
    const auto begin = found.begin() + static_cast<std::ptrdiff_t>(next);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kVerifiedPlans, found.size() - next));
    std::vector<Case> cases(begin, end);
    for (const Case& c : others) add_once(cases, c, case_key);
    search.failed = without(failed, cases);  // a rival is measured each time
    if (bench.found) bench.found(search);
    placed.verified = bench.measure(PlaceStep::kPlans, cases);
    placed.interrupted = placed.verified.size() < cases.size();
    if (placed.interrupted || any_found_measured(cases, placed.verified)) break;
    failed.insert(failed.end(), begin, end);
  }
  placed.winner = fastest(placed.verified);
}

struct StepRow {
  const char *stored, *said;
};

const StepRow& row_of(PlaceStep step) {
  static constexpr StepRow kRows[] = {{"alone", "each member alone"},
                                      {"pairs", "members beside each other"},
                                      {"plans", "the best plans, the study's way and one graph of all, interleaved"}};
  return kRows[static_cast<std::size_t>(step)];
}

}  // namespace

const char* to_string(PlaceStep step) { return row_of(step).stored; }
const char* describe(PlaceStep step) { return row_of(step).said; }

std::optional<std::size_t> fastest(const std::vector<Outcome>& outcomes) {
  std::optional<std::size_t> best;
  double most = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto rate = measured_value(outcomes[i], "throughput");
    if (!rate || *rate <= most) continue;
    most = *rate;
    best = i;
  }
  return best;
}

bool any_found_measured(const std::vector<Case>& cases, const std::vector<Outcome>& outcomes) {
  // Of an odd last plan a rival is taken for one, too: no plan would be next.
  const auto end = cases.begin() + static_cast<std::ptrdiff_t>(std::min(kVerifiedPlans, cases.size()));
  return std::any_of(outcomes.begin(), outcomes.end(), [&](const Outcome& o) {
    const std::string key = case_key(o.test_case);
    return o.state == OutcomeState::kMeasured &&
           std::any_of(cases.begin(), end, [&](const Case& c) { return case_key(c) == key; });
  });
}

Placed place(const PlaceRequest& request, const Bench& bench) {
  Placed placed;
  Results results(bench, placed);
  const std::vector<std::string> members = members_of(request.ensemble.model);
  if (!results.want(PlaceStep::kAlone, cost_cases(request))) return placed;
  placed.problem.threads = request.ensemble.threads;
  placed.problem.memory_limit = request.memory_limit;
  placed.problem.device_limits = request.device_limits;
  for (const std::string& member : members) {
    const auto first = std::find(members.begin(), members.end(), member) - members.begin();
    placed.problem.same_as.push_back(static_cast<std::size_t>(first));
    placed.problem.members.push_back(ways_of(request, member, results));
    if (!placed.problem.members.back().empty()) continue;
    throw Error(ErrorCode::kUnavailable,
                "no engine that was asked for could be measured with this member, its memory included: its rows in the "
                "results say why",
                member);
  }
  for (const std::string& backend : request.backends) {
    placed.problem.libraries.emplace_back(backend, library_bytes(request, backend, results));
  }
  if (!measure_interference(request, members, results, placed)) return placed;
  placed.plans = best_plans(placed.problem, kPlans);
  if (placed.plans.empty()) {
    throw Error(ErrorCode::kOutOfMemory,
                "no placement of the members fits into the memory allowed, or into that of the devices; raise "
                "--memory-limit, or take a smaller batch",
                request.ensemble.model);
  }
  verify(request, bench, placed);
  return placed;
}

}  // namespace assay::tune
