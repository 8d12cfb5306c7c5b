#include "measure/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace assay::measure {
namespace {

std::vector<double> counted(int n) {
  std::vector<double> values;
  for (int i = 1; i <= n; ++i) values.push_back(i);
  return values;
}

TEST(Statistics, MedianAndQuantilesAreOrderStatistics) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 2, 3}), 2.5);
  const std::vector<double> hundred = counted(100);
  EXPECT_EQ(quantile_of_sorted(hundred, 0.5), 50);
  EXPECT_EQ(quantile_of_sorted(hundred, 0.9), 90);
  EXPECT_EQ(quantile_of_sorted(hundred, 0.99), 99);
  EXPECT_EQ(quantile_of_sorted(std::vector<double>{7}, 0.99), 7);
}

TEST(Statistics, PercentilesNeedTheirNumberOfObservations) {
  // n with q^n <= 2.5 %: 0.5^6 = 1.6 %, 0.9^36 = 2.3 %, 0.95^72 = 2.5 %, 0.99^368 = 2.5 %.
  EXPECT_EQ(needed_for_quantile(0.5), 6);
  EXPECT_EQ(needed_for_quantile(0.9), 36);
  EXPECT_EQ(needed_for_quantile(0.95), 72);
  EXPECT_EQ(needed_for_quantile(0.99), 368);
  EXPECT_FALSE(quantile_interval(counted(367), 0.99));
  EXPECT_TRUE(quantile_interval(counted(368), 0.99));
  EXPECT_EQ(quantile_interval(counted(368), 0.99)->high, 368);
}

TEST(Statistics, IntervalOfTheMedianIsThatOfTheTables) {
  // Sign test, 95 %: n = 6 gives (1, 6), n = 10 (2, 9), n = 20 (6, 15), n = 100 (40, 61).
  struct Row {
    int n;
    double low, high;
  };
  for (const Row& row : {Row{6, 1, 6}, Row{10, 2, 9}, Row{20, 6, 15}, Row{100, 40, 61}}) {
    const auto interval = quantile_interval(counted(row.n), 0.5);
    ASSERT_TRUE(interval) << row.n;
    EXPECT_EQ(interval->low, row.low) << row.n;
    EXPECT_EQ(interval->high, row.high) << row.n;
  }
}

TEST(Statistics, StudentsTIsThatOfTheTables) {
  EXPECT_NEAR(t_critical(1), 12.706, 1e-3);
  EXPECT_NEAR(t_critical(2), 4.303, 1e-3);
  EXPECT_NEAR(t_critical(9), 2.262, 1e-3);
  EXPECT_NEAR(t_critical(1000), 1.962, 1e-3);
  const auto interval = t_interval(std::vector<double>{9, 10, 11});
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, 10 - 4.303 / std::sqrt(3.0), 1e-3);
  EXPECT_FALSE(t_interval(std::vector<double>{1}));
}

TEST(Statistics, NormalQuantileInvertsTheDistribution) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959964, 1e-6);
  EXPECT_NEAR(normal_cdf(normal_quantile(0.1)), 0.1, 1e-9);
}

TEST(Statistics, BootstrapCoversTheMeanAboutAsOftenAsItSays) {
  std::mt19937_64 generator(5);
  int covered = 0;
  constexpr int kTrials = 200;
  for (int t = 0; t < kTrials; ++t) {
    std::vector<double> values(30);
    for (double& v : values) v = -std::log((static_cast<double>(generator() >> 11) + 0.5) * 0x1p-53);  // mean 1
    const auto interval = bootstrap_mean(values, static_cast<std::uint64_t>(t));
    ASSERT_TRUE(interval);
    covered += interval->low <= 1 && 1 <= interval->high ? 1 : 0;
  }
  EXPECT_GE(covered, kTrials * 0.88);
  EXPECT_LT(covered, kTrials);
}

TEST(Statistics, BootstrapIsSeededAndSkewed) {
  std::vector<double> values(40, 1.0);
  values.back() = 20;
  const auto first = bootstrap_mean(values, 3);
  const auto again = bootstrap_mean(values, 3);
  EXPECT_EQ(first->low, again->low);
  EXPECT_EQ(first->high, again->high);
  const double centre = mean(values);
  EXPECT_GT(first->high - centre, centre - first->low);  // a long right tail
  EXPECT_FALSE(bootstrap_mean(std::vector<double>{1, 2, 3, 4}, 1));
  const auto constant = bootstrap_mean(std::vector<double>(10, 2.0), 1);
  EXPECT_EQ(constant->low, 2);
  EXPECT_EQ(constant->high, 2);
}

TEST(Statistics, BatchMeansLeaveTheRestOut) {
  EXPECT_EQ(batch_means(counted(7), 3), (std::vector<double>{1.5, 3.5, 5.5}));
  EXPECT_TRUE(batch_means(counted(2), 3).empty());
}

}  // namespace
}  // namespace assay::measure
