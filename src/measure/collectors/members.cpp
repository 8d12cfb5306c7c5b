// What each member of an ensemble did while the ensemble was measured.
#include <set>
#include <string_view>
#include <utility>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {
namespace {

constexpr std::string_view kPrefix = "member.";
constexpr std::pair<std::string_view, const char*> kRemarks[] = {
    {".latency.mean", "of a batch of this member, beside the others"},
    {".load", "all members load side by side"},
    {".memory", "what loading it added, in a process of its own"}};

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() > end.size() && text.ends_with(end);
}

}  // namespace

std::vector<Metric> collect_members(const Observations& o) {
  std::vector<Metric> metrics;
  std::set<std::string> names;
  for (const ProcessSamples* p : kept(o)) {
    for (const auto& [name, values] : p->values) {
      if (name.starts_with(kPrefix)) names.insert(name);
    }
  }
  for (const std::string& name : names) {
    const bool memory = ends_with(name, ".memory");
    Metric metric = over_processes(o, name, memory ? "MiB" : "ms", name, memory ? kMebibyte : kMillisecond,
                                   "the member did nothing");
    for (const auto& [end, remark] : kRemarks) {
      if (ends_with(name, end)) add_remark(metric, remark);
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace assay::measure
