#include "measure/effort.hpp"

#include <algorithm>
#include <array>

#include "assay/error.hpp"

namespace assay::measure {
namespace {

using std::chrono::milliseconds;

// docs/measurement.md, "Effort": one row each.
const std::array<Effort, 3> kEfforts = {{
    {.name = "quick",
     .processes = 1,
     .warm_up_calls = 2,
     .warm_up_time = milliseconds(1000),
     .warm_up_needs_both = true,
     .until_level = false,
     .window = milliseconds(3000),
     .window_calls = 5,
     .parity_samples = 2,
     .memory_apart = false,
     .a_a_share = 0},
    {.name = "standard",
     .processes = 3,
     .warm_up_calls = 10,
     .warm_up_time = milliseconds(2000),
     .warm_up_needs_both = false,
     .until_level = true,
     .window = milliseconds(10000),
     .window_calls = 30,
     .parity_samples = 8,
     .memory_apart = true,
     .a_a_share = 0},
    {.name = "rigorous",
     .processes = 10,
     .warm_up_calls = 10,
     .warm_up_time = milliseconds(2000),
     .warm_up_needs_both = false,
     .until_level = true,
     .window = milliseconds(30000),
     .window_calls = 50,
     .parity_samples = 8,
     .memory_apart = true,
     .a_a_share = 0.1},
}};

}  // namespace

const Effort& effort_by_name(const std::string& name) {
  std::string names;
  for (const Effort& effort : kEfforts) {
    if (effort.name == name) return effort;
    names += (names.empty() ? "" : ", ") + effort.name;
  }
  throw Error(ErrorCode::kInvalidArgument, "unknown effort \"" + name + "\"; there are " + names, "--effort");
}

Effort with_window(Effort effort, std::chrono::milliseconds window) {
  effort.window = window;
  effort.warm_up_time = std::min(effort.warm_up_time, window);
  return effort;
}

}  // namespace assay::measure
