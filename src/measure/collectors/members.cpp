// What each member of an ensemble did while the ensemble was measured.
#include <algorithm>
#include <set>
#include <string_view>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {
namespace {

constexpr std::string_view kPrefix = "member.";

struct MemberTag {
  std::string_view end;
  const char* unit;
  double divisor;
  const char* remark;
};
constexpr MemberTag kMemberTags[] = {
    {".throughput", "1/s", 1, "of the time in which this member computes, beside the others"},
    {".latency.mean", "ms", kMillisecond, "of a batch of this member, beside the others"},
    {".load.cold", "ms", kMillisecond, "all members load side by side"},
    {".load.cached", "ms", kMillisecond, "all members load side by side"},
    {".memory", "MiB", kMebibyte, "what loading it added, in a process of its own"}};

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
    const auto* const tag = std::find_if(std::begin(kMemberTags), std::end(kMemberTags),
                                         [&](const MemberTag& t) { return name.ends_with(t.end); });
    if (tag == std::end(kMemberTags)) continue;
    Metric metric = over_processes(o, name, tag->unit, name, tag->divisor, "the member did nothing");
    add_remark(metric, tag->remark);
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace assay::measure
