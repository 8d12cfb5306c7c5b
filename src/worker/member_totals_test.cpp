#include "worker/member_totals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(MemberTotalsTest, AreReadFromWhatASessionReports) {
  const auto totals = member_totals(
      R"([{"name": "a", "batches": 3, "busy_ns": 30, "active_ns": 25, "longest_ns": 20, "load_ns": 5, "from_cache": true}])");
  ASSERT_EQ(totals.size(), 1U);
  const MemberTotals& a = totals.at("a");
  EXPECT_EQ(a.batches, 3);
  EXPECT_EQ(a.busy_ns, 30);
  EXPECT_EQ(a.active_ns, 25);
  EXPECT_EQ(a.load_ns, 5);
  EXPECT_TRUE(a.from_cache);
}

TEST(MemberTotalsTest, TheWindowsShareIsWhatWasDoneBetweenTwoStates) {
  const std::map<std::string, MemberTotals> begin = {{"a", {.batches = 10, .busy_ns = 1e9, .active_ns = 0.6e9}}};
  const std::map<std::string, MemberTotals> end = {{"a", {.batches = 14, .busy_ns = 1.2e9, .active_ns = 0.7e9}},
                                                   {"idle", {}}};
  TaskResult throughput;
  put_member_window(begin, end, Goal::kThroughput, 8, throughput);
  // Four batches of 8 took 0.2 s on two lanes, both of them in the same 0.1 s.
  EXPECT_THAT(throughput.values, ElementsAre(Pair("member.a.latency.mean", ElementsAre(50e6)),
                                             Pair("member.a.throughput", ElementsAre(320))));
  TaskResult latency;
  put_member_window(begin, end, Goal::kLatency, 8, latency);
  EXPECT_THAT(latency.values, ElementsAre(Pair("member.a.latency.mean", ElementsAre(50e6))));
}

TEST(MemberTotalsTest, AColdLoadIsNoCachedOne) {
  const std::map<std::string, MemberTotals> members = {{"kept", {.load_ns = 3, .from_cache = true}},
                                                       {"missed", {.load_ns = 7, .from_cache = false}}};
  TaskResult result;
  put_member_loads(members, true, result);
  EXPECT_THAT(result.values, ElementsAre(Pair("member.kept.load.cached", ElementsAre(3))));
  put_member_loads(members, false, result);
  EXPECT_THAT(result.values, ElementsAre(Pair("member.kept.load.cached", ElementsAre(3)),
                                         Pair("member.missed.load.cold", ElementsAre(7))));
}

}  // namespace
}  // namespace assay::worker
