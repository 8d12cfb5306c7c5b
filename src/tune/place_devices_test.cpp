// A search over several devices, with numbers that are made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/error.hpp"
#include "tune/fake_bench.hpp"

namespace assay::tune {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsNan;
using testing::UnorderedElementsAre;
using Seat = Placement::Seat;

constexpr double kOneMiB = 1024.0 * 1024.0;

PlaceRequest on_two_devices() {
  PlaceRequest r = request();
  r.backends = {"x"};
  r.devices = {"cpu", "gpu:0"};
  r.ensemble.device = "cpu+gpu:0";
  return r;
}

/// The GPU does a in a fifth, b in two thirds of the CPU's time.
const MadeUpCosts kGpuForA = {{{"a", "x"}, 5}, {{"a", "x gpu:0"}, 1}, {{"b", "x"}, 1.5}, {{"b", "x gpu:0"}, 1}};

TEST(PlaceDevices, OneSearchFindsEachMembersDevice) {
  FakeBench fake(kGpuForA);
  fake.penalty = 0.5;  // side by side
  const Placed placed = place(on_two_devices(), fake.bench());
  ASSERT_TRUE(placed.winner);
  const Case& winner = placed.verified[*placed.winner].test_case;
  EXPECT_EQ(winner.device, "cpu+gpu:0");
  EXPECT_EQ(winner.backend, "x");
  EXPECT_EQ(winner.strategy, "placed");
  EXPECT_THAT(winner.placement.seats,
              ElementsAre(Seat{.backend = "x", .device = "gpu:0"}, Seat{.backend = "x", .device = "cpu"}));
  EXPECT_DOUBLE_EQ(placed.plans[0].seconds, 1.5) << "of the device that is last";
  EXPECT_THAT(fake.found.predicted[0].placement.seats,
              ElementsAre(Seat{"x", kBatch, 0, "gpu:0"}, Seat{"x", kBatch, 1, "cpu"}));
  EXPECT_THAT(fake.said, ElementsAre("alone", "pairs", "found", "plans"));
  // The study's way and one graph of all, each on the one device that should do it best.
  for (const Outcome& o : placed.verified) {
    if (o.test_case.strategy == "sequential" || o.test_case.strategy == "merged") {
      EXPECT_EQ(o.test_case.device, "gpu:0") << o.test_case.strategy;
    }
  }
}

TEST(PlaceDevices, OfAPredictedPlanThreadsAreSaidOfMembersOnTheCpu) {
  PlaceRequest r = on_two_devices();
  r.ensemble.threads = 4;
  FakeBench fake(kGpuForA);
  for (const auto& devices : std::vector<std::vector<std::string>>{r.devices, {"gpu:0"}}) {
    r.devices = devices;
    (void)place(r, fake.bench());
    std::set<std::string> strategies;
    for (const PlacedSearch::Prediction& p : fake.found.predicted) {
      strategies.insert(p.placement.strategy);
      for (const Seat& seat : p.placement.seats) {
        EXPECT_EQ(seat.threads > 0, seat.device == "cpu") << p.placement.strategy;
      }
    }
    EXPECT_EQ(strategies.count("sequential"), 1U);
  }
}

TEST(PlaceDevices, AMemberThatOneDeviceAloneRunsIsNoneOfTheOthers) {
  FakeBench fake({{{"a", "x gpu:0"}, 1}, {{"b", "x"}, 1.5}});
  const Placed placed = place(on_two_devices(), fake.bench());
  ASSERT_EQ(placed.problem.members[0].size(), 1U);
  EXPECT_EQ(placed.problem.members[0][0].device, "gpu:0");
  ASSERT_EQ(placed.problem.members[1].size(), 1U);
  EXPECT_TRUE(placed.winner);
}

TEST(PlaceDevices, MembersOnTheirBestDevicesAreBesideEachOtherAcrossThem) {
  FakeBench fake(kGpuForA);
  fake.beside = 1.25;
  PlaceRequest r = on_two_devices();
  r.ensemble.threads = 4;
  const Placed placed = place(r, fake.bench());
  std::vector<std::string> pairs;
  for (const Case& c : fake.measured) {
    if (c.combine != "members") continue;
    pairs.push_back(c.model + " on " + c.device);
    EXPECT_EQ(c.threads, 2);
    if (c.device != "cpu+gpu:0") continue;
    // b takes 6 s on one of four threads, a 2 s on one of two lanes of the GPU: three times as often.
    EXPECT_EQ(c.placement.strategy, "pipelined");
    EXPECT_EQ(std::count(c.placement.seats.begin(), c.placement.seats.end(), Seat{"x", 0, 0, "gpu:0"}), 6);
    EXPECT_EQ(std::count(c.placement.seats.begin(), c.placement.seats.end(), Seat{"x", 0, 0, "cpu"}), 2);
  }
  EXPECT_THAT(pairs, UnorderedElementsAre("a+a on gpu:0", "b+b on cpu", "a+a+a+a+a+a+b+b on cpu+gpu:0"));
  EXPECT_THAT(placed.problem.slowdown_devices, ElementsAre("gpu:0", "cpu"));
  EXPECT_EQ(fake.found.slowdown_devices, placed.problem.slowdown_devices);
  EXPECT_NEAR(placed.problem.slowdown[0][1], 1.25, 1e-9);
  EXPECT_NEAR(placed.problem.slowdown[1][0], 1.25, 1e-9);
  EXPECT_EQ(placed.problem.slowdown[0][0], 1);
}

TEST(PlaceDevices, OnOneThreadMembersAreBesideEachOtherAcrossDevicesAndOnTheGpuAndInTurnOnTheCpu) {
  FakeBench fake({{{"a", "x"}, 9}, {{"a", "x gpu:0"}, 1}, {{"b", "x"}, 1.5}, {{"c", "x"}, 1.5}});
  fake.beside = 1.25;
  PlaceRequest r = on_two_devices();
  r.ensemble.model = "a+b+c";
  r.ensemble.threads = 1;
  const Placed placed = place(r, fake.bench());
  std::vector<std::string> pairs;
  for (const Case& c : fake.measured) {
    if (c.combine != "members") continue;
    pairs.push_back(c.model + " on " + c.device);
    EXPECT_EQ(c.threads, c.device == "gpu:0" ? 2 : 1) << "lanes of the GPU's are beyond the one thread: " << c.model;
  }
  // a takes 2 s on one of two lanes of the GPU, b and c 1.5 s on the one that the CPU has.
  EXPECT_THAT(pairs, UnorderedElementsAre("a+a on gpu:0", "b+b on cpu", "c+c on cpu", "a+a+b on cpu+gpu:0",
                                          "a+a+c on cpu+gpu:0"));
  const auto near = [](double value) { return testing::DoubleNear(value, 1e-9); };
  EXPECT_THAT(placed.problem.slowdown,
              ElementsAre(ElementsAre(near(1), near(1.25), near(1.25)), ElementsAre(near(1.25), near(1), IsNan()),
                          ElementsAre(near(1.25), IsNan(), near(1))));
}

TEST(PlaceDevices, OnOneThreadOfTheCpuNobodyIsBesideAnother) {
  FakeBench fake({{{"a", "x"}, 1}, {{"a", "x gpu:0"}, 9}, {{"b", "x"}, 1}, {{"b", "x gpu:0"}, 9}});
  PlaceRequest r = on_two_devices();
  r.ensemble.threads = 1;
  const Placed placed = place(r, fake.bench());
  EXPECT_THAT(fake.said, ElementsAre("alone", "found", "plans"));
  EXPECT_THAT(placed.problem.slowdown, IsEmpty());
}

TEST(PlaceDevices, WhereOneDeviceSuitsAllBestPairsAreOnItAlone) {
  FakeBench fake({{{"a", "x"}, 5}, {{"a", "x gpu:0"}, 1}, {{"b", "x"}, 5}, {{"b", "x gpu:0"}, 1}});
  const Placed placed = place(on_two_devices(), fake.bench());
  EXPECT_THAT(placed.problem.slowdown_devices, ElementsAre("gpu:0", "gpu:0"));
  EXPECT_THAT(fake.found.slowdown_devices, IsEmpty()) << "said where they differ";
  for (const Case& c : fake.measured) {
    EXPECT_TRUE(c.combine != "members" || c.device == "gpu:0") << c.model;
  }
}

TEST(PlaceDevices, EachDevicesMemoryIsALimitAndUnknownIsNoWay) {
  PlaceRequest r = on_two_devices();
  r.device_limits = {{"gpu:0", 150 * kOneMiB}};
  FakeBench fake({{{"a", "x"}, 5}, {{"a", "x gpu:0"}, 1}, {{"b", "x"}, 5}, {{"b", "x gpu:0"}, 1}});
  fake.device_mib = 100;
  const Placed placed = place(r, fake.bench());
  for (const Plan& plan : placed.plans) {
    EXPECT_FALSE(plan.ways[0] == 1 && plan.ways[1] == 1) << "both on the GPU take 200 MiB";
  }
  EXPECT_DOUBLE_EQ(placed.problem.members[0][1].device_memory, 100 * kOneMiB);
  fake.device_mib = 0;
  const Placed unknown = place(r, fake.bench());
  for (const auto& ways : unknown.problem.members) {
    EXPECT_THAT(ways, Each(testing::Field(&Way::device, "cpu"))) << "whether it fits is not known";
  }
  r.device_limits.clear();
  EXPECT_EQ(place(r, fake.bench()).problem.members[0].size(), 2U) << "nor is there a limit";
}

TEST(PlaceDevices, CostsAreOfEveryEngineOnEveryDeviceAndThreadsAreTheCpus) {
  PlaceRequest r = on_two_devices();
  r.backends = {"x", "y"};
  r.ensemble.threads = 4;
  std::set<std::string> engines, threads;
  for (const Case& c : cost_cases(r)) {
    engines.insert(c.backend + " " + c.device);
    if (c.threads != 4) threads.insert(c.device);
    EXPECT_TRUE(c.placement.seats.empty());
  }
  EXPECT_EQ(engines, (std::set<std::string>{"x cpu", "x gpu:0", "y cpu", "y gpu:0"}));
  EXPECT_EQ(threads, (std::set<std::string>{"cpu"}));
  r.ensemble.threads = 3;
  r.ensemble.model = "a+b+c";
  EXPECT_EQ(lane_threads(r), (std::vector<int>{2})) << "where the third is on the GPU";
  r.devices = {"gpu:0"};
  EXPECT_EQ(lane_threads(r, {"x", "gpu:0"}), std::vector<int>()) << "a lane and a thread each, as on the CPU";
}

TEST(PlaceDevices, ARequestsDevicesComeBackAndAnOlderOnesIsItsEnsembles) {
  PlaceRequest r = on_two_devices();
  std::string text = to_text({r});
  EXPECT_EQ(requests_from_text(text, "here").at(0).devices, r.devices);
  r.ensemble.device = "gpu:1";
  text = to_text({r});
  const std::string devices = R"("devices":["cpu","gpu:0"],)";
  ASSERT_NE(text.find(devices), std::string::npos);
  text.erase(text.find(devices), devices.size());
  EXPECT_THAT(requests_from_text(text, "here").at(0).devices, ElementsAre("gpu:1"));
}

TEST(PlaceDevices, WhatIsForeseenIsNoLessThanWhatIsMeasured) {
  PlaceRequest r = on_two_devices();
  for (const int threads : {1, 2}) {
    r.ensemble.threads = threads;
    FakeBench fake(kGpuForA);
    (void)place(r, fake.bench());
    const Foreseen f = foreseen(r);
    EXPECT_EQ(f.pairs.size(), 4U);
    EXPECT_LE(fake.measured.size(), f.alone.size() + f.pairs.size() + f.plans.size());
    for (const Case& c : f.plans) EXPECT_EQ(c.device, "cpu");
  }
}

}  // namespace
}  // namespace assay::tune
