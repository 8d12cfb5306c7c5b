#pragma once

#include <string>
#include <vector>

#include "core/case.hpp"

namespace assay::cli {

/// What an engine's own settings are worth: each case is followed by cases that differ from it in one option, at each
/// of the option's other values (of a list: nothing, and each of its choices alone). `chosen`: names of options
/// ("BACKEND.NAME" for one engine's), or "all": every option with a list of values. Options that a case sets already
/// stay as they are. Throws Error(kInvalidArgument) for an option that no engine of the cases has, or that has no list
/// of values.
std::vector<Case> ablated(const std::vector<Case>& cases, const std::vector<std::string>& chosen);

}  // namespace assay::cli
