#pragma once

#include <chrono>
#include <string>

namespace assay::measure {

/// How much time is traded for certainty: measurement.md's table, one row each.
struct Effort {
  std::string name;   ///< "quick", "standard", "rigorous"
  int processes = 1;  ///< per case
  int warm_up_calls = 2;
  std::chrono::milliseconds warm_up_time{1000};
  bool warm_up_needs_both = true;          ///< calls and time (quick), or whichever comes first (the others)
  bool until_level = false;                ///< then until the series is level
  std::chrono::milliseconds window{3000};  ///< at least
  int window_calls = 5;                    ///< at least
  int parity_samples = 2;
  bool memory_apart = false;  ///< memory is read in a process of its own, that of an ensemble's members in another
  double a_a_share = 0;       ///< part of the cases that is run twice to find the noise floor
};

/// Throws Error(kInvalidArgument) listing the names.
const Effort& effort_by_name(const std::string& name);

/// With another window. Whoever is content with a short one does not wait longer than that for the warm-up.
Effort with_window(Effort effort, std::chrono::milliseconds window);

}  // namespace assay::measure
