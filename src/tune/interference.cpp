#include "tune/interference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/add_once.hpp"
#include "core/case.hpp"

namespace assay::tune {
namespace {

/// Where the member is quickest.
Engine quickest(const std::vector<Way>& ways) {
  const auto least =
      std::min_element(ways.begin(), ways.end(), [](const Way& a, const Way& b) { return a.spread < b.spread; });
  return {least->backend, least->device};
}

/// Of a batch of the member in that ensemble, ms; where it is there several times, in the mean.
std::optional<double> member_latency(const Results& results, const Case& c, const std::string& member) {
  const std::vector<std::string> models = members_of(c.model);
  const std::vector<std::string> names = member_names(models);
  double sum = 0, count = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (models[m] != member) continue;
    const auto latency = results.value(c, fmt::format("member.{}.latency.mean", names[m]));
    if (!latency) return std::nullopt;
    sum += *latency;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

/// Seconds a sample of the member on that engine in the ensemble's batch, as it was measured alone.
std::optional<double> seconds_alone(const PlaceRequest& request, const std::vector<Way>& ways, const Engine& engine) {
  for (const Way& way : ways) {
    if (Engine{way.backend, way.device} == engine && way.batch_size == request.ensemble.batch_size) return way.spread;
  }
  return std::nullopt;
}

/// Of a batch on one of the lanes of a pair: on the CPU they have a thread each, of all on which it was measured;
/// elsewhere they share the device.
double seconds_on_a_lane(const PlaceRequest& request, const Engine& engine, double seconds) {
  return seconds * (engine.device == kCpu ? request.ensemble.threads : pair_lanes(request, engine.device));
}

/// On which engine each member is beside others: the one that suits it best, or where devices are several and one may
/// be too much for all, that of the best plan as far as is known by then.
std::vector<Engine> engines_of_pairs(const PlaceRequest& request, const Problem& problem) {
  std::vector<Engine> engines;
  const std::vector<Plan> best = has_several_devices(request) ? best_plans(problem, 1) : std::vector<Plan>();
  for (std::size_t m = 0; m < problem.members.size(); ++m) {
    if (best.empty()) {
      engines.push_back(quickest(problem.members[m]));
    } else {
      const Way& way = problem.members[m][best.front().ways[m]];
      engines.push_back({way.backend, way.device});
    }
  }
  return engines;
}

/// Member i beside j, each on its engine: one case tells of both. The cheaper one computes all the time.
Case beside_case(const PlaceRequest& request, const Problem& problem, const std::vector<Engine>& engines, std::size_t i,
                 std::size_t j) {
  const std::vector<std::string> all = members_of(request.ensemble.model);
  i = problem.same_as[i];  // one that is there twice is measured in its first place
  j = problem.same_as[j];
  if (j < i) std::swap(i, j);
  Beside a{all[i], engines[i]}, b{all[j], engines[j]};
  const bool across = a.engine.device != b.engine.device;
  const auto first = seconds_alone(request, problem.members[i], a.engine);
  const auto second = seconds_alone(request, problem.members[j], b.engine);
  if (first && second) {  // else the case will say why
    const double of_a = seconds_on_a_lane(request, a.engine, *first);
    const double of_b = seconds_on_a_lane(request, b.engine, *second);
    (of_a < of_b ? a : b).times = times_beside(std::max(of_a, of_b), std::min(of_a, of_b));
    if (!across && of_a < of_b) std::swap(a, b);
  }
  return across ? across_case(request, a, b) : pair_case(request, a, b);
}

}  // namespace

bool measure_interference(const PlaceRequest& request, const std::vector<std::string>& all, Results& results,
                          Placed& placed) {
  if (!measures_pairs(request)) return true;
  Problem& problem = placed.problem;
  const std::size_t n = all.size();
  const std::vector<Engine> engines = engines_of_pairs(request, problem);
  std::vector<std::string> devices;
  for (const std::size_t first : problem.same_as) devices.push_back(engines[first].device);
  const auto pair = [&](std::size_t i, std::size_t j) { return beside_case(request, problem, engines, i, j); };
  std::vector<Case> cases;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const bool repeated = problem.same_as[i] != i || problem.same_as[j] != j;
      if (repeated || !are_side_by_side(request, devices[i], devices[j])) continue;
      add_once(cases, pair(i, i), case_key);
      add_once(cases, pair(i, j), case_key);
    }
  }
  if (cases.empty()) return true;
  if (!results.want_together(PlaceStep::kPairs, cases)) return false;
  problem.slowdown_devices = devices;
  problem.slowdown.assign(n, std::vector<double>(n, std::nan("")));
  for (std::size_t i = 0; i < n; ++i) {
    const auto itself = member_latency(results, pair(i, i), all[i]);
    for (std::size_t j = 0; j < n; ++j) {
      const auto beside = member_latency(results, pair(i, j), all[i]);
      if (beside && itself && *itself > 0) problem.slowdown[i][j] = *beside / *itself;
    }
  }
  return true;
}

}  // namespace assay::tune
