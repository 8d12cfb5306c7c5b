#pragma once
// A search's test double: numbers that are made up, and what was asked for.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tune/place.hpp"

namespace assay::tune {

/// Seconds a sample: member, and its engine (engine_of, of the CPU without the device).
using MadeUpCosts = std::map<std::pair<std::string, std::string>, double>;

inline constexpr std::int64_t kBatch = 8;

class FakeBench {
 public:
  explicit FakeBench(MadeUpCosts costs) : costs_(std::move(costs)) {}

  Bench bench() {
    return {[this](const Case& c) -> std::optional<Outcome> {
              if (!stored) return std::nullopt;
              ++asked_of_store;
              return outcome(c);
            },
            [this](const std::vector<Case>& cases) {
              std::vector<Outcome> outcomes;
              if (!stored || !of_one_campaign) return outcomes;
              for (const Case& c : cases) outcomes.push_back(outcome(c));
              return outcomes;
            },
            [this](PlaceStep step, const std::vector<Case>& cases) {
              said.emplace_back(to_string(step));
              std::vector<Outcome> outcomes;
              if (step == PlaceStep::kPlans && rounds++ >= failing_rounds) placed_fails = 0;
              for (const Case& c : cases) {
                if (static_cast<int>(measured.size()) >= most) break;
                measured.push_back(c);
                outcomes.push_back(outcome(c));
              }
              return outcomes;
            },
            [this](const PlacedSearch& search) {
              said.emplace_back("found");
              found = search;
            }};
  }

  /// An ensemble takes the sum of its members, times `penalty` where it is placed on several engines.
  Outcome outcome(const Case& c) const {
    Outcome o;
    o.test_case = c;
    double seconds = 0;
    const std::vector<std::string> members = members_of(c.model);
    const std::vector<std::string> names = member_names(members);
    const std::set<std::string> distinct(members.begin(), members.end());
    for (std::size_t m = 0; m < members.size(); ++m) {
      const bool seated = m < c.placement.seats.size();
      const std::string device = device_of(c, m);
      const auto it = costs_.find({members[m], engine_of({.backend = seated ? c.placement.seats[m].backend : c.backend,
                                                          .device = device == "cpu" ? "" : device})});
      if (it == costs_.end()) {
        o.state = OutcomeState::kFailed;
        return o;
      }
      const bool small = seated ? c.placement.seats[m].batch_size > 0 : c.batch_size < kBatch;
      seconds += it->second * (small ? small_batch : 1);
      o.metrics.push_back({"member." + names[m] + ".latency.mean",
                           "ms",
                           2e3 * it->second * static_cast<double>(c.batch_size) * (distinct.size() > 1 ? beside : 1),
                           {},
                           {},
                           1,
                           ""});
    }
    if (c.strategy == "placed" && c.combine != "members" && placed_fails > 0) {  // a plan, not a pair
      o.state = OutcomeState::kFailed;
      return o;
    }
    if (c.strategy == "placed") seconds *= penalty;
    if (c.strategy == "sequential") seconds *= 1.1;
    o.state = OutcomeState::kMeasured;
    o.metrics.push_back({"throughput", "1/s", 1 / seconds, {}, {}, 1, ""});
    o.metrics.push_back({"latency.p50", "ms", 1e3 * 1.1 * seconds * static_cast<double>(c.batch_size), {}, {}, 1, ""});
    o.metrics.push_back({"memory.model", "MiB", 100, {}, {}, 1, ""});
    o.metrics.push_back({"memory.library", "MiB", 50, {}, {}, 1, ""});
    if (c.device != "cpu" && device_mib > 0) o.metrics.push_back({"memory.device", "MiB", device_mib, {}, {}, 1, ""});
    return o;
  }

  bool stored = false, of_one_campaign = true;
  int asked_of_store = 0, most = 1000;
  int rounds = 0, failing_rounds = 0, placed_fails = 0;  ///< placed plans fail in as many campaigns of plans
  double penalty = 1, beside = 1, device_mib = 0;
  double small_batch = 1;  ///< times what a sample costs in a batch below the ensemble's
  std::vector<std::string> said;
  std::vector<Case> measured;
  PlacedSearch found;

 private:
  MadeUpCosts costs_;
};

inline PlaceRequest request() {
  PlaceRequest r;
  r.ensemble.model = "a+b";
  r.ensemble.batch_size = kBatch;
  r.ensemble.threads = 2;
  r.backends = {"x", "y"};
  return r;
}

inline const MadeUpCosts kEachItsOwn = {{{"a", "x"}, 1}, {{"a", "y"}, 2}, {{"b", "x"}, 3}, {{"b", "y"}, 2}};

}  // namespace assay::tune
