#pragma once
// What a search for a placement found, as it is kept with the campaign that verifies it.

#include <optional>
#include <string>
#include <vector>

#include "core/campaign.hpp"

namespace assay {

struct PlacedSearch {
  struct Prediction {
    double rate = 0;      ///< samples a second
    Placement placement;  ///< each seat with its batch size and threads: none is 0 (threads: of older versions)
  };
  std::vector<std::string> members;
  /// [i][j]: how many times longer member i takes while j computes beside it than beside itself; NaN (JSON: null): that
  /// pair could not be measured; empty: none was.
  std::vector<std::vector<double>> slowdown;
  std::vector<Prediction> predicted;  ///< the best first
};

/// The entry of the campaign's environment that holds it.
inline constexpr const char* kSearchKey = "placed.search";

/// The value of that entry: JSON, as docs/results-schema.md has it.
std::string to_text(const PlacedSearch& search);
/// What the campaign verifies; nothing where it is of no search. Throws Error(kInvalidArgument).
std::optional<PlacedSearch> search_of(const Campaign& campaign);

}  // namespace assay
