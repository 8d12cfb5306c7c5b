#include "scan.hpp"

#include <map>

namespace assay::bench {

std::vector<Missing> not_measured(const std::vector<Case>& cases, const Campaign& campaign) {
  std::map<std::string, const Outcome*> outcomes;
  for (const Outcome& o : campaign.outcomes) outcomes[case_key(o.test_case)] = &o;
  std::vector<Missing> missing;
  for (const Case& c : cases) {
    const auto it = outcomes.find(case_key(c));
    if (it != outcomes.end() && measured_value(*it->second, "throughput").value_or(0) > 0) continue;
    missing.push_back({c, it == outcomes.end() ? "it was not reached" : it->second->reason});
  }
  return missing;
}

}  // namespace assay::bench
