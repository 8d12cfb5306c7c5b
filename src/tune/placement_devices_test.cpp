// Members on several devices, which compute side by side: numbers that are made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tune/placement.hpp"

namespace assay::tune {
namespace {

using testing::ElementsAre;

Way on_cpu(double spread, double whole) { return {"x", 8, spread, whole, 100, {}, "cpu", 0}; }
Way on_gpu(double spread, double whole, const char* gpu = "gpu:0") { return {"x", 8, spread, whole, 10, {}, gpu, 50}; }

/// Two threads; of both members the GPU is the quicker device, but not of both together.
Problem two_devices() {
  Problem p;
  p.threads = 2;
  p.members = {{on_cpu(4, 4.4), on_gpu(1, 1.5)}, {on_cpu(1.5, 1.6), on_gpu(1, 1.2)}};
  return p;
}

TEST(PlacementDevices, TheDeviceThatIsLastDecides) {
  struct Row {
    const char* strategy;
    std::vector<std::size_t> ways;
    double seconds;
    const char* why;
  };
  const Problem p = two_devices();
  for (const Row& row :
       {Row{"pipelined", {0, 0}, 5.5, "the CPU alone: the sum"}, Row{"pipelined", {1, 1}, 2, "the GPU alone: the sum"},
        Row{"pipelined", {1, 0}, 1.5, "the CPU is last"}, Row{"pipelined", {0, 1}, 4, "the CPU is last, and later"},
        Row{"concurrent", {1, 0}, 1.6, "the CPU's only member has all threads"},
        Row{"concurrent", {0, 1}, 4.4, "the same"},
        Row{"sequential", {1, 0}, 3.1, "one after the other, wherever they are"}}) {
    EXPECT_DOUBLE_EQ(predicted_seconds(p, row.strategy, row.ways), row.seconds) << row.strategy << ": " << row.why;
  }
  const Plan best = best_plans(p, 1).at(0);
  EXPECT_EQ(best.strategy, "pipelined");
  EXPECT_THAT(best.ways, ElementsAre(1, 0));
}

TEST(PlacementDevices, SideBySideOnAnotherDeviceNobodyIsQuickerThanAloneNorTheDeviceThanKeptBusy) {
  Problem p;
  p.threads = 2;
  p.members = {{on_gpu(1, 1.5)}, {on_gpu(1, 1.2)}, {on_cpu(0.1, 0.1)}};
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0, 0}), 2) << "kept busy by both";
  p.members[0][0].whole = 5;
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0, 0}), 5) << "one at a time";
  p.members[1][0].device = "gpu:1";
  p.members[0][0].whole = 1.5;
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0, 0}), 1.5) << "a GPU each";
  p.threads = 8;
  p.members = {{on_gpu(1, 1.5)}, {on_gpu(1, 1.2)}};
  EXPECT_DOUBLE_EQ(predicted_seconds(p, "concurrent", {0, 0}), 2) << "whatever the CPU's threads";
  EXPECT_FALSE(divides_threads(p, "concurrent", {0, 0}));
}

TEST(PlacementDevices, TheThreadsAreForTheMembersOnTheCpu) {
  Problem p;
  p.threads = 4;
  p.members = {{on_cpu(4, 4), on_gpu(1, 1)}, {on_cpu(1, 1), on_gpu(1, 1)}, {on_cpu(1, 1), on_gpu(1, 1)}};
  EXPECT_THAT(member_threads(p, "sequential", {0, 0, 1}), ElementsAre(4, 4, 0));
  EXPECT_THAT(member_threads(p, "sequential", {1, 1, 1}), ElementsAre(0, 0, 0)) << "nobody is on the CPU";
  EXPECT_THAT(member_threads(p, "pipelined", {0, 0, 1}), ElementsAre(1, 1, 0));
  EXPECT_THAT(member_threads(p, "pipelined", {1, 1, 1}), ElementsAre(0, 0, 0)) << "nobody is on the CPU";
  // As fast as they have threads: 16 s on one thread, and 4 s.
  for (auto& ways : p.members) ways[0].on_threads = {{2, ways[0].spread * 2}, {3, ways[0].spread * 4 / 3}};
  EXPECT_THAT(member_threads(p, "concurrent", {0, 0, 1}), ElementsAre(3, 1, 0));
  EXPECT_TRUE(divides_threads(p, "concurrent", {0, 0, 1}));
  p.threads = 2;
  EXPECT_FALSE(divides_threads(p, "concurrent", {0, 0, 1}));
  p.members[2].push_back(on_gpu(1, 1, "gpu:1"));
  p.threads = 4;
  EXPECT_FALSE(divides_threads(p, "concurrent", {1, 1, 2})) << "nobody is on the CPU";
  EXPECT_THAT(member_threads(p, "concurrent", {1, 1, 2}), ElementsAre(0, 0, 0));
}

TEST(PlacementDevices, EachDevicesMemoryIsALimitOfItsOwn) {
  Problem p = two_devices();
  p.members[0][0] = on_cpu(1.4, 1.4);
  p.members[1][0] = on_cpu(2.5, 2.5);
  p.members[0][1].spread = p.members[1][1].spread = 0.1;
  EXPECT_THAT(best_plans(p, 1).at(0).ways, ElementsAre(1, 1));
  p.device_limits = {{"gpu:0", 99}};  // 50 each
  EXPECT_THAT(best_plans(p, 1).at(0).ways, ElementsAre(0, 1));
  EXPECT_THAT(best_plans(p, 1, 0).at(0).ways, ElementsAre(0, 1)) << "the local search, too";
  p.device_limits = {{"gpu:0", 49}, {"gpu:1", 1}};
  EXPECT_THAT(best_plans(p, 1).at(0).ways, ElementsAre(0, 0));
  p.memory_limit = 150;  // of the host: 100 each on the CPU, 10 on the GPU
  EXPECT_TRUE(best_plans(p, 1).empty());
  p.device_limits = {{"gpu:0", 100}};
  EXPECT_DOUBLE_EQ(best_plans(p, 1).at(0).memory, 20);
}

TEST(PlacementDevices, OneModelTwiceIsHeldOnceOnEachDevice) {
  Problem p;
  p.threads = 2;
  p.members = {{on_cpu(1, 1), on_gpu(1, 1)}, {on_cpu(1, 1), on_gpu(1, 1)}};
  p.same_as = {0, 0};
  p.device_limits = {{"gpu:0", 60}};
  const std::vector<Plan> plans = best_plans(p, 100);
  EXPECT_EQ(plans.size(), 9U) << "both on the GPU fit";
  for (const Plan& plan : plans) {
    EXPECT_DOUBLE_EQ(plan.memory, plan.ways[0] != plan.ways[1] ? 110 : plan.ways[0] == 0 ? 100 : 10);
  }
}

TEST(PlacementDevices, SlowDownsAreOfTheSameDeviceOrAcrossAsTheyWereMeasured) {
  Problem p = two_devices();
  p.members.push_back({on_cpu(2, 2), on_gpu(2, 2)});
  // a was on the GPU, b and c on the CPU; beside a on the GPU b takes 1.5 times as long as beside itself alone.
  p.slowdown_devices = {"gpu:0", "cpu", "cpu"};
  p.slowdown = {{1, 1.1, 1.3}, {1.5, 1, 1.4}, {std::nan(""), 1.2, 1}};
  struct Row {
    const char* what;
    std::vector<std::size_t> ways;
    double seconds;
  };
  for (const Row& row :
       {Row{"as measured: b beside itself and c, and a across", {1, 0, 0}, 1.5 * 1.2 * 1.5 + 2 * 1.1},
        // c across from b was not measured, a only across; a across from b alone, and c with b as on the CPU.
        Row{"c on the GPU, too: a pair across tells nothing of one device", {1, 0, 1}, 1 * 1.1 + 2 * 1},
        Row{"all on the CPU: the same", {0, 0, 0}, 4 * 1 + 1.5 * 1.2 + 2 * 1.1},
        Row{"a on the CPU: nothing is known of b across", {0, 1, 0}, 4 * 1 + 2 * 1}}) {
    EXPECT_NEAR(predicted_seconds(p, "pipelined", row.ways), row.seconds, 1e-12) << row.what;
  }
}

TEST(PlacementDevices, SlowDownsHoldWhereTheyWereMeasuredAndNowhereElse) {
  struct Row {
    const char* what;
    std::vector<std::string> measured_on;
    std::vector<std::size_t> ways;
    double seconds;
  };
  for (const Row& row : {Row{"both on the GPU, as measured", {"gpu:0", "gpu:0"}, {1, 1}, 3 * (1 + 1)},
                         {"on the GPU, and both are on the CPU now", {"gpu:0", "gpu:0"}, {0, 0}, 4 + 1.5},
                         {"on the GPU, and one is on the CPU now", {"gpu:0", "gpu:0"}, {0, 1}, 4},
                         {"both on the CPU, as measured", {"cpu", "cpu"}, {0, 0}, 3 * (4 + 1.5)},
                         {"on the CPU, and both are on the GPU now", {"cpu", "cpu"}, {1, 1}, 1 + 1},
                         {"across, as measured", {"gpu:0", "cpu"}, {1, 0}, 5 * 1.5},
                         {"across, and the other is on a second GPU now", {"gpu:0", "cpu"}, {2, 0}, 1.5}}) {
    Problem p = two_devices();
    p.members[0].push_back(on_gpu(1, 1.5, "gpu:1"));
    p.slowdown = {{1, 5}, {5, 1}};
    p.slowdown_devices = row.measured_on;
    EXPECT_NEAR(predicted_seconds(p, "pipelined", row.ways), row.seconds, 1e-12) << row.what;
  }
}

/// Five members on two engines of the CPU and one of each of two GPUs, into whose memory few fit.
Problem random_devices(std::mt19937& generator) {
  std::uniform_real_distribution<double> seconds(0.5, 5), memory(50, 500), slower(0.9, 1.6);
  Problem p;
  p.threads = 2;
  for (int member = 0; member < 5; ++member) {
    auto& ways = p.members.emplace_back();
    for (const auto& [backend, device] : {std::pair{"x", "cpu"}, {"y", "cpu"}, {"x", "gpu:0"}, {"x", "gpu:1"}}) {
      for (const std::int64_t batch : {1, 8}) {
        ways.push_back({backend,
                        batch,
                        seconds(generator),
                        seconds(generator),
                        memory(generator),
                        {},
                        device,
                        device == std::string("cpu") ? 0 : memory(generator)});
      }
    }
    auto& row = p.slowdown.emplace_back();
    for (int other = 0; other < 5; ++other) row.push_back(other == member ? 1 : slower(generator));
    p.slowdown_devices.push_back(member % 2 == 0 ? "cpu" : "gpu:0");
  }
  p.libraries = {{"x", 100}, {"y", 600}};
  p.memory_limit = 1900;
  p.device_limits = {{"gpu:0", 500}, {"gpu:1", 300}};
  return p;
}

TEST(PlacementDevices, TheLocalSearchComesWithinTwoPerCentOfTheExactOne) {
  std::mt19937 generator(5);
  int solved = 0, mixed = 0;
  for (int i = 0; i < 25; ++i) {
    const Problem p = random_devices(generator);
    const std::vector<Plan> exact = best_plans(p, 1), local = best_plans(p, 1, 0);
    ASSERT_EQ(local.empty(), exact.empty()) << i;
    if (exact.empty()) continue;
    ++solved;
    EXPECT_GE(local[0].seconds, exact[0].seconds - 1e-12) << i;
    EXPECT_LE(local[0].seconds, 1.02 * exact[0].seconds) << i;
    const auto device = [&](std::size_t m) { return p.members[m][exact[0].ways[m]].device; };
    for (std::size_t m = 1; m < 5; ++m) {
      if (device(m) == device(0)) continue;
      ++mixed;
      break;
    }
  }
  EXPECT_GT(solved, 20);
  EXPECT_GT(mixed, 15) << "several devices are what makes it hard";
}

}  // namespace
}  // namespace assay::tune
