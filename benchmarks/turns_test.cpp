// What of a turn is arithmetic.
#include "turns.hpp"

#include <gtest/gtest.h>

namespace assay::bench {
namespace {

TEST(Memory, IsAboveWhatAnEmptyWorkerHas) {
  // A start of 10, a library of 100, a model of 30 at rest, 50 more at the peak.
  const std::map<std::string, std::vector<double>> values = {
      {"memory.peak", {190}}, {"memory.resting", {140}}, {"memory.library", {100}}, {"memory.model", {30}}};
  EXPECT_EQ(above_the_library(values), 80);
  EXPECT_EQ(above_the_library({{"memory.peak", {190}}}), std::nullopt);
}

TEST(TurnSeconds, AreAtLeastTwoBatchesAndThoseUnderWay) {
  Case c;
  c.goal = Goal::kLatency;
  const std::chrono::milliseconds window(3000);
  EXPECT_DOUBLE_EQ(turn_seconds(c, 0.1, 1, window), 0.5 + 1 + 3 + 0.1);
  EXPECT_DOUBLE_EQ(turn_seconds(c, 4, 1, window), 0.5 + 1 + 8 + 4);
  c.goal = Goal::kThroughput;
  EXPECT_DOUBLE_EQ(turn_seconds(c, 4, 1, window), 0.5 + 1 + 8 + 12);
}

TEST(Undisturbed, IsTakenAgainWhereOtherProgramsRanButAFailureTakesNoRateAway) {
  struct Row {
    std::vector<Turn> turns;
    double rate;
    std::size_t taken;
  };
  const Turn quiet{10, ""}, disturbed{7, "others ran"}, slower{6, "others ran"}, failed{0, "it broke"};
  for (const Row& row : {Row{{quiet, disturbed}, 10, 1},
                         {{disturbed, quiet}, 10, 2},
                         {{disturbed, disturbed, slower, quiet}, 6, 3},
                         {{disturbed, failed, quiet}, 7, 2},
                         {{failed, quiet}, 0, 1}}) {
    std::size_t taken = 0;
    EXPECT_EQ(undisturbed([&] { return row.turns.at(taken++); }).rate, row.rate);
    EXPECT_EQ(taken, row.taken);
  }
}

}  // namespace
}  // namespace assay::bench
