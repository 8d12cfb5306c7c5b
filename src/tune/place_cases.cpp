#include "tune/place_cases.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "core/json.hpp"

namespace assay::tune {

std::string to_text(const std::vector<PlaceRequest>& requests) {
  nlohmann::json all = nlohmann::json::array();
  for (const PlaceRequest& r : requests) {
    all.push_back({{"ensemble", to_json(r.ensemble)}, {"backends", r.backends}, {"batches", r.batches}});
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
      j.at("batches").get_to(r.batches);
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
  for (const std::string& member : members_of(request.ensemble.model)) {
    if (std::find(distinct.begin(), distinct.end(), member) == distinct.end()) distinct.push_back(member);
  }
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

std::vector<int> lane_threads(const PlaceRequest& request) {
  const auto lanes = static_cast<int>(members_of(request.ensemble.model).size());
  std::vector<int> counts;
  if (lanes < 2) return counts;
  for (int count = 2; count <= request.ensemble.threads - (lanes - 1); count *= 2) counts.push_back(count);
  return counts;
}

Case member_case(const PlaceRequest& request, const std::string& member, const std::string& backend, std::int64_t batch,
                 Goal goal, int threads) {
  Case c = request.ensemble;
  c.model = member;
  c.strategy = Case().strategy;
  c.combine = Case().combine;
  c.weights.clear();
  c.placement = {};
  c.backend = backend;
  c.batch_size = batch;
  c.goal = goal;
  if (threads > 0) c.threads = threads;
  name_inputs(request, {member}, c);
  return c;
}

std::vector<Case> cost_cases(const PlaceRequest& request) {
  std::vector<Case> cases;
  for (const std::string& member : distinct_members(request)) {
    for (const std::string& backend : request.backends) {
      for (const std::int64_t batch : batches_of(request)) {
        for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
          cases.push_back(member_case(request, member, backend, batch, goal));
        }
        for (const int threads : lane_threads(request)) {
          cases.push_back(member_case(request, member, backend, batch, Goal::kLatency, threads));
        }
      }
    }
  }
  return cases;
}

bool measures_pairs(const PlaceRequest& request) {
  return request.interference && request.ensemble.threads > 1 && members_of(request.ensemble.model).size() > 1;
}

Case pair_case(const PlaceRequest& request, const std::string& a, const std::string& b, const std::string& backend,
               int times) {
  Case c = request.ensemble;
  std::vector<std::string> members(static_cast<std::size_t>(times), b);
  members.insert(members.begin(), a);
  c.model = joined_members(members);
  c.strategy = "concurrent";  // the costliest has a lane of its own, the other lane all the rest
  c.threads = 2;
  c.weights.clear();
  c.combine = "members";  // nothing is combined: outputs need not fit together
  c.placement = {};
  c.backend = backend;
  c.goal = Goal::kThroughput;
  name_inputs(request, members, c);
  return c;
}

int times_beside(double costlier, double cheaper) {
  constexpr double kMost = 8;  // each is a member of the ensemble, with an output of its own
  return static_cast<int>(std::clamp(std::round(costlier / cheaper), 1.0, kMost));
}

Case plan_case(const PlaceRequest& request, const Problem& problem, const Plan& plan) {
  Case c = request.ensemble;
  c.placement = {};
  std::vector<std::string> backends;
  const bool own_threads = !plan.threads.empty() && divides_threads(problem, plan.strategy);
  bool same = true;
  for (std::size_t m = 0; m < plan.ways.size(); ++m) {
    const Way& way = problem.members[m][plan.ways[m]];
    const bool whole = way.batch_size == request.ensemble.batch_size;
    const int threads = own_threads ? plan.threads[m] : 0;
    c.placement.seats.push_back({way.backend, whole ? 0 : way.batch_size, threads});
    same = same && way.backend == c.placement.seats.front().backend && whole && !own_threads;
    if (std::find(backends.begin(), backends.end(), way.backend) == backends.end()) backends.push_back(way.backend);
  }
  std::sort(backends.begin(), backends.end());
  c.backend = joined_members(backends);
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
  const std::string& backend = request.backends.front();
  Foreseen f;
  f.alone = cost_cases(request);
  if (measures_pairs(request)) {
    for (const std::string& a : members) {
      for (const std::string& b : members) {
        f.pairs.push_back(pair_case(request, a, b, backend));
      }
    }
  }
  Case plan = request.ensemble;
  plan.placement = {};
  plan.backend = backend;
  plan.strategy = "pipelined";
  f.plans.assign(kVerifiedPlans, plan);
  for (const char* strategy : {"sequential", kMerged}) {
    plan.strategy = strategy;
    f.plans.push_back(plan);
  }
  return f;
}

}  // namespace assay::tune
