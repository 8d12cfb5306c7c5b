#include "measure/noise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measure/fake_tree.hpp"

namespace assay::measure {
namespace {

using ::testing::HasSubstr;

TEST(Noise, ReadsCountersOfAVirtualMachine) {
  FakeTree tree;
  // In ticks of 1/100 s: user nice system idle iowait irq softirq steal.
  tree.put("proc/stat",
           "cpu  9999 0 0 0 0 0 0 999 0 0\ncpu0 1000 100 200 5000 50 10 20 300 0 0\ncpu1 7000 0 0 0 0 0 0 500 0 0\n"
           "cpu12 100 0 0 0 0 0 0 100 0 0\nintr 5\n");
  tree.put("proc/self/status", "Cpus_allowed_list:\t0,10-12\n");  // cpu1 is not ours
  tree.put("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0 total=0\n");
  const NoiseReading r = read_noise(tree.root());
  ASSERT_TRUE(r.steal_s && r.busy_s && r.pressure_s);
  EXPECT_DOUBLE_EQ(*r.steal_s, 4);
  EXPECT_DOUBLE_EQ(*r.busy_s, 14.3);
  EXPECT_EQ(r.cpus, 2);
  EXPECT_DOUBLE_EQ(r.tick_s, 0.01);
  EXPECT_DOUBLE_EQ(*r.pressure_s, 2.5);
  EXPECT_FALSE(r.frequency_hz);
  EXPECT_FALSE(r.throttle_events);
  EXPECT_FALSE(r.throttled_s);
}

TEST(Noise, ReadsThrottlingOfBothCgroupVersionsAndOfHeat) {
  FakeTree v2;
  v2.put("proc/self/cgroup", "0::/x\n");
  v2.put("sys/fs/cgroup/x/cpu.stat", "usage_usec 5\nnr_throttled 3\nthrottled_usec 1500000\n");
  EXPECT_DOUBLE_EQ(read_noise(v2.root()).throttled_s.value_or(-1), 1.5);
  FakeTree v1;
  v1.put("proc/self/cgroup", "2:cpu,cpuacct:/x\n");
  v1.put("sys/fs/cgroup/cpu/x/cpu.stat", "nr_periods 9\nthrottled_time 2500000000\n");
  EXPECT_DOUBLE_EQ(read_noise(v1.root()).throttled_s.value_or(-1), 2.5);
  FakeTree hot;
  hot.put("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "4\n");
  hot.put("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "3\n");
  hot.put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2000000\n");
  hot.put("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3000000\n");
  EXPECT_EQ(read_noise(hot.root()).throttle_events.value_or(-1), 7);
  EXPECT_DOUBLE_EQ(read_noise(hot.root()).frequency_hz.value_or(0), 2.5e9);
}

NoiseReading reading(double steal, double busy, double own) {
  NoiseReading r;
  r.steal_s = steal;
  r.busy_s = busy;
  r.own_s = own;
  r.cpus = 2;
  return r;
}

TEST(Noise, OthersAreWhatWeDidNotUse) {
  const auto values = noise_between(reading(0, 10, 1), reading(0, 29, 19), 10);
  EXPECT_DOUBLE_EQ(values.at("noise.others").front(), 0.05);
  EXPECT_DOUBLE_EQ(values.at("noise.steal").front(), 0);
  EXPECT_EQ(values.count("noise.pressure"), 0U) << "not told, not there";
  EXPECT_EQ(values.count("noise.thermal"), 0U);
}

TEST(Noise, WhatATickOfEachCpuExplainsIsNone) {
  struct Row {
    double steal, others, wall_s, steal_found, others_found;
  };
  for (const Row& row : {Row{0.02, 0.02, 0.05, 0, 0},    // one tick of each CPU, in a short window
                         {0.03, 0.04, 0.05, 0.3, 0.4},   // more
                         {0.02, 0.02, 3, 0, 0},          // the same in a long one
                         {0.12, 0.30, 3, 0.02, 0.05},    // what a long one bounds
                         {-0.01, -0.02, 0.05, 0, 0}}) {  // ours, which two clocks count differently
    NoiseReading before = reading(0, 10, 1), after = reading(row.steal, 10.5 + row.others, 1.5);
    after.tick_s = 0.01;
    const auto values = noise_between(before, after, row.wall_s);
    EXPECT_NEAR(values.at("noise.steal").front(), row.steal_found, 1e-9) << row.steal << " of " << row.wall_s;
    EXPECT_NEAR(values.at("noise.others").front(), row.others_found, 1e-9) << row.others << " of " << row.wall_s;
  }
}

TEST(Noise, TheRuleNamesWhatBrokeIt) {
  const auto verdict = [](const char* name, double value) { return noise_verdict({{name, {value}}}); };
  EXPECT_EQ(verdict("noise.steal", 0.02), "");
  EXPECT_THAT(verdict("noise.steal", 0.034), HasSubstr("hypervisor: 3.4 % (bound 2 %)"));
  EXPECT_EQ(verdict("noise.others", 0.04), "");
  EXPECT_THAT(verdict("noise.others", 0.2), HasSubstr("other processes: 20.0 %"));
  EXPECT_THAT(verdict("noise.throttled", 0.05), HasSubstr("quota"));
  EXPECT_THAT(verdict("noise.thermal", 1), HasSubstr("heat"));
  EXPECT_EQ(verdict("noise.pressure", 0.9), "") << "our own threads may press each other";
  EXPECT_EQ(noise_verdict({}), "");
}

}  // namespace
}  // namespace assay::measure
