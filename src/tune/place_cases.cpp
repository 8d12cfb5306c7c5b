#include "tune/place_cases.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.hpp"
#include "base/add_once.hpp"
#include "core/json.hpp"

namespace assay::tune {
std::string to_text(const std::vector<PlaceRequest>& requests) {
  nlohmann::json all = nlohmann::json::array();
  for (const PlaceRequest& r : requests) {
    all.push_back(
        {{"ensemble", to_json(r.ensemble)}, {"backends", r.backends}, {"devices", r.devices}, {"batches", r.batches}});
    if (r.all_backends) all.back()["all_backends"] = true;
  }
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<PlaceRequest> requests_from_text(const std::string& text, const std::string& context) {
  std::vector<PlaceRequest> requests;
  const nlohmann::json all = parse_json(text, context);
  try {
    for (const nlohmann::json& j : all) {
      PlaceRequest& r = requests.emplace_back();
      r.ensemble = case_from_json(j.at("ensemble"));
      j.at("backends").get_to(r.backends);
      r.devices = {r.ensemble.device};  // of older versions, which searched one device at a time
      if (j.contains("devices")) j.at("devices").get_to(r.devices);
      j.at("batches").get_to(r.batches);
      r.all_backends = j.value("all_backends", false);
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorCode::kInvalidArgument, std::string("these are no requests for a placement: ") + e.what(),
                context);
  }
  return requests;
}

namespace {

/// What is said of the ensemble's inputs, as these members name them.
void name_inputs(const PlaceRequest& request, const std::vector<std::string>& members, Case& c) {
  if (request.files.empty()) return;
  const std::vector<std::string> all = members_of(request.ensemble.model);
  std::vector<std::size_t> chosen;
  for (const std::string& member : members) {
    chosen.push_back(static_cast<std::size_t>(std::find(all.begin(), all.end(), member) - all.begin()));
  }
  worker::rename_inputs(request.files, chosen, c);
}

/// The models of the ensemble, each once: one that is there twice costs the same in both places.
std::vector<std::string> distinct_members(const PlaceRequest& request) {
  std::vector<std::string> distinct;
  for (const std::string& member : members_of(request.ensemble.model)) add_once(distinct, member);
  return distinct;
}

}  // namespace

std::vector<std::int64_t> batches_of(const PlaceRequest& request) {
  std::vector<std::int64_t> batches = {request.ensemble.batch_size};
  for (const std::int64_t batch : request.batches) {
    if (batch < request.ensemble.batch_size && std::find(batches.begin(), batches.end(), batch) == batches.end()) {
      batches.push_back(batch);
    }
  }
  return batches;
}

std::vector<Engine> engines_of(const PlaceRequest& request) {
  std::vector<Engine> engines;
  for (const std::string& backend : request.backends) {
    for (const std::string& device : request.devices) engines.push_back({backend, device});
  }
  return engines;
}

std::vector<int> lane_threads(const PlaceRequest& request) {
  const auto lanes = static_cast<int>(members_of(request.ensemble.model).size());
  std::vector<int> counts;
  if (lanes < 2) return counts;
  const int for_others = has_several_devices(request) ? 1 : lanes - 1;
  for (int count = 2; count <= request.ensemble.threads - for_others; count *= 2) counts.push_back(count);
  return counts;
}

std::vector<int> lane_threads(const PlaceRequest& request, const Engine& engine) {
  return engine.device == kCpu || !has_several_devices(request) ? lane_threads(request) : std::vector<int>();
}

Case member_case(const PlaceRequest& request, const std::string& member, const Engine& engine, std::int64_t batch,
                 Goal goal, int threads) {
  Case c = request.ensemble;
  c.model = member;
  c.strategy = Case().strategy;
  c.combine = Case().combine;
  c.weights.clear();
  c.placement = {};
  c.backend = engine.backend;
  c.device = engine.device;
  c.batch_size = batch;
  c.goal = goal;
  if (threads > 0) c.threads = threads;
  name_inputs(request, {member}, c);
  return c;
}

std::vector<Case> cost_cases(const PlaceRequest& request) {
  std::vector<Case> cases;
  for (const std::string& member : distinct_members(request)) {
    for (const Engine& engine : engines_of(request)) {
      for (const std::int64_t batch : batches_of(request)) {
        for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
          cases.push_back(member_case(request, member, engine, batch, goal));
        }
        for (const int threads : lane_threads(request, engine)) {
          cases.push_back(member_case(request, member, engine, batch, Goal::kLatency, threads));
        }
      }
    }
  }
  return cases;
}

bool measures_pairs(const PlaceRequest& request) {
  const bool any_side_by_side = request.ensemble.threads > 1 || has_several_devices(request);
  return request.interference && any_side_by_side && members_of(request.ensemble.model).size() > 1;
}

bool are_side_by_side(const PlaceRequest& request, const std::string& a, const std::string& b) {
  return request.ensemble.threads > 1 || a != kCpu || b != kCpu;
}

int pair_lanes(const PlaceRequest& request, const std::string& device) {
  constexpr int kLanes = 2;
  return device == kCpu ? std::clamp(request.ensemble.threads, 1, kLanes) : kLanes;
}

namespace {

/// These members on so many threads.
Case case_of_pair(const PlaceRequest& request, const std::vector<std::string>& members, int threads) {
  Case c = request.ensemble;
  c.model = joined_members(members);
  c.threads = threads;
  c.weights.clear();
  c.combine = "members";  // nothing is combined: outputs need not fit together
  c.placement = {};
  c.goal = Goal::kThroughput;
  name_inputs(request, members, c);
  return c;
}

/// Sorted, each once.
std::string joined(const std::set<std::string>& names) { return joined_members({names.begin(), names.end()}); }

/// A placement's engines and devices, and of several devices each member's own.
void place_on(const std::vector<Engine>& engines, Case& c) {
  std::set<std::string> backends, devices;
  for (const Engine& engine : engines) {
    backends.insert(engine.backend);
    devices.insert(engine.device);
  }
  c.backend = joined(backends);
  c.device = joined(devices);
  for (std::size_t m = 0; m < engines.size(); ++m) {
    c.placement.seats[m].backend = engines[m].backend;
    if (devices.size() > 1) c.placement.seats[m].device = engines[m].device;
  }
}

/// A pair's members, each on its engine.
void place_pair(const char* strategy, const std::vector<Engine>& engines, Case& c) {
  c.strategy = kPlaced;
  c.placement.strategy = strategy;
  c.placement.seats.resize(engines.size());
  place_on(engines, c);
}

}  // namespace

Case pair_case(const PlaceRequest& request, const Beside& a, const Beside& b) {
  std::vector<std::string> members(static_cast<std::size_t>(b.times), b.member);
  members.insert(members.begin(), a.member);
  Case c = case_of_pair(request, members, pair_lanes(request, a.engine.device));
  c.strategy = kConcurrent;  // the costliest has a lane of its own, the other lane all the rest
  c.backend = a.engine.backend;
  c.device = a.engine.device;
  if (a.engine == b.engine) return c;
  std::vector<Engine> engines(members.size(), b.engine);
  engines.front() = a.engine;
  place_pair(kConcurrent, engines, c);
  return c;
}

Case across_case(const PlaceRequest& request, const Beside& a, const Beside& b) {
  std::vector<std::string> members;
  std::vector<Engine> engines;
  for (const Beside* one : {&a, &b}) {
    const auto copies =
        static_cast<std::size_t>(pair_lanes(request, one->engine.device)) * static_cast<std::size_t>(one->times);
    members.insert(members.end(), copies, one->member);
    engines.insert(engines.end(), copies, one->engine);
  }
  Case c = case_of_pair(request, members, pair_lanes(request, kCpu));
  place_pair(kPipelined, engines, c);  // a lane for each thread, and two on another device
  return c;
}

int times_beside(double costlier, double cheaper) {
  constexpr double kMost = 8;  // each is a member of the ensemble, with an output of its own
  return static_cast<int>(std::clamp(std::round(costlier / cheaper), 1.0, kMost));
}

Case plan_case(const PlaceRequest& request, const Problem& problem, const Plan& plan) {
  Case c = request.ensemble;
  c.placement = {};
  std::vector<Engine> engines;
  const bool own_threads = !plan.threads.empty() && divides_threads(problem, plan.strategy, plan.ways);
  bool same = true;
  for (std::size_t m = 0; m < plan.ways.size(); ++m) {
    const Way& way = problem.members[m][plan.ways[m]];
    const bool whole = way.batch_size == request.ensemble.batch_size;
    const int threads = own_threads ? plan.threads[m] : 0;
    engines.push_back({way.backend, way.device});
    c.placement.seats.push_back({way.backend, whole ? 0 : way.batch_size, threads});
    same = same && engines.back() == engines.front() && whole && !own_threads;
  }
  place_on(engines, c);
  if (same) {  // no placement: it is the plain strategy on one engine
    c.placement = {};
    c.strategy = plan.strategy;
  } else {
    c.placement.strategy = plan.strategy;
    c.strategy = kPlaced;
  }
  return c;
}

Foreseen foreseen(const PlaceRequest& request) {
  const std::vector<std::string> members = distinct_members(request);
  const Engine engine = engines_of(request).front();
  Foreseen f;
  f.alone = cost_cases(request);
  if (measures_pairs(request)) {
    for (const std::string& a : members) {
      for (const std::string& b : members) {
        f.pairs.push_back(pair_case(request, {a, engine}, {b, engine}));
      }
    }
  }
  Case plan = request.ensemble;
  plan.placement = {};
  plan.backend = engine.backend;
  plan.device = engine.device;
  plan.strategy = kPipelined;
  f.plans.assign(kVerifiedPlans, plan);
  for (const char* strategy : {kSequential, kMerged}) {
    plan.strategy = strategy;
    f.plans.push_back(plan);
  }
  return f;
}

}  // namespace assay::tune
