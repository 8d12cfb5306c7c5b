#pragma once
// Strategy "placed": what the members cost is measured, a plan is found, and it is verified against its rivals.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/outcome.hpp"
#include "tune/placement.hpp"

namespace assay::tune {

struct PlaceRequest {
  Case ensemble;  ///< model "a+b+c", batch size, goal, threads, data; backend and strategy are found
  std::vector<std::string> backends;  ///< those that may be used
  std::vector<std::int64_t> batches;  ///< a member's own; those above the ensemble's batch are left out
  double memory_limit = 0;            ///< bytes; 0: none
  bool interference = true;           ///< measure pairs of members beside each other
};

/// Where numbers come from: stored results of this machine, or a campaign. Outcomes in the order of the cases.
struct Bench {
  /// A result of just this case on this machine with these versions; nothing where there is none.
  std::function<std::optional<Outcome>(const Case&)> stored;
  /// Measures; `what` is said to the user. Fewer outcomes than cases: it was interrupted.
  std::function<std::vector<Outcome>(const std::string& what, const std::vector<Case>&)> measure;
};

struct Placed {
  Problem problem;
  std::vector<Plan> plans;               ///< predicted, the best first
  std::vector<Outcome> verified;         ///< of the two best plans and the plain strategies, one interleaved run
  std::optional<std::size_t> winner;     ///< into `verified`; nothing where none was measured
  std::size_t measured = 0, reused = 0;  ///< cases of the search
  bool interrupted = false;
};

/// The member's case that a cost is taken from: alone, in the given set-up.
Case member_case(const PlaceRequest& request, const std::string& member, const std::string& backend, std::int64_t batch,
                 Goal goal);
/// A plan as a case.
Case plan_case(const PlaceRequest& request, const Problem& problem, const Plan& plan);

Placed place(const PlaceRequest& request, const Bench& bench);

}  // namespace assay::tune
