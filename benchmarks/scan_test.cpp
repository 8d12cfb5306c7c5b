// A scan with a plan missing is none.
#include "scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::bench {
namespace {

using testing::ElementsAre;

TEST(Scan, APlanThatFailedOrWasNotReachedIsMissing) {
  std::vector<Case> cases(4);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    cases[i].model = "a+b";
    cases[i].backend = "x";
    cases[i].strategy = "pipelined";
    cases[i].batch_size = static_cast<std::int64_t>(i) + 1;
  }
  Campaign campaign;
  const auto add = [&](const Case& c, OutcomeState state) -> Outcome& {
    Outcome o;
    o.test_case = c;
    o.state = state;
    return campaign.outcomes.emplace_back(o);
  };
  add(cases[2], OutcomeState::kMeasured).metrics = {{"throughput", "1/s", 7, {}, {}, 1, ""}};
  add(cases[1], OutcomeState::kMeasured).metrics = {{"throughput", "1/s", {}, {}, {}, 0, ""}};
  add(cases[0], OutcomeState::kFailed).reason = "it crashed";
  std::vector<std::string> texts;
  for (const Missing& m : not_measured(cases, campaign)) {
    texts.push_back(std::to_string(m.test_case.batch_size) + " " + m.reason);
  }
  EXPECT_THAT(texts, ElementsAre("1 it crashed", "2 ", "4 it was not reached"));
  EXPECT_TRUE(not_measured({cases[2]}, campaign).empty());
  add(cases[0], OutcomeState::kMeasured).metrics = {{"throughput", "1/s", 6, {}, {}, 1, ""}};  // tried again
  EXPECT_TRUE(not_measured({cases[0]}, campaign).empty());
}

}  // namespace
}  // namespace assay::bench
