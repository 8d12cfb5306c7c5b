// What each member of an ensemble did while the ensemble was measured.
#include <fmt/format.h>

#include "measure/collectors/kinds.hpp"
#include "measure/collectors/support.hpp"

namespace assay::measure {
namespace {

struct MemberTag {
  const char* name;
  const char* unit;
  double divisor;
  const char* remark;
  std::string (*why_not)(const Observations&);
};

std::string no_throughput(const Observations& o) {
  return o.test_case->goal == Goal::kThroughput ? "the member did nothing" : kNotForThroughput;
}
std::string no_latency(const Observations& /*o*/) { return "the member did nothing"; }
std::string no_cold_load(const Observations& /*o*/) { return "the member was not loaded"; }
std::string no_cached_load(const Observations& o) { return why_not_cached(*o.test_case); }
std::string no_memory(const Observations& o) {
  if (o.effort.memory_apart) return kNotRead;
  return fmt::format("not read at effort {}: it takes a process in which one member is loaded after the other",
                     o.effort.name);
}

constexpr MemberTag kMemberTags[] = {
    {"throughput", "1/s", 1, "of the time in which this member computes, beside the others", no_throughput},
    {"latency.mean", "ms", kMillisecond, "of a batch of this member, beside the others", no_latency},
    {"load.cold", "ms", kMillisecond, "all members load side by side", no_cold_load},
    {"load.cached", "ms", kMillisecond, "all members load side by side", no_cached_load},
    {"memory", "MiB", kMebibyte, "what loading it added, in a process in which one member is loaded after the other",
     no_memory}};

Metric member_metric(const Observations& o, const std::string& member, const MemberTag& tag) {
  const std::string name = fmt::format("member.{}.{}", member, tag.name);
  if (!has_members(*o.test_case)) {
    return missing(name, tag.unit, "one graph of all members: to its engine there are none");
  }
  Metric metric = over_processes(o, name, tag.unit, name, tag.divisor, tag.why_not(o));
  if (metric.value) add_remark(metric, tag.remark);
  return metric;
}

}  // namespace

std::vector<Metric> collect_members(const Observations& o) {
  std::vector<Metric> metrics;
  if (!is_ensemble(*o.test_case)) return metrics;
  for (const std::string& member : member_names(members_of(o.test_case->model))) {
    for (const MemberTag& tag : kMemberTags) metrics.push_back(member_metric(o, member, tag));
  }
  return metrics;
}

}  // namespace assay::measure
