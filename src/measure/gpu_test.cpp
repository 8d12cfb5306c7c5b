#include "measure/gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measure/noise.hpp"

namespace assay::measure {
namespace {

using nvidia::GpuReading;
using ::testing::HasSubstr;

constexpr std::uint32_t kSelf = 7;
constexpr std::uint64_t kGpuMebi = 1 << 20;

GpuReading at_clock(std::uint32_t mhz, std::vector<std::string> reasons = {}) {
  GpuReading r;
  r.sm_clock_mhz = mhz;
  r.max_sm_clock_mhz = 1980;
  r.throttle_reasons = std::move(reasons);
  return r;
}

GpuReading holding(std::optional<std::uint64_t> used_mib, std::vector<nvidia::GpuProcess> processes) {
  GpuReading r;
  if (used_mib) r.memory_used_bytes = *used_mib * kGpuMebi;
  r.processes = std::move(processes);
  return r;
}

TEST(GpusTogether, MemoryAndEnergyAreSumsAndWhatOneDoesNotTellIsNotTold) {
  GpuReading a = at_clock(1500, {"power cap"});
  a.memory_used_bytes = 100;
  a.energy_mj = 7;
  a.temperature_c = 40;
  a.utilization_percent = 3;
  a.processes = {{kSelf, 60}, {9, 5}};
  GpuReading b = at_clock(1400, {"power cap", "power brake"});
  b.memory_used_bytes = 200;
  b.energy_mj = 5;
  b.utilization_percent = 9;
  b.processes = {{kSelf, 30}, {8, {}}};
  const GpuReading both = gpus_together({a, b});
  EXPECT_EQ(both.memory_used_bytes, 300U);
  EXPECT_EQ(both.energy_mj, 12U);
  EXPECT_EQ(both.sm_clock_mhz, 1400U);
  EXPECT_EQ(both.temperature_c, std::nullopt);
  EXPECT_EQ(both.utilization_percent, 9U);
  EXPECT_EQ(both.throttle_reasons, (std::vector<std::string>{"power cap", "power brake"}));
  EXPECT_EQ(other_processes(both, kSelf), 2U);
  EXPECT_EQ(gpu_memory({}, both, kSelf).bytes, 90);
}

TEST(GpuNoise, SlowDownsAndDriftAreNoiseAPowerCapIsHowTheGpuComputes) {
  struct Row {
    const char* what;
    GpuReadings readings;
    const char* verdict;
  };
  for (const Row& row : std::vector<Row>{
           {"nothing told", {GpuReading{}, GpuReading{}}, ""},
           {"steady", {at_clock(1500), at_clock(1500), at_clock(1500), at_clock(1500)}, ""},
           {"at the cap",
            {at_clock(1400, {"power cap"}), at_clock(1420, {"power cap"}), at_clock(1390, {"power cap"}),
             at_clock(1410)},
            ""},
           {"hot",
            {at_clock(1500), at_clock(1500, {"thermal slow-down"}), at_clock(1500), at_clock(1500)},
            "25.0 % (bound 0 %)"},
           {"power supply", {at_clock(1500, {"power brake"})}, "slowed down for heat or its power supply"},
           {"drifts", {at_clock(1900), at_clock(1900), at_clock(1700), at_clock(1700)}, "10.5 % (bound 5 %)"},
           {"falls at the end only", {at_clock(1900), at_clock(1900), at_clock(1890)}, ""}}) {
    const std::string verdict = noise_verdict(gpu_noise(row.readings, kSelf));
    EXPECT_THAT(verdict, HasSubstr(row.verdict)) << row.what;
    EXPECT_EQ(verdict.empty(), std::string(row.verdict).empty()) << row.what << ": " << verdict;
  }
}

TEST(GpuNoise, ValuesAreInBaseUnitsAndAbsentWhereNotTold) {
  const auto values = gpu_noise({at_clock(1400, {"power cap"}), at_clock(1600)}, kSelf);
  EXPECT_DOUBLE_EQ(values.at("noise.gpu.clock").front(), 1.5e9);
  EXPECT_DOUBLE_EQ(values.at("noise.gpu.power_cap").front(), 0.5);
  EXPECT_EQ(values.count("noise.gpu.clock_drift"), 0U);
  EXPECT_EQ(gpu_noise({GpuReading{}}, kSelf).count("noise.gpu.clock"), 0U);
  EXPECT_TRUE(gpu_noise({}, kSelf).empty());
}

TEST(GpuNoise, OneOfTheProcessesIsUs) {
  struct Row {
    std::vector<nvidia::GpuProcess> processes;
    double others;
  };
  for (const Row& row : std::vector<Row>{{{}, 0},
                                         {{{kSelf, {}}}, 0},
                                         {{{4711, {}}}, 0},  // we, as the host numbers us
                                         {{{kSelf, {}}, {8, {}}}, 1},
                                         {{{4711, {}}, {8, {}}}, 1}}) {
    EXPECT_DOUBLE_EQ(gpu_noise({holding({}, row.processes)}, kSelf).at("noise.gpu.others").front(), row.others);
  }
}

TEST(GpuNoise, WhatHeldTheClockDownIsARemark) {
  EXPECT_EQ(gpu_clock_remark({at_clock(1500), at_clock(1980)}), "");
  EXPECT_EQ(gpu_clock_remark({at_clock(1400, {"power cap"}), at_clock(1420)}),
            "the GPU was at its power cap in 50 % of the readings: 1410 MHz in the mean, of at most 1980");
  EXPECT_THAT(gpu_clock_remark({at_clock(1400, {"hardware slow-down"})}), HasSubstr("slowed down for heat"));
}

TEST(GpuEnergy, IsTheCounterAtTheEndLessThatAtTheBeginning) {
  struct Row {
    std::vector<std::optional<std::uint64_t>> counters;
    std::optional<double> joules;
  };
  for (const Row& row : std::vector<Row>{{{1000, 1500, 3500}, 2.5},
                                         {{1000}, {}},
                                         {{}, {}},
                                         {{1000, {}}, {}},
                                         {{{}, 1000}, {}},
                                         {{1000, 1000}, {}},   // it does not count
                                         {{1000, 10}, {}}}) {  // the driver was loaded anew
    GpuReadings readings;
    for (const auto& counter : row.counters) readings.emplace_back().energy_mj = counter;
    const std::optional<double> joules = gpu_energy(readings);
    ASSERT_EQ(joules.has_value(), row.joules.has_value());
    EXPECT_DOUBLE_EQ(joules.value_or(0), row.joules.value_or(0));
  }
}

TEST(GpuMemory, IsTheProcesssOwnOrWhatTheDeviceGrewBy) {
  struct Row {
    const char* what;
    std::optional<GpuReading> before, now;
    std::optional<double> mib;
    std::vector<std::string> said;
  };
  for (const Row& row : std::vector<Row>{
           {"told",
            holding(100, {}),
            holding(700, {{kSelf, 450 * kGpuMebi}, {9, 90 * kGpuMebi}}),
            450.0,
            {"process's by NVML", "whole device has 700 MiB in use, 1 other process on it"}},
           {"told, the whole not", {}, holding({}, {{kSelf, 450 * kGpuMebi}}), 450.0, {"whole device's is not told"}},
           {"another number",
            holding(100, {}),
            holding(700, {{4711, 450 * kGpuMebi}}),
            600.0,
            {"beyond the 100 MiB before loading", "what others took meanwhile is in it"}},
           {"no figure of ours", holding(100, {}), holding(700, {{kSelf, {}}}), 600.0, {"beyond the 100 MiB"}},
           {"others gave back", holding(800, {}), holding(700, {}), 0.0, {"beyond the 800 MiB"}},
           {"nothing before", {}, holding(700, {}), {}, {"tells neither"}},
           {"nothing", holding(100, {}), {}, {}, {"NVML did not tell"}}}) {
    const DeviceMemory memory = gpu_memory(row.before, row.now, kSelf);
    ASSERT_EQ(memory.bytes.has_value(), row.mib.has_value()) << row.what;
    EXPECT_DOUBLE_EQ(memory.bytes.value_or(0) / static_cast<double>(kGpuMebi), row.mib.value_or(0)) << row.what;
    for (const std::string& said : row.said) EXPECT_THAT(memory.remark, HasSubstr(said)) << row.what;
  }
}

TEST(GpuIdle, AGpuThatOthersUseIsAWarning) {
  GpuReading idle = holding(100, {});
  EXPECT_FALSE(gpu_not_idle("gpu:0", idle, kSelf));
  idle.utilization_percent = 5;
  EXPECT_FALSE(gpu_not_idle("gpu:0", idle, kSelf));
  EXPECT_FALSE(gpu_not_idle("gpu:0", holding(100, {{kSelf, {}}}), kSelf));
  GpuReading used = holding(100, {{8, {}}, {9, {}}});
  used.utilization_percent = 40;
  const auto warning = gpu_not_idle("gpu:0", used, kSelf);
  ASSERT_TRUE(warning);
  EXPECT_EQ(warning->kind, "gpu-not-idle");
  EXPECT_EQ(warning->message,
            "gpu:0 was not idle before the start: it computed 40 % of the time and 2 other processes are on it");
  EXPECT_THAT(warning->advice, HasSubstr("nvidia-smi"));
  EXPECT_THAT(gpu_not_idle("gpu:0", holding({}, {{8, {}}}), kSelf)->message,
              HasSubstr("start: 1 other process is on it"));
}

}  // namespace
}  // namespace assay::measure
