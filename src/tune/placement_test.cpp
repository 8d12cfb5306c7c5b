#include "tune/placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

namespace assay::tune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Two engines, one good at either member; threads 2.
Problem two_members() {
  Problem p;
  p.threads = 2;
  p.members = {{{"x", 8, 1.0, 1.2, 100}, {"y", 8, 2.0, 2.2, 100}}, {{"x", 8, 3.0, 3.3, 100}, {"y", 8, 2.5, 2.6, 100}}};
  return p;
}

TEST(Placement, EachMemberOnTheEngineThatSuitsItBest) {
  const std::vector<Plan> plans = best_plans(two_members(), 2);
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_EQ(plans[0].strategy, "pipelined");
  EXPECT_THAT(plans[0].ways, ElementsAre(0, 1));
  EXPECT_DOUBLE_EQ(plans[0].seconds, 3.5);
  EXPECT_GE(plans[1].seconds, plans[0].seconds);
}

TEST(Placement, MemoryIsAConstraintAndALibraryCountsOnce) {
  Problem p = two_members();
  p.libraries = {{"x", 50}, {"y", 500}};
  EXPECT_DOUBLE_EQ(best_plans(p, 1)[0].memory, 750);
  p.memory_limit = 300;
  EXPECT_THAT(best_plans(p, 1)[0].ways, ElementsAre(0, 0));
  p.memory_limit = 200;
  EXPECT_THAT(best_plans(p, 1), IsEmpty());
}

TEST(Placement, OfOneModelTwiceOrdersAreOnePlan) {
  Problem p = two_members();
  p.members[1] = p.members[0];
  EXPECT_EQ(best_plans(p, 100).size(), 12U) << "three strategies, two engines for each of two models";
  p.same_as = {0, 0};
  const std::vector<Plan> plans = best_plans(p, 100);
  EXPECT_EQ(plans.size(), 9U);
  for (const Plan& plan : plans) EXPECT_LE(plan.ways[0], plan.ways[1]);
}

TEST(Placement, InterferenceTurnsTheChoice) {
  Problem p = two_members();
  p.slowdown = {{1, 2}, {2, 1}};  // beside each other both take twice as long: one after the other is better
  p.slowdown_devices = {"cpu", "cpu"};
  const Plan plan = best_plans(p, 1)[0];
  EXPECT_EQ(plan.strategy, "sequential");
  EXPECT_DOUBLE_EQ(plan.seconds, 1.2 + 2.6);
}

TEST(Placement, ConcurrentIsAsSlowAsTheLaneWithMostToDo) {
  Problem p;
  p.threads = 2;
  p.members = {{{"x", 1, 1, 1, 0}}, {{"x", 1, 1, 1, 0}}, {{"x", 1, 4, 4, 0}}};
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0, 0}), 8);
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "pipelined", {0, 0, 0}), 6);
}

TEST(Placement, ConcurrentLanesHaveTheThreadsThatMakeTheLastOfThemQuickest) {
  struct Row {
    const char* what;
    int threads;
    double whole;  ///< of the costlier member, whose sample takes 6 s on one thread; the other's takes 2 s
    double seconds;
  };
  // On 4 threads the costlier has 3 lanes' worth: its own time on 3 of them.
  for (const Row& row : {Row{"one each", 2, 3, 6},
                         {"as fast as it has threads", 4, 1.5, 2},
                         {"no faster for more threads", 4, 6, 6},
                         {"one thread for both", 1, 6, 8}}) {
    Problem p;
    p.threads = row.threads;
    p.members = {{{"x", 1, 6.0 / row.threads, row.whole, 0}}, {{"x", 1, 2.0 / row.threads, 2.0 / row.threads, 0}}};
    EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0}), row.seconds) << row.what;
  }
}

TEST(Placement, OnSomeOfTheThreadsAMemberTakesWhatWasMeasured) {
  Problem p;
  p.threads = 8;
  p.members = {{{"x", 1, 1, 4, 0}}, {{"x", 1, 0.1, 0.1, 0}}};  // 8 s on one thread, 4 s on all
  const std::vector<int> threads = member_threads(p, "concurrent", {0, 0});
  EXPECT_EQ(threads[0], 7);
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0}), 8 - 4 * (1 - 1 / 7.0) / (1 - 1 / 8.0));
  p.members[0][0].on_threads = {{2, 3.5}, {4, 2}};
  EXPECT_EQ(member_threads(p, "concurrent", {0, 0})[0], 4) << "more make it slower";
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0}), 2);
  p.threads = 4;
  p.members[0][0] = {"x", 1, 2, 2, 0, {{2, 4}}};
  EXPECT_EQ(member_threads(p, "concurrent", {0, 0})[0], 3);
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0}), 4 - 2 * (1 / 2.0 - 1 / 3.0) / (1 / 2.0 - 1 / 4.0));
}

TEST(Placement, EachStrategySaysTheThreadsOfItsMembers) {
  Problem p = two_members();
  EXPECT_THAT(member_threads(p, "sequential", {0, 0}), ElementsAre(2, 2));
  EXPECT_THAT(member_threads(p, "pipelined", {0, 0}), ElementsAre(1, 1));
  EXPECT_THAT(member_threads(p, "concurrent", {0, 0}), ElementsAre(1, 1));
  EXPECT_FALSE(divides_threads(p, "concurrent", {0, 0})) << "a thread each";
  p.threads = 3;
  EXPECT_TRUE(divides_threads(p, "concurrent", {0, 0}));
  EXPECT_FALSE(divides_threads(p, "pipelined", {0, 0}));
  for (const Plan& plan : best_plans(p, 100)) {
    EXPECT_EQ(plan.threads, member_threads(p, plan.strategy, plan.ways)) << plan.strategy;
  }
}

/// The least time of the last of three lanes over every division of the threads.
double least_of_all_divisions(const Problem& p) {
  const auto seconds = [&](std::size_t m, int threads) {
    const Way& way = p.members[m][0];
    if (threads == 1) return way.spread * p.threads;
    return way.on_threads.at(threads);
  };
  double least = 1e9;
  for (int a = 1; a <= p.threads - 2; ++a) {
    for (int b = 1; a + b <= p.threads - 1; ++b) {
      for (int c = 1; a + b + c <= p.threads; ++c) {
        least = std::min(least, std::max({seconds(0, a), seconds(1, b), seconds(2, c)}));
      }
    }
  }
  return least;
}

TEST(Placement, NoDivisionOfTheThreadsIsBetterThanTheOneFound) {
  std::mt19937 generator(11);
  std::uniform_real_distribution<double> factor(0.5, 1.2), seconds(1, 9);
  for (int i = 0; i < 200; ++i) {
    Problem p;
    p.threads = 9;
    for (int member = 0; member < 3; ++member) {
      Way way{"x", 1, seconds(generator) / p.threads, 0, 0};
      double before = way.spread * p.threads;
      for (int threads = 2; threads < p.threads; ++threads) {
        way.on_threads[threads] = before = before * factor(generator);
      }
      way.whole = before;
      p.members.push_back({way});
    }
    EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0, 0}), least_of_all_divisions(p)) << i;
    const std::vector<int> threads = member_threads(p, "concurrent", {0, 0, 0});
    EXPECT_LE(threads[0] + threads[1] + threads[2], p.threads);
  }
}

/// A model twice, of which the second is so much slower beside the first.
Problem model_twice(int threads, double second_slower) {
  Problem p;
  p.threads = threads;
  p.members = {{{"x", 8, 3.0 / threads, 3.0 / threads, 100}}, {{"x", 8, 3.0 / threads, 3.0 / threads, 100}}};
  p.same_as = {0, 0};
  p.slowdown = {{1, 1}, {second_slower, second_slower}};
  p.slowdown_devices = {"cpu", "cpu"};
  return p;
}

TEST(Placement, OfAModelTwiceThreadsThatDoNotLetTheLastEndEarlierAreLeftOver) {
  for (const int threads : {3, 5, 7}) {
    const Problem p = model_twice(threads, 1);
    EXPECT_THAT(member_threads(p, "concurrent", {0, 0}), ElementsAre(threads / 2, threads / 2));
    EXPECT_NEAR(predicted_seconds(p, "concurrent", {0, 0}), 3.0 / (threads / 2), 1e-12);
  }
  Problem p = model_twice(3, 1);
  p.memory_limit = 150;
  EXPECT_EQ(best_plans(p, 3).size(), 3U) << "side by side, too, it is one session";
  for (const Plan& plan : best_plans(p, 3)) EXPECT_DOUBLE_EQ(plan.memory, 100) << plan.strategy;
  p.same_as = {0, 1};
  EXPECT_THAT(member_threads(p, "concurrent", {0, 0}), ElementsAre(2, 1)) << "another model may have what is left";
}

TEST(Placement, AModelTwiceWithDifferentThreadsIsTwoSessions) {
  const Problem p = model_twice(3, 1.5);
  EXPECT_THAT(member_threads(p, "concurrent", {0, 0}), ElementsAre(1, 2));
  for (const Plan& plan : best_plans(p, 3)) {
    EXPECT_DOUBLE_EQ(plan.memory, plan.strategy == "concurrent" ? 200 : 100) << plan.strategy;
  }
}

TEST(Placement, AModelThatIsThereTwiceIsHeldOnce) {
  Problem p;
  p.threads = 2;
  p.members = {{{"x", 8, 1, 1, 100}}, {{"x", 8, 1, 1, 100}}, {{"x", 8, 1, 1, 100}}};
  EXPECT_DOUBLE_EQ(best_plans(p, 1)[0].memory, 300);
  p.same_as = {0, 1, 0};
  EXPECT_DOUBLE_EQ(best_plans(p, 1)[0].memory, 200);
}

TEST(Placement, APairThatCouldNotBeMeasuredCountsNothing) {
  Problem p = two_members();
  p.slowdown = {{1, std::nan("")}, {1.5, 1}};
  p.slowdown_devices = {"cpu", "cpu"};
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "pipelined", {0, 0}), 1.0 + 3.0 * 1.25);
}

/// Of five members on three engines in two batches, some of which slow each other down, in memory into which
/// most choices do not fit.
Problem random_problem(std::mt19937& generator) {
  std::uniform_real_distribution<double> seconds(0.5, 5), memory(50, 500), slower(1, 1.6);
  Problem p;
  p.threads = 2;
  for (int member = 0; member < 5; ++member) {
    auto& ways = p.members.emplace_back();
    for (const char* backend : {"x", "y", "z"}) {
      for (const std::int64_t batch : {1, 8}) {
        ways.push_back({backend, batch, seconds(generator), seconds(generator), memory(generator)});
      }
    }
    auto& row = p.slowdown.emplace_back();
    for (int other = 0; other < 5; ++other) row.push_back(other == member ? 1 : slower(generator));
    p.slowdown_devices.push_back("cpu");
  }
  p.libraries = {{"x", 100}, {"y", 200}, {"z", 800}};
  p.memory_limit = 1900;
  return p;
}

TEST(Placement, TheLocalSearchComesWithinTwoPerCentOfTheExactOne) {
  std::mt19937 generator(7);
  int solved = 0, not_quickest = 0;
  for (int i = 0; i < 50; ++i) {
    Problem p = random_problem(generator);
    const std::vector<Plan> exact = best_plans(p, 1), local = best_plans(p, 1, 0);
    ASSERT_EQ(local.empty(), exact.empty()) << i;
    if (exact.empty()) continue;
    ++solved;
    EXPECT_LE(local[0].memory, p.memory_limit) << i;
    EXPECT_GE(local[0].seconds, exact[0].seconds - 1e-12) << i;
    EXPECT_LE(local[0].seconds, 1.02 * exact[0].seconds) << i;
    p.memory_limit = 0;
    not_quickest += best_plans(p, 1, 0)[0].ways != exact[0].ways ? 1 : 0;
  }
  EXPECT_GT(solved, 40);
  EXPECT_GT(not_quickest, 30) << "memory is what makes it hard";
}

TEST(Placement, TheLocalSearchForgetsNoneOfManyEngines) {
  for (const std::size_t engines : {8U, 24U}) {
    Problem p;
    p.threads = 2;
    // On the last alone all members fit, and its library is paid for by four of them.
    std::vector<Way> ways;
    for (std::size_t e = 1; e < engines; ++e) ways.push_back({"x" + std::to_string(e), 8, 1, 1, 100});
    ways.push_back({"last", 8, 2, 2, 20});
    p.members.assign(5, ways);
    p.libraries = {{"last", 300}};
    p.memory_limit = 450;
    const std::vector<Plan> plans = best_plans(p, 1, 0);
    ASSERT_EQ(plans.size(), 1U) << engines;
    EXPECT_THAT(plans[0].ways, testing::Each(engines - 1));
  }
}

}  // namespace
}  // namespace assay::tune
