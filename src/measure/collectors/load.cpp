#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_load(const Observations& o) {
  return {over_processes(o, "load.cold", "ms", "load.cold", kMillisecond, "the model was not loaded"),
          over_processes(o, "load.cached", "ms", "load.cached", kMillisecond, why_not_cached(*o.test_case)),
          over_processes(o, "first", "ms", "first", kMillisecond, "no first answer was timed")};
}

}  // namespace assay::measure
