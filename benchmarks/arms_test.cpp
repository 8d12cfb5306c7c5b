// How long a round is, in batches and times.
#include "arms.hpp"

#include <gtest/gtest.h>

namespace assay::bench {
namespace {

TEST(Round, IsAsLongAsAskedForInMemoryThatIsBounded) {
  constexpr double kMebi = 1024.0 * 1024;
  struct Row {
    const char* what;
    int least;
    double wanted, mebibytes;
    int batches, times;
  };
  for (const Row& row : {Row{"slow", 6, 0.2, 10, 6, 1},
                         {"as wanted", 6, 20.4, 10, 120, 1},
                         {"just fits", 6, 20, 102, 120, 1},
                         {"twice", 6, 40, 102, 120, 2},
                         {"in parts of the same size", 6, 41, 102, 84, 3},
                         {"far too fast", 2, 1e6, 1024, 4, 500000},
                         {"one is too large", 6, 3, 4096, 6, 3}}) {
    const Round lasts = round_of(row.least, row.wanted, row.mebibytes * kMebi);
    EXPECT_EQ(lasts.batches, row.batches) << row.what;
    EXPECT_EQ(lasts.times, row.times) << row.what;
  }
}

TEST(NumberFrom, AProgramThatSaysNoneOrFailsIsAnErrorAndNotTheEnd) {
  EXPECT_EQ(number_from("echo 1.5 seconds"), 1.5);
  for (const char* command : {"true", "echo none", "echo 1.5; exit 3"}) {
    EXPECT_THROW((void)number_from(command), std::runtime_error) << command;
  }
}

}  // namespace
}  // namespace assay::bench
