#pragma once
// Nodes of a case on another device than it asked for: fewer than would fail it.

#include <map>
#include <optional>
#include <string>

#include "core/campaign.hpp"

namespace assay::measure {

/// `in_force`: "nodes.cpu" with count and names, and "nodes.cpu.operators"; of an ensemble's members "NAME.nodes.cpu".
/// Nothing where no node fell back, or the case is the CPU's.
std::optional<Warning> fallback_warning(const Case& c, const std::map<std::string, std::string>& in_force);

}  // namespace assay::measure
