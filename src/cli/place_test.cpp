// What is said of the campaign that verifies a search's plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/bench.hpp"
#include "core/search.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Matcher;
using testing::Not;

/// A plan's throughput with its interval; 0: it failed.
struct Rated {
  const char* strategy;
  double rate, low, high;
};

Campaign verified(const std::vector<Rated>& plans, bool whole) {
  Campaign campaign;
  campaign.id = "0badcafe";
  campaign.environment[kSearchKey] = to_text({{"a", "b"}, {}, {}});
  for (const Rated& plan : plans) {
    Outcome o;
    o.test_case.model = "a+b";
    o.test_case.backend = "x";
    o.test_case.strategy = plan.strategy;
    if (plan.rate > 0) {
      o.state = OutcomeState::kMeasured;
      o.metrics.push_back({"throughput", "1/s", plan.rate, plan.low, plan.high, 1, ""});
    }
    campaign.plan.push_back(o.test_case);
    campaign.outcomes.push_back(std::move(o));
  }
  if (!whole) campaign.outcomes.pop_back();
  return campaign;
}

TEST(PlacingVerdict, SaysWhoWonOrThatItCannotBeTold) {
  struct Row {
    const char* what;
    std::vector<Rated> plans;
    bool whole;
    Matcher<std::string> said;
  };
  const std::vector<Row> rows = {
      {"one ahead",
       {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}},
       true,
       AllOf(HasSubstr("use merged on x"), HasSubstr("ahead of all others"))},
      {"a tie",
       {{"pipelined", 8, 7, 9}, {"merged", 9, 8, 10}, {"sequential", 1, 1, 1}},
       true,
       AllOf(HasSubstr("merged on x came out first"), HasSubstr("cannot be told from pipelined on x"),
             Not(HasSubstr("sequential")))},
      {"one failed", {{"pipelined", 5, 4, 6}, {"merged", 0, 0, 0}}, true, HasSubstr("use pipelined on x")},
      {"all failed", {{"pipelined", 0, 0, 0}}, true, HasSubstr("None of the plans")},
      {"interrupted",
       {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}},
       false,
       HasSubstr("assay bench --resume 0badcafe goes on")},
  };
  for (const Row& row : rows) {
    const Campaign campaign = verified(row.plans, row.whole);
    EXPECT_THAT(placing_verdict(campaign), row.said) << row.what;
    EXPECT_EQ(document_of(campaign).recommendation.because, placing_verdict(campaign)) << row.what;
  }
}

}  // namespace
}  // namespace assay::cli
