#include "measure/series.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace assay::measure {
namespace {

std::vector<double> ticks(int n, double step) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(i * step);
  return values;
}

double noise(std::mt19937_64& generator) { return static_cast<double>(generator() >> 11) * 0x1p-53 - 0.5; }

TEST(Throughput, CountsAndTimesComeFromTheSameSet) {
  const Throughput t = throughput(ticks(101, 1e7));
  EXPECT_EQ(t.completions, 100);
  EXPECT_DOUBLE_EQ(t.seconds, 1);
  EXPECT_DOUBLE_EQ(t.per_second, 100);
  ASSERT_TRUE(t.interval);
  EXPECT_NEAR(t.interval->low, 100, 1e-9);
}

TEST(Throughput, EveryKthCompletionStandsForK) {
  EXPECT_DOUBLE_EQ(throughput(ticks(26, 4e7), 4).per_second, 100);
  EXPECT_EQ(throughput(ticks(26, 4e7), 4).completions, 100);
}

TEST(Throughput, FewCompletionsHaveNoInterval) {
  EXPECT_EQ(throughput(ticks(1, 1)).completions, 0);
  EXPECT_EQ(throughput(ticks(3, 1e9)).per_second, 1);
  EXPECT_FALSE(throughput(ticks(10, 1e9)).interval);
  EXPECT_TRUE(throughput(ticks(11, 1e9)).interval);
}

TEST(Little, HoldsWhereAConstantNumberIsOutstanding) {
  // Two outstanding, each takes 20 and one ends every 10.
  std::vector<double> finishes;
  std::vector<double> latencies;
  for (int i = 0; i < 12; ++i) {
    finishes.push_back(10.0 * i + 3);
    latencies.push_back(20);
  }
  const LittleCheck check = little_check(finishes, latencies, 13, 93, 1, 2);
  EXPECT_NEAR(check.observed, 2, 1e-12);
  EXPECT_TRUE(check.ok);
}

TEST(Little, FindsAThroughputThatItsLatencyContradicts) {
  const std::vector<double> finishes = ticks(20, 10);
  const std::vector<double> latencies(20, 10);  // one at a time
  EXPECT_FALSE(little_check(finishes, latencies, 0, 190, 1, 2).ok);
  EXPECT_FALSE(little_check(finishes, latencies, 0, 190, 1, 0.9).ok);
  EXPECT_TRUE(little_check(finishes, latencies, 0, 190, 1, 1).ok);
}

TEST(Level, Tables) {
  std::mt19937_64 generator(1);
  std::vector<double> noisy;
  std::vector<double> falling;
  std::vector<double> step;
  std::vector<double> settled;
  for (int i = 0; i < 32; ++i) {
    noisy.push_back(100 + 20 * noise(generator));
    falling.push_back(200 - 4 * i + noise(generator));
    step.push_back(i < 26 ? 100 + noise(generator) : 130 + noise(generator));
    settled.push_back(i < 8 ? 300 - 20 * i : 100 + noise(generator));
  }
  EXPECT_TRUE(is_level(std::vector<double>(8, 5.0)));
  EXPECT_FALSE(is_level(std::vector<double>(7, 5.0))) << "too few to judge";
  EXPECT_TRUE(is_level(noisy));
  EXPECT_TRUE(is_level(settled));
  EXPECT_FALSE(is_level(falling));
  EXPECT_FALSE(is_level(step));
}

TEST(NoiseFloor, IsTheSpreadOfIdenticalPairs) {
  EXPECT_FALSE(noise_floor({}));
  const std::vector<std::pair<double, double>> equal = {{10, 10}, {20, 20}};
  EXPECT_DOUBLE_EQ(*noise_floor(equal), 0.005);
  const std::vector<std::pair<double, double>> apart = {{100, 102}, {102, 100}};
  EXPECT_NEAR(*noise_floor(apart), std::expm1(1.96 * std::log(1.02)), 1e-12);
}

TEST(Flat, NeedsThreeDoublingsWithinTheFloor) {
  const std::vector<double> rising = {10, 20, 30, 35.9, 36, 36.5, 36};
  EXPECT_FALSE(flat_for_three_doublings(std::span(rising).first(6), 0.03));
  EXPECT_TRUE(flat_for_three_doublings(rising, 0.03));
  EXPECT_FALSE(flat_for_three_doublings(std::vector<double>{5, 5, 5}, 0.03));
  EXPECT_FALSE(flat_for_three_doublings(std::vector<double>{5, 5, 5, 4}, 0.03)) << "falling is not flat";
}

}  // namespace
}  // namespace assay::measure
