#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_energy(const Observations& o) {
  if (o.test_case->device == kCpu) {
    const std::string why = "this version reads no energy counter";
    return {missing("energy.gross", "J", why), missing("energy.net", "J", why), missing("power.mean", "W", why)};
  }
  const std::string why = "the device's energy counter could not be read";
  return {over_processes(o, "energy.gross", "J", "energy.gross", 1, why),
          missing("energy.net", "J", "what the device takes while idle is not measured"),
          over_processes(o, "power.mean", "W", "power.mean", 1, why)};
}

}  // namespace assay::measure
