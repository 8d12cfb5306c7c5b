#include "measure/series.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
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

/// Batches that touch a window.
struct Batches {
  std::vector<double> finishes, latencies;
  void add(double submitted, double done) {
    finishes.push_back(done);
    latencies.push_back(done - submitted);
  }
};

/// Places that each take one batch after another, `lasts(k)` ns each, the places shifted against each other.
template <class Lasts>
Batches pipeline(int places, double shift, double until, const Lasts& lasts) {
  Batches all;
  int k = 0;
  for (int place = 0; place < places; ++place) {
    for (double t = place * shift - 1e9; t < until;) {
      const double next = t + lasts(k++);
      if (next > 0) all.add(t, next);
      t = next;
    }
  }
  return all;
}

TEST(Throughput, CountsAndTimesComeFromTheSameSet) {
  const Batches b = pipeline(1, 0, 1e9, [](int) { return 1e7; });
  const Throughput t = throughput(b.finishes, b.latencies, 1e9);
  EXPECT_NEAR(t.completions, 100, 1e-9);
  EXPECT_DOUBLE_EQ(t.seconds, 1);
  EXPECT_NEAR(t.per_second, 100, 1e-9);
  ASSERT_TRUE(t.interval);
  EXPECT_NEAR(t.interval->low, 100, 1e-6);
}

TEST(Throughput, EveryKthCompletionStandsForK) {
  const Batches b = pipeline(1, 0, 1e9, [](int) { return 4e7; });
  EXPECT_NEAR(throughput(b.finishes, b.latencies, 1e9, 4).per_second, 100, 1e-9);
}

TEST(Throughput, PairsAreNotMiscountedWhereverTheWindowOpensAndCloses) {
  // Two under way, done 1 us apart every 600 ms: 3.33 a second. The window begins and ends at any of the completions.
  const double truth = 2 / 0.6;
  const Batches all = pipeline(2, 1e3, 20e9, [](int) { return 6e8; });
  std::vector<double> edges = all.finishes;
  std::sort(edges.begin(), edges.end());
  for (std::size_t from = 0; from < 8; ++from) {
    for (std::size_t to = from + 5; to < from + 9; ++to) {
      Batches inside;
      for (std::size_t i = 0; i < all.finishes.size(); ++i) {
        const double submitted = all.finishes[i] - all.latencies[i];
        if (all.finishes[i] > edges[from] && submitted < edges[to]) {
          inside.add(submitted - edges[from], all.finishes[i] - edges[from]);
        }
      }
      const Throughput t = throughput(inside.finishes, inside.latencies, edges[to] - edges[from]);
      EXPECT_NEAR(t.per_second, truth, 0.005 * truth) << from << " to " << to;
      ASSERT_TRUE(t.interval);
    }
  }
}

TEST(Throughput, FewCompletionsHaveAWideIntervalOrNone) {
  EXPECT_EQ(throughput({}, {}, 1e9).completions, 0);
  const Batches three = pipeline(1, 0, 3e9, [](int) { return 1e9; });
  EXPECT_NEAR(throughput(three.finishes, three.latencies, 3e9).per_second, 1, 1e-9);
  EXPECT_FALSE(throughput(three.finishes, three.latencies, 3e9).interval);
  const Batches five = pipeline(1, 0, 5e9, [](int k) { return k % 2 == 0 ? 1.01e9 : 0.99e9; });
  const Throughput t = throughput(five.finishes, five.latencies, 5e9);
  ASSERT_TRUE(t.interval);
  EXPECT_GT(t.interval->high - t.interval->low, 0.02 * t.per_second);
}

TEST(Throughput, ReadsAProcesssObservations) {
  const std::map<std::string, std::vector<double>> values = {{"finish_ns", {5e8, 1e9}},   {"latency_ns", {1e9, 1e9}},
                                                             {"open_finish_ns", {1.5e9}}, {"open_latency_ns", {1e9}},
                                                             {"window", {1e9}},           {"stride", {1}}};
  EXPECT_NEAR(throughput(values).per_second, 2, 1e-9);
  EXPECT_EQ(throughput(std::map<std::string, std::vector<double>>{}).completions, 0);
}

TEST(SamplesPerSecond, WhateverTheCaseIsSetUpFor) {
  Case c;
  c.batch_size = 8;
  const std::map<std::string, std::vector<double>> values = {
      {"finish_ns", {1e9, 2e9}}, {"latency_ns", {1e9, 1e9}}, {"window", {2e9}}};
  c.goal = Goal::kThroughput;
  EXPECT_NEAR(samples_per_second(c, values).value(), 8, 1e-9);
  c.goal = Goal::kLatency;
  EXPECT_NEAR(samples_per_second(c, values).value(), 8, 1e-9);
  c.batch_size = 0;  // the model's own
  auto own = values;
  own["batch_size"] = {3};
  EXPECT_NEAR(samples_per_second(c, own).value(), 3, 1e-9);
  EXPECT_FALSE(samples_per_second(c, {}));
  c.goal = Goal::kThroughput;
  EXPECT_FALSE(samples_per_second(c, {}));
}

TEST(Little, HoldsWhereAConstantNumberIsOutstanding) {
  // Two outstanding, each takes 20 and one ends every 10.
  const std::vector<double> latencies(12, 20);
  const Throughput x = throughput(ticks(12, 10), latencies, 80);
  const LittleCheck check = little_check(x, latencies, 2);
  EXPECT_NEAR(check.observed, 2, 1e-12);
  EXPECT_TRUE(check.ok);
}

TEST(Little, FindsAThroughputThatItsLatencyContradicts) {
  const std::vector<double> latencies(20, 10);  // one at a time
  const Throughput x = throughput(ticks(20, 10), latencies, 190);
  EXPECT_FALSE(little_check(x, latencies, 2).ok);
  EXPECT_FALSE(little_check(x, latencies, 0.9).ok);
  EXPECT_TRUE(little_check(x, latencies, 1).ok);
  // The rate that is reported, not one of its own.
  Throughput reported = x;
  reported.per_second *= 1.4;
  EXPECT_FALSE(little_check(reported, latencies, 1).ok);
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
  EXPECT_FALSE(noise_floor(std::vector<std::pair<double, double>>{{23717.9, 14422.8}})) << "one pair says nothing";
  std::vector<std::pair<double, double>> apart(9, {100, 102});
  apart.emplace_back(0, 100);
  EXPECT_FALSE(noise_floor(apart)) << "nine pairs, and one that is none";
  apart.back() = {102, 100};
  EXPECT_NEAR(*noise_floor(apart), std::expm1(2.2281 * std::log(1.02)), 1e-4);
  const std::vector<std::pair<double, double>> equal(10, {10, 10});
  EXPECT_DOUBLE_EQ(*noise_floor(equal), 0.005);
  const std::vector<std::pair<double, double>> many(1000, {100, 102});
  EXPECT_NEAR(*noise_floor(many), std::expm1(1.9623 * std::log(1.02)), 1e-4);
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
