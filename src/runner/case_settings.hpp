#pragma once
// A case's settings back in the words of the command line.

#include <span>
#include <string>
#include <vector>

#include "core/case.hpp"

namespace assay::runner {

using Words = std::vector<std::string>;

struct CaseSetting {
  const char* option;                  ///< "--threads"
  bool listed;                         ///< values are joined by commas; else the option is repeated
  bool sorted;                         ///< by batch size
  const char* by_default;              ///< what need not be said
  Words (*words)(const Case& c);       ///< of this case
  std::string (*says)(const Case& c);  ///< for a sentence; nullptr: said elsewhere
};

/// "8", or "model".
std::string batch_word(const Case& c);
/// As a shell needs it.
std::string quoted(const std::string& word);

/// All but the model, the goal and the effort.
std::span<const CaseSetting> case_settings();

}  // namespace assay::runner
