// Blocks of turns: which are kept where some fail, and when they end.
#include "blocks.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace assay::bench {
namespace {

TEST(TakeBlocks, HoldEachArmOnceInAnotherOrder) {
  std::vector<std::vector<std::size_t>> orders(8);
  const Blocks taken = take_blocks({.arms = 4, .blocks = 8, .turn = [&](std::size_t arm, int block) {
                                      orders.at(static_cast<std::size_t>(block)).push_back(arm);
                                      return 10.0 * static_cast<double>(arm) + block + 1;
                                    }});
  for (const auto& order : orders) EXPECT_EQ(std::set(order.begin(), order.end()).size(), 4U);
  EXPECT_GT(std::set(orders.begin(), orders.end()).size(), 1U);
  EXPECT_EQ(taken.rates.at(2), (std::vector<double>{21, 22, 23, 24, 25, 26, 27, 28}));
}

TEST(TakeBlocks, ABlockInWhichOneFailedIsNotKept) {
  const Blocks taken = take_blocks({.arms = 2, .blocks = 3, .turn = [](std::size_t arm, int block) {
                                      return arm == 1 && block == 1 ? 0.0 : block + 1;
                                    }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 3}, {1, 3}}));
  EXPECT_EQ(taken.given_up, (std::vector<bool>{false, false}));
}

TEST(TakeBlocks, OneThatAlwaysFailsIsGivenUpAfterTwoTurnsAndTheOthersKeepTheirs) {
  std::map<std::size_t, int> turns;
  const Blocks taken = take_blocks({.arms = 3, .blocks = 5, .turn = [&](std::size_t arm, int block) {
                                      ++turns[arm];
                                      return arm == 1 ? 0.0 : block + 1;
                                    }});
  EXPECT_EQ(turns, (std::map<std::size_t, int>{{0, 5}, {1, 2}, {2, 5}}));
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 2, 3, 4, 5}, {}, {1, 2, 3, 4, 5}}));
  EXPECT_EQ(taken.given_up, (std::vector<bool>{false, true, false}));
}

TEST(TakeBlocks, WhatWasNotMeasuredIsNoFailure) {
  const Blocks taken = take_blocks({.arms = 2, .blocks = 4, .turn = {}, .known = [](std::size_t arm, int block) {
                                      return arm == 0 || block < 1 ? std::optional<double>(block + 1) : std::nullopt;
                                    }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1}, {1}}));
  EXPECT_EQ(taken.given_up, (std::vector<bool>{false, false}));
}

TEST(TakeBlocks, EndWhereThereAreEnough) {
  const Blocks taken = take_blocks({.arms = 1,
                                    .blocks = 9,
                                    .turn = [](std::size_t, int) { return 1.0; },
                                    .enough = [](int whole) { return whole == 3; }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 1, 1}}));
}

TEST(TakeBlocks, ABlockInWhichOneFailedIsNotAmongThoseThatAreEnough) {
  const Blocks taken = take_blocks({.arms = 1,
                                    .blocks = 9,
                                    .turn = [](std::size_t, int block) { return block == 1 ? 0.0 : block + 1; },
                                    .enough = [](int whole) { return whole == 3; }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 3, 4}}));
}

/// What an earlier run left, and what this one measures: turns of which it says to be of "now".
class TakeBlocksAgain : public testing::Test {
 protected:
  Blocks take(std::size_t arms) {
    return take_blocks({.arms = arms,
                        .blocks = 3,
                        .turn =
                            [&](std::size_t arm, int block) {
                              measured_.insert({arm, block});
                              return kNow;
                            },
                        .known = [&](std::size_t arm, int block) -> std::optional<double> {
                          const auto it = known_.find({arm, block});
                          return it == known_.end() ? std::nullopt : std::optional(it->second);
                        }});
  }

  static constexpr double kNow = 100;
  std::map<std::pair<std::size_t, int>, double> known_ = {{{0, 0}, 1}, {{1, 0}, 2}, {{0, 1}, 3},
                                                          {{1, 1}, 4}, {{0, 2}, 5}, {{1, 2}, 6}};
  std::set<std::pair<std::size_t, int>> measured_;
};

TEST_F(TakeBlocksAgain, WhatIsWholeIsNotMeasured) {
  EXPECT_EQ(take(2).rates, (std::vector<std::vector<double>>{{1, 3, 5}, {2, 4, 6}}));
  EXPECT_TRUE(measured_.empty());
}

TEST_F(TakeBlocksAgain, ATurnThatFailedIsNotPairedWithOneOfAnotherTime) {
  known_[{1, 1}] = 0;
  EXPECT_EQ(take(2).rates, (std::vector<std::vector<double>>{{1, 5}, {2, 6}}));
  known_[{1, 0}] = 0;
  known_.erase({1, 2});  // given up
  EXPECT_EQ(take(2).rates, (std::vector<std::vector<double>>{{1, 3, 5}, {}}));
  EXPECT_TRUE(measured_.empty());
}

TEST_F(TakeBlocksAgain, ABlockThatWasCutShortIsMeasuredAsAWhole) {
  known_.erase({1, 2});
  EXPECT_EQ(take(2).rates, (std::vector<std::vector<double>>{{1, 3, kNow}, {2, 4, kNow}}));
}

TEST_F(TakeBlocksAgain, WithOneArmMoreAllAreMeasured) {
  EXPECT_EQ(take(3).rates, (std::vector<std::vector<double>>(3, {kNow, kNow, kNow})));
}

TEST(BestByTheOthers, NoBlockIsWonByAnArmThatIsBestInItAlone) {
  using Arms = std::vector<std::vector<double>>;
  EXPECT_EQ(best_by_the_others(Arms{{10, 10, 10}, {9, 9, 12}}), (std::vector<double>{9, 9, 10}));
  EXPECT_EQ(best_by_the_others(Arms{{10, 10, 10}, {1, 40, 2}}), (std::vector<double>{10, 10, 10}));
  EXPECT_EQ(best_by_the_others(Arms{{10}, {12}}), (std::vector<double>{12}));
  EXPECT_TRUE(best_by_the_others({}).empty());
}

}  // namespace
}  // namespace assay::bench
