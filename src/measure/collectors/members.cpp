// What each member of an ensemble did while the ensemble was measured.
#include <string_view>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {
namespace {

constexpr std::string_view kPrefix = "member.";

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() > end.size() && text.ends_with(end);
}

}  // namespace

std::vector<Metric> collect_members(const Observations& o) {
  std::vector<Metric> metrics;
  const std::vector<const ProcessSamples*> processes = kept(o);
  if (processes.empty()) return metrics;
  for (const auto& [name, values] : processes.front()->values) {
    if (!name.starts_with(kPrefix)) continue;
    Metric metric = over_processes(o, name, "ms", name, kMillisecond, "the member did nothing");
    if (ends_with(name, ".latency.mean")) {
      add_remark(metric, "of a batch of this member, beside the others");
    } else if (ends_with(name, ".load")) {
      add_remark(metric, "all members load side by side");
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace assay::measure
