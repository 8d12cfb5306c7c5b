#include "worker/member_totals.hpp"

#include <nlohmann/json.hpp>

namespace assay::worker {
namespace {

constexpr double kSecond = 1e9;  // in ns

std::string tag_of(const std::string& member, const char* what) { return "member." + member + "." + what; }

}  // namespace

std::map<std::string, MemberTotals> member_totals(const std::string& report) {
  std::map<std::string, MemberTotals> totals;
  for (const nlohmann::json& m : nlohmann::json::parse(report)) {
    totals[m.at("name")] = {m.at("batches"), m.at("busy_ns"), m.at("active_ns"), m.at("load_ns"), m.at("from_cache")};
  }
  return totals;
}

std::map<std::string, MemberTotals> member_totals(const Request& request, Session& session) {
  if (request.members.empty() || request.test_case.strategy == kMerged) return {};
  return member_totals(session.report("members"));
}

void put_member_loads(const std::map<std::string, MemberTotals>& members, bool cached, TaskResult& result) {
  for (const auto& [name, member] : members) {
    if (member.from_cache == cached)
      result.values[tag_of(name, cached ? "load.cached" : "load.cold")] = {member.load_ns};
  }
}

void put_member_window(const std::map<std::string, MemberTotals>& begin, const std::map<std::string, MemberTotals>& end,
                       Goal goal, double batch_size, TaskResult& result) {
  for (const auto& [name, after] : end) {
    const auto it = begin.find(name);
    const MemberTotals before = it == begin.end() ? MemberTotals{} : it->second;
    const double batches = after.batches - before.batches;
    const double busy = after.busy_ns - before.busy_ns;
    const double active = after.active_ns - before.active_ns;
    if (batches <= 0 || busy <= 0 || active <= 0) continue;
    result.values[tag_of(name, "latency.mean")] = {busy / batches};
    if (goal == Goal::kThroughput)
      result.values[tag_of(name, "throughput")] = {batch_size * batches * kSecond / active};
  }
}

}  // namespace assay::worker
