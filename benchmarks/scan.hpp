#pragma once
// Whether a scan is exhaustive.

#include <string>
#include <vector>

#include "core/campaign.hpp"

namespace assay::bench {

struct Missing {
  Case test_case;
  std::string reason;
};
/// The cases of which the campaign has no figure; where it has several outcomes of one, the last counts.
std::vector<Missing> not_measured(const std::vector<Case>& cases, const Campaign& campaign);

}  // namespace assay::bench
