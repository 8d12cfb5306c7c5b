#pragma once
// What a search has measured so far.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tune/place.hpp"

namespace assay::tune {

/// Outcomes by the key of their case. Refers to the bench, and to what was placed, whose accounts it keeps.
class Results {
 public:
  Results(const Bench& bench, Placed& placed) : bench_(bench), placed_(placed) {}

  /// Measures those that are not stored. False: it was interrupted.
  bool want(PlaceStep step, const std::vector<Case>& cases);
  /// The same of cases that are compared with each other, each once: stored or measured, all are of one campaign.
  bool want_together(PlaceStep step, const std::vector<Case>& cases);

  /// Nothing where it was not measured.
  [[nodiscard]] std::optional<double> value(const Case& c, const std::string& tag) const;

 private:
  bool measure(PlaceStep step, const std::vector<Case>& cases);
  void keep(std::vector<Outcome> outcomes);

  const Bench& bench_;
  Placed& placed_;
  std::map<std::string, Outcome> known_;
};

}  // namespace assay::tune
