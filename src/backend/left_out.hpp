#pragma once
// Backends that Assay has and that a build leaves out where what they are built from is not there.

#include <string>
#include <string_view>
#include <vector>

namespace assay::backend {

struct Optional {
  std::string_view name;
  std::string_view how;  ///< to get a build that has it
};

/// nullptr: no backend that may be left out is called so.
const Optional* find_optional(std::string_view name);

/// Why there is none, and what to do: "this build of Assay is without mlir: …".
std::string why_left_out(const Optional& backend);

/// That there is no such backend among these, and what to do.
std::string why_none(const std::string& name, const std::vector<std::string>& there);

/// Those that no folder of plugins has: all that may be left out, but these names.
std::vector<const Optional*> left_out(const std::vector<std::string>& there);

}  // namespace assay::backend
