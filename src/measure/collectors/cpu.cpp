#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {

std::vector<Metric> collect_cpu(const Observations& o) {
  Metric metric = over_processes(o, "cpu.time", "ms", "cpu.time", kMillisecond, "the window was not measured");
  if (metric.value) add_remark(metric, "of the whole process, per sample");
  return {metric};
}

}  // namespace assay::measure
