#include <gtest/gtest.h>

#include <numeric>

#include "compiler/team.hpp"

namespace assay::compiler {
namespace {

class Teams : public testing::TestWithParam<std::pair<int, bool>> {};

TEST_P(Teams, EachUnitIsComputedOnce) {
  Team team(GetParam().first, GetParam().second);
  for (const std::int64_t units : {0, 1, 2, 3, 7, 100}) {
    for (int round = 0; round < 20; ++round) {
      std::vector<int> done(static_cast<std::size_t>(units), 0);
      team.run(units, [&](std::int64_t begin, std::int64_t end, std::int64_t part) {
        EXPECT_LT(part, team.size());
        for (std::int64_t i = begin; i < end; ++i) ++done[static_cast<std::size_t>(i)];
      });
      EXPECT_EQ(done, std::vector<int>(static_cast<std::size_t>(units), 1));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Teams,
                         testing::Values(std::pair(1, false), std::pair(2, false), std::pair(2, true),
                                         std::pair(16, false)));

}  // namespace
}  // namespace assay::compiler
