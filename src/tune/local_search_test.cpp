#include "tune/local_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace assay::tune {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

const std::vector<std::size_t> kCounts = {3, 4, 5};

TEST(LocalSearch, WhereNothingHelpsEveryChangeOfOneOrTwoIsLookedAtOnce) {
  std::map<Ways, int> asked;
  const auto flat = [&](const Ways& ways) {
    ++asked[ways];
    return 1.0;
  };
  Ways ways = {1, 2, 3};
  EXPECT_FALSE(improve(kCounts, flat, ways));
  EXPECT_THAT(ways, ElementsAre(1, 2, 3));
  EXPECT_THAT(asked, SizeIs(1 + (2 + 3 + 4) + (2 * 3 + 2 * 4 + 3 * 4)));
  EXPECT_THAT(asked, Each(Pair(testing::_, 1)));
}

TEST(LocalSearch, TakesTheBestChangeOfOneAndOfTwoOnlyWhereThatHelpsNothing) {
  struct Row {
    std::string what;
    std::map<Ways, double> costs;  // of the others: 10
    Ways best;
    bool improved;
  };
  for (const Row& row : {Row{"one", {{{1, 0, 0}, 9}, {{0, 0, 4}, 8}, {{1, 1, 0}, 1}}, {0, 0, 4}, true},
                         {"two", {{{2, 0, 1}, 9}, {{2, 0, 3}, 7}}, {2, 0, 3}, true},
                         {"the first of two that are alike", {{{1, 0, 0}, 9}, {{0, 1, 0}, 9}}, {1, 0, 0}, true},
                         {"three are not changed at once", {{{1, 1, 1}, 1}}, {0, 0, 0}, false}}) {
    Ways ways = {0, 0, 0};
    const auto cost = [&](const Ways& asked) {
      const auto known = row.costs.find(asked);
      return known == row.costs.end() ? 10 : known->second;
    };
    EXPECT_EQ(improve(kCounts, cost, ways), row.improved) << row.what;
    EXPECT_EQ(ways, row.best) << row.what;
  }
}

}  // namespace
}  // namespace assay::tune
