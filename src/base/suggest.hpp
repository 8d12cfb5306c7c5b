#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// The candidates that `name` may be a misspelling of, nearest first: those within a third of its length in insertions,
/// deletions, replacements and neighbours swapped, and those that begin with it.
std::vector<std::string> near_names(std::string_view name, std::span<const std::string> candidates);

/// The end of a message about an unknown name: "did you mean 'a' or 'b'?", else "there are a, b and c".
std::string name_advice(std::string_view name, std::span<const std::string> candidates);

}  // namespace assay
