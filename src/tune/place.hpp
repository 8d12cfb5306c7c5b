#pragma once
// Strategy "placed": what the members cost is measured, a plan is found, and it is verified against its rivals.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/search.hpp"
#include "tune/place_cases.hpp"

namespace assay::tune {

/// The campaigns of a search, in this order.
enum class PlaceStep { kAlone, kPairs, kPlans };
/// "alone", "pairs", "plans": as it is stored.
const char* to_string(PlaceStep step);
/// "each member alone": for people.
const char* describe(PlaceStep step);

/// Where numbers come from: stored results of this machine, or a campaign. Outcomes in the order of the cases.
struct Bench {
  /// A result of just this case on this machine with these versions; nothing where there is none.
  std::function<std::optional<Outcome>(const Case&)> stored;
  /// Results of all of these, of one campaign; empty where none has them all.
  std::function<std::vector<Outcome>(const std::vector<Case>&)> stored_together;
  /// Measures. Fewer outcomes than cases: it was interrupted.
  std::function<std::vector<Outcome>(PlaceStep, const std::vector<Case>&)> measure;
  /// Called with what was found before each campaign that verifies some of it; may be empty.
  std::function<void(const PlacedSearch&)> found = {};
  /// Whether this search has measured that plan before, and it failed: it is not tried again. May be empty: none did.
  std::function<bool(const Case&)> failed = {};
};

struct Placed {
  Problem problem;
  std::vector<Plan> plans;  ///< predicted, the best first
  /// Of the best plans that run and their rivals, one interleaved run; empty where all plans had failed before.
  std::vector<Outcome> verified;
  std::optional<std::size_t> winner;     ///< into `verified`; nothing where none was measured
  std::size_t measured = 0, reused = 0;  ///< cases of the search
  bool interrupted = false;
};

/// The outcome of the most throughput; nothing where none was measured.
std::optional<std::size_t> fastest(const std::vector<Outcome>& outcomes);

/// Of the cases of one campaign of plans: whether one that the search found, which come before their rivals, was
/// measured; else the next ones are to be tried.
bool any_found_measured(const std::vector<Case>& cases, const std::vector<Outcome>& outcomes);

Placed place(const PlaceRequest& request, const Bench& bench);

}  // namespace assay::tune
