#include "tune/results.hpp"

#include <set>
#include <utility>

namespace assay::tune {

bool Results::want(PlaceStep step, const std::vector<Case>& cases) {
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
  return missing.empty() || measure(step, missing);
}

bool Results::want_together(PlaceStep step, const std::vector<Case>& cases) {
  std::vector<Outcome> stored = bench_.stored_together(cases);
  if (stored.size() < cases.size()) return measure(step, cases);
  placed_.reused += stored.size();
  keep(std::move(stored));
  return true;
}

std::optional<double> Results::value(const Case& c, const std::string& tag) const {
  const auto it = known_.find(case_key(c));
  return it == known_.end() ? std::nullopt : measured_value(it->second, tag);
}

bool Results::measure(PlaceStep step, const std::vector<Case>& cases) {
  std::vector<Outcome> outcomes = bench_.measure(step, cases);
  placed_.measured += outcomes.size();
  placed_.interrupted = outcomes.size() < cases.size();
  keep(std::move(outcomes));
  return !placed_.interrupted;
}

void Results::keep(std::vector<Outcome> outcomes) {
  for (Outcome& o : outcomes) {
    std::string key = case_key(o.test_case);
    known_.insert_or_assign(std::move(key), std::move(o));
  }
}

}  // namespace assay::tune
