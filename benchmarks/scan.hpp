#pragma once
// Whether a scan is exhaustive.

#include <string>
#include <vector>

#include "core/campaign.hpp"

namespace assay::bench {

/// The cases of which the campaign has no figure, each with the reason.
std::vector<std::string> not_measured(const std::vector<Case>& cases, const Campaign& campaign);

}  // namespace assay::bench
