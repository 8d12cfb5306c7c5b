// What is said of an ensemble's figures: bounds, gains that are not there, failures, memory.
#include "ensemble_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

namespace assay::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

class EnsembleReportTest : public testing::Test {
 protected:
  Way& add(const std::string& model, const std::string& strategy, const std::vector<double>& rates) {
    Way& way = ways_.emplace_back();
    way.test_case.model = model;
    way.test_case.strategy = strategy;
    way.test_case.backend = "x";
    way.rates = rates;
    return way;
  }
  /// Members at 2 a second each, so that perfect sharing is 1.
  void add_members() {
    for (const char* model : {"a", "b"}) add(model, "single", {2, 2.02, 1.98, 2});
  }
  template <class Report>
  std::string said(const Report& report) {
    testing::internal::CaptureStdout();
    kept_ = report();
    std::fflush(stdout);
    return testing::internal::GetCapturedStdout();
  }
  std::string said_of_set() {
    return said([&] { return report_set(field_, ways_, field_.sets.front()); });
  }

  Field field_{.members = {"a", "b"}, .sets = sets_of("x")};
  std::vector<Way> ways_;
  bool kept_ = false;
};

TEST(RemarkOnGain, SaysWhereThereIsNone) {
  const Figure room{1.2, 1.1, 1.3}, little{1.05, 1.04, 1.06};
  EXPECT_EQ(remark_on_gain(room, {1.1, 1.05, 1.15}), "");
  EXPECT_THAT(remark_on_gain(room, {1.1, 0.99, 1.2}), HasSubstr("no gain can be told"));
  EXPECT_THAT(remark_on_gain(room, {1.0, 1.0, 1.0}), HasSubstr("no gain can be told"));
  EXPECT_THAT(remark_on_gain(room, {0.9, 0.8, 0.95}), HasSubstr("there is no gain"));
  EXPECT_EQ(remark_on_gain(little, {1.1, 1.05, 1.15}),
            "little is to be gained: perfect sharing is +5.0 % from sequential");
  EXPECT_THAT(remark_on_gain(little, {1.0, 0.99, 1.01}), HasSubstr("; no gain can be told"));
}

TEST_F(EnsembleReportTest, AGainThatIsThereKeepsItsBounds) {
  add_members();
  add("a+b", "sequential", {0.9, 0.91, 0.89, 0.9});
  add("a+b", "pipelined", {0.99, 1, 0.98, 0.99});
  const std::string text = said_of_set();
  EXPECT_TRUE(kept_) << text;
  EXPECT_THAT(text, HasSubstr("best strategy           0.990"));
  EXPECT_THAT(text, HasSubstr("at least 1.05"));
  EXPECT_THAT(text, Not(HasSubstr("gain")));
}

TEST_F(EnsembleReportTest, AGainThatIsNotThereIsSaid) {
  add_members();
  add("a+b", "sequential", {0.98, 0.99, 0.97, 0.98});
  const std::string text = said_of_set();
  EXPECT_TRUE(kept_) << text;
  EXPECT_THAT(text,
              HasSubstr("little is to be gained: perfect sharing is +2.0 % from sequential; no gain can be told"));
}

TEST_F(EnsembleReportTest, WhatTheBestIsWorthWithoutTheLuckOfBlocksIsSaidAndDecidesOnAGain) {
  add_members();
  add("a", "single", {1.9, 1.9, 1.9, 2.4});  // by all blocks the best, for one
  add("a+b", "sequential", {0.95, 0.95, 0.95, 0.95});
  add("a+b", "pipelined", {0.96, 0.96, 0.96, 0.96});
  add("a+b", "concurrent", {0.95, 0.95, 0.95, 1.2});  // the same
  const std::string text = said_of_set();
  EXPECT_THAT(text, HasSubstr("best strategy           1.007"));
  EXPECT_THAT(text, HasSubstr("a alone                 2.014"));
  EXPECT_THAT(text, HasSubstr("best strategy over sequential     1.060"));
  EXPECT_THAT(text, HasSubstr("\n    block by block: 1.000 1.000 1.000 1.263\n"));
  EXPECT_THAT(text, HasSubstr("chosen for each block by the others, the best strategy has 0.950"));
  EXPECT_THAT(text, HasSubstr("1.003 [0.994, 1.011] of sequential"));
  EXPECT_THAT(text, HasSubstr("no gain can be told"));
}

TEST_F(EnsembleReportTest, SequentialAsTheBestStrategyIsNotShortOfItself) {
  add_members();
  add("a+b", "sequential", {0.98, 1, 0.96, 0.98});
  add("a+b", "sequential", {0.97, 0.97, 0.99, 0.98});
  EXPECT_THAT(said_of_set(), HasSubstr("best strategy over sequential     1.000 [1.000, 1.000]"));
}

TEST_F(EnsembleReportTest, TheBestMixedPlanIsPrintedNearTheBestOrNot) {
  field_.sets = sets_of("x,y");
  add_members();
  add("a+b", "sequential", {0.9, 0.9});
  EXPECT_THAT(said_of_set(), Not(HasSubstr("mixed")));
  Way& mixed = add("a+b", kPlaced, {});
  mixed.test_case.backend = "x+y";
  mixed.test_case.placement = {"pipelined", {{"x", 0}, {"y", 0}}};
  mixed.screened = 0.5;
  EXPECT_THAT(said_of_set(), HasSubstr("0.500 1/s in one turn, far from the best  pipelined: a on x, b on y"));
  ways_.back().trouble = "it broke in its blocks";
  EXPECT_THAT(said_of_set(), Not(HasSubstr("mixed")));
  ways_.back().trouble.clear();
  ways_.back().rates = {0.95, 0.95};
  EXPECT_THAT(said_of_set(), HasSubstr("mixed engines           0.950"));
}

TEST_F(EnsembleReportTest, WhatCouldNotBeMeasuredIsMissed) {
  add_members();
  add("a+b", "pipelined", {1, 1});
  EXPECT_THAT(said_of_set(), HasSubstr("not all could be measured"));
  EXPECT_FALSE(kept_);
}

TEST_F(EnsembleReportTest, ARivalThatFailedLeavesABoundUnsureAndAStrategyThatFailedDoesNot) {
  add("a+b", "merged", {}).trouble = "no such operator";
  EXPECT_THAT(said([&] { return report_failures(field_, ways_); }),
              HasSubstr("FAILED, left out: a+b merged on x for throughput: no such operator"));
  EXPECT_TRUE(kept_);
  add("a", "single", {}).trouble = "no answer within 300 s";
  EXPECT_THAT(said([&] { return report_failures(field_, ways_); }), HasSubstr("is unsure: a single on x"));
  EXPECT_FALSE(kept_);
}

TEST_F(EnsembleReportTest, MemoryOverItsBoundOrNotMeasuredIsMissed) {
  Case c;
  c.model = "a+b";
  c.strategy = "merged";
  c.backend = "x";
  const Peak fits{c, 105, 100, ""}, over{c, 106, 100, ""}, failed{c, 105, 0, "a · x: out of memory"};
  EXPECT_THAT(said([&] { return report_memory({fits}); }), HasSubstr("1.050, at most 1.05: kept"));
  EXPECT_TRUE(kept_);
  EXPECT_THAT(said([&] { return report_memory({fits, over}); }), HasSubstr("1.060, at most 1.05: MISSED"));
  EXPECT_FALSE(kept_);
  EXPECT_THAT(said([&] { return report_memory({failed}); }), HasSubstr("FAILED, no figure: a · x: out of memory"));
  EXPECT_FALSE(kept_);
}

}  // namespace
}  // namespace assay::bench
