#pragma once

#include <string>

#include "core/campaign.hpp"

namespace assay::cli {

/// The C++ that loads an ensemble as a case of the campaign had it; a plan's members each with their engine and batch.
std::string loading_code(const Campaign& campaign, const Case& c);

}  // namespace assay::cli
