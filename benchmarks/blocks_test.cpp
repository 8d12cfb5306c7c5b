// Blocks of turns: which are kept where some fail, and when they end.
#include "blocks.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace assay::bench {
namespace {

TEST(TakeBlocks, HoldEachArmOnceInAnotherOrder) {
  std::vector<std::vector<std::size_t>> orders(8);
  const Blocks taken = take_blocks({.arms = 4, .blocks = 8, .turn = [&](std::size_t arm, int block) {
                                      orders.at(static_cast<std::size_t>(block)).push_back(arm);
                                      return std::optional<double>(10.0 * static_cast<double>(arm) + block + 1);
                                    }});
  for (const auto& order : orders) EXPECT_EQ(std::set(order.begin(), order.end()).size(), 4U);
  EXPECT_GT(std::set(orders.begin(), orders.end()).size(), 1U);
  EXPECT_EQ(taken.rates.at(2), (std::vector<double>{21, 22, 23, 24, 25, 26, 27, 28}));
}

TEST(TakeBlocks, ABlockInWhichOneFailedIsNotKept) {
  const Blocks taken = take_blocks({.arms = 2, .blocks = 3, .turn = [](std::size_t arm, int block) {
                                      return std::optional<double>(arm == 1 && block == 1 ? 0 : block + 1);
                                    }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 3}, {1, 3}}));
  EXPECT_EQ(taken.given_up, (std::vector<bool>{false, false}));
}

TEST(TakeBlocks, OneThatAlwaysFailsIsGivenUpAfterTwoTurnsAndTheOthersKeepTheirs) {
  std::map<std::size_t, int> turns;
  const Blocks taken = take_blocks({.arms = 3, .blocks = 5, .turn = [&](std::size_t arm, int block) {
                                      ++turns[arm];
                                      return std::optional<double>(arm == 1 ? 0 : block + 1);
                                    }});
  EXPECT_EQ(turns, (std::map<std::size_t, int>{{0, 5}, {1, 2}, {2, 5}}));
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 2, 3, 4, 5}, {}, {1, 2, 3, 4, 5}}));
  EXPECT_EQ(taken.given_up, (std::vector<bool>{false, true, false}));
}

TEST(TakeBlocks, WhatWasNotMeasuredIsNoFailure) {
  const Blocks taken = take_blocks({.arms = 2, .blocks = 4, .turn = [](std::size_t arm, int block) {
                                      return arm == 0 || block < 1 ? std::optional<double>(block + 1) : std::nullopt;
                                    }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1}, {1}}));
  EXPECT_EQ(taken.given_up, (std::vector<bool>{false, false}));
}

TEST(TakeBlocks, EndWhereThereAreEnough) {
  const Blocks taken = take_blocks({.arms = 1,
                                    .blocks = 9,
                                    .turn = [](std::size_t, int) { return std::optional<double>(1); },
                                    .enough = [](int blocks) { return blocks == 3; }});
  EXPECT_EQ(taken.rates, (std::vector<std::vector<double>>{{1, 1, 1}}));
}

}  // namespace
}  // namespace assay::bench
