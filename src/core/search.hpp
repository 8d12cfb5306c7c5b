#pragma once
// What a search for a placement found, as it is kept with the campaign that verifies it.

#include <optional>
#include <string>
#include <vector>

#include "core/campaign.hpp"

namespace assay {

struct PlacedSearch {
  struct Prediction {
    double rate = 0;  ///< samples a second
    /// Each seat with its batch size, which is not 0, and its threads (0: of older versions, and of a member on another
    /// device than the CPU); in a search over several devices each with its own.
    Placement placement;
  };
  std::vector<std::string> members;
  /// [i][j]: how many times longer member i takes while j computes beside it than beside itself; NaN (JSON: null): that
  /// pair could not be measured; empty: none was.
  std::vector<std::vector<double>> slowdown;
  std::vector<Prediction> predicted;  ///< the best first
  /// Where each member was beside others; empty: all on one device. Of two on different ones: i beside itself, with j
  /// on the other device, over without.
  std::vector<std::string> slowdown_devices{};
  std::vector<Case> failed{};  ///< plans that could not be measured in the search's earlier campaigns
};

/// The entry of the campaign's environment that holds it.
inline constexpr const char* kSearchKey = "placed.search";

/// The value of that entry: JSON, as docs/results-schema.md has it.
std::string to_text(const PlacedSearch& search);
/// What the campaign verifies; nothing where it is of no search. Throws Error(kInvalidArgument).
std::optional<PlacedSearch> search_of(const Campaign& campaign);

}  // namespace assay
