#include "runner/order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace assay::runner {
namespace {

using testing::ElementsAre;

std::vector<Case> curve(const char* backend, std::vector<std::int64_t> batches) {
  std::vector<Case> cases;
  for (const auto batch : batches) {
    Case c;
    c.model = "m";
    c.backend = backend;
    c.batch_size = batch;
    cases.push_back(c);
  }
  return cases;
}

TEST(InterleavedOrder, EachBlockHoldsEveryCaseOnce) {
  const auto order = interleaved_order(7, 5, 42);
  ASSERT_EQ(order.size(), 35U);
  for (std::size_t block = 0; block < 5; ++block) {
    std::vector<std::size_t> part(order.begin() + static_cast<std::ptrdiff_t>(7 * block),
                                  order.begin() + static_cast<std::ptrdiff_t>(7 * block + 7));
    std::sort(part.begin(), part.end());
    EXPECT_THAT(part, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  }
}

TEST(InterleavedOrder, IsTheSameForASeedOnEveryMachine) {
  EXPECT_EQ(interleaved_order(6, 3, 1), interleaved_order(6, 3, 1));
  EXPECT_NE(interleaved_order(6, 3, 1), interleaved_order(6, 3, 2));
  // Written down: a change of the generator would change the order of stored campaigns.
  EXPECT_THAT(interleaved_order(6, 1, 1), ElementsAre(0, 1, 3, 2, 4, 5));
}

TEST(InterleavedOrder, HasNoFavouritePlace) {
  std::map<std::size_t, int> first;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) ++first[interleaved_order(4, 1, seed).front()];
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(first[i], 1000, 120) << i;
}

TEST(InterleavedOrder, OfNothingIsNothing) { EXPECT_TRUE(interleaved_order(0, 3, 1).empty()); }

TEST(Ladders, AreTheCasesThatDifferInTheBatchAlone) {
  std::vector<Case> cases = curve("x", {8, 1, 0, 2});
  const auto other = curve("y", {4});
  cases.insert(cases.end(), other.begin(), other.end());
  EXPECT_THAT(ladders(cases), ElementsAre(ElementsAre(1, 3, 0), ElementsAre(4)));
}

TEST(FirstBlock, ClimbsLongCurvesRungByRungAllTogether) {
  std::vector<Case> cases = curve("x", {1, 2, 4, 8, 16});
  const auto other = curve("y", {16, 8, 4, 2, 1});
  cases.insert(cases.end(), other.begin(), other.end());
  std::vector<std::int64_t> batches;
  for (const std::size_t i : first_block(cases, 5)) batches.push_back(cases[i].batch_size);
  EXPECT_THAT(batches, ElementsAre(1, 1, 2, 2, 4, 4, 8, 8, 16, 16));
}

TEST(FirstBlock, ShufflesShortCurvesAsAWhole) {
  const auto cases = curve("x", {1, 2, 4, 8});
  EXPECT_EQ(first_block(cases, 9), interleaved_order(4, 1, 9));
}

}  // namespace
}  // namespace assay::runner
