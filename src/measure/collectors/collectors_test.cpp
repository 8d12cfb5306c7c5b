#include "measure/collectors/collectors.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "measure/fma_peak.hpp"

namespace assay::measure {
namespace {

using ::testing::HasSubstr;

constexpr double kMilli = 1e6;  // ns

/// One process: a batch of 8 every 10 ms, 20 ms each, two outstanding.
ProcessSamples steady(int process, int batches, double every_ms = 10) {
  ProcessSamples p;
  p.process = process;
  // The first one began before the window, and one is under way at its end.
  p.values["window"] = {batches * every_ms * kMilli};
  p.values["open_finish_ns"] = {(batches + 1) * every_ms * kMilli};
  p.values["open_latency_ns"] = {2 * every_ms * kMilli};
  for (int i = 1; i <= batches; ++i) {
    p.values["finish_ns"].push_back(i * every_ms * kMilli);
    p.values["latency_ns"].push_back(2 * every_ms * kMilli);
    p.values["compute_ns"].push_back(every_ms * kMilli);
  }
  p.values["stride"] = {1};
  p.values["batch_size"] = {8};
  p.values["in_flight"] = {2};
  p.values["load.cold"] = {(100.0 + process) * kMilli};
  return p;
}

struct Fixture {
  Case c;
  Observations o;
  Fixture() {
    o.test_case = &c;
    o.effort = effort_by_name("quick");
    o.noise_floor = 0.03;
  }
  Metric get(const std::string& tag) {
    for (const Metric& m : collect(o)) {
      if (m.tag == tag) return m;
    }
    ADD_FAILURE() << "no metric " << tag;
    return {};
  }
};

TEST(Collectors, EveryTagIsThereOnceWithAUnitAndAReasonWhereItHasNoValue) {
  Fixture f;
  std::set<std::string> tags;
  for (const Metric& m : collect(f.o)) {
    EXPECT_TRUE(tags.insert(m.tag).second) << m.tag << " twice";
    EXPECT_FALSE(m.unit.empty()) << m.tag;
    EXPECT_FALSE(m.value) << m.tag << " of nothing";
    EXPECT_FALSE(m.remark.empty()) << m.tag;
  }
  for (const char* tag :
       {"throughput",     "latency.p50",   "latency.p90",    "latency.p95",  "latency.p99",   "latency.max",
        "latency.mean",   "time.queue",    "time.fill",      "time.copy_in", "time.compute",  "time.copy_out",
        "time.drain",     "load.cold",     "load.cached",    "first",        "start",         "memory.peak",
        "memory.resting", "memory.device", "memory.library", "memory.model", "energy.gross",  "energy.net",
        "power.mean",     "cpu.time",      "parity.error",   "parity.top1",  "peak.effective"}) {
    EXPECT_EQ(tags.count(tag), 1U) << tag;
  }
}

TEST(Collectors, OneProcessIsWidenedByTheNoiseFloor) {
  Fixture f;
  f.o.processes = {steady(0, 100)};
  const Metric m = f.get("throughput");
  EXPECT_NEAR(*m.value, 800, 1e-9);
  EXPECT_NEAR(*m.low, 800 * 0.97, 1e-6);
  EXPECT_NEAR(*m.high, 800 * 1.03, 1e-6);
  EXPECT_EQ(m.n, 100);
  EXPECT_THAT(m.remark, HasSubstr("noise floor"));
  EXPECT_THAT(m.remark, HasSubstr("2 batches outstanding"));
}

TEST(Collectors, SeveralProcessesSpeakForThemselves) {
  Fixture f;
  f.o.processes = {steady(0, 100, 10), steady(1, 100, 10.1), steady(2, 100, 9.9)};
  const Metric m = f.get("throughput");
  EXPECT_NEAR(*m.value, 800.05, 0.1);
  EXPECT_LT(*m.low, 785);
  EXPECT_GT(*m.high, 815);
  EXPECT_EQ(m.n, 300);
  const Metric load = f.get("load.cold");
  EXPECT_NEAR(*load.value, 101, 1e-9);
  EXPECT_NEAR(*load.high - *load.value, 4.303 / std::sqrt(3.0), 1e-2);
}

TEST(Collectors, NoisyProcessesDoNotCount) {
  Fixture f;
  f.o.processes = {steady(0, 100, 10), steady(1, 100, 50)};
  f.o.processes[1].kept = false;
  EXPECT_NEAR(*f.get("throughput").value, 800, 1e-9);
  EXPECT_EQ(f.get("load.cold").n, 1);
}

TEST(Collectors, PercentilesSayWhatTheyNeed) {
  Fixture f;
  f.o.processes = {steady(0, 100)};
  EXPECT_NEAR(*f.get("latency.p50").value, 20, 1e-9);
  EXPECT_NEAR(*f.get("latency.p95").value, 20, 1e-9);
  const Metric p99 = f.get("latency.p99");
  EXPECT_FALSE(p99.value);
  EXPECT_THAT(p99.remark, HasSubstr("needs 368, had 100"));
  f.o.processes = {steady(0, 4)};
  const Metric p50 = f.get("latency.p50");
  EXPECT_NEAR(*p50.value, 20, 1e-9);
  ASSERT_TRUE(p50.low && p50.high);
  EXPECT_LE(*p50.low, 20 * 0.97 + 1e-9);
  EXPECT_GE(*p50.high, 20 * 1.03 - 1e-9);
  EXPECT_THAT(p50.remark, HasSubstr("needs 6, had 4 for an interval"));
}

TEST(Collectors, ASeriesThatNeverLevelledIsMarkedInItsFigures) {
  Fixture f;
  f.o.effort = effort_by_name("standard");
  f.o.processes = {steady(0, 100), steady(1, 100), steady(2, 100)};
  for (ProcessSamples& p : f.o.processes) p.values["warm_up.level"] = {p.process == 1 ? 0.0 : 1.0};
  for (const char* tag : {"throughput", "latency.p50", "latency.mean"}) {
    EXPECT_THAT(f.get(tag).remark, HasSubstr("never became level in 1 of 3 processes")) << tag;
  }
  f.o.effort = effort_by_name("quick");  // which does not wait for it
  EXPECT_THAT(f.get("throughput").remark, ::testing::Not(HasSubstr("level")));
}

TEST(Collectors, WhatHeldTheLoopUpIsSaidOfTheLatencies) {
  Fixture f;
  f.o.processes = {steady(0, 100)};
  f.o.texts["remark.latency"] = "something held it up";
  EXPECT_THAT(f.get("latency.p50").remark, HasSubstr("something held it up"));
}

TEST(Collectors, PooledPercentilesSayOfHowManyProcesses) {
  Fixture f;
  f.o.effort = effort_by_name("standard");
  // Enough together for a 99th percentile, in no process enough for one of its own.
  for (int i = 0; i < 5; ++i) f.o.processes.push_back(steady(i, 80));
  const Metric p99 = f.get("latency.p99");
  ASSERT_TRUE(p99.value);
  EXPECT_THAT(p99.remark, ::testing::Not(HasSubstr("one process")));
  EXPECT_THAT(p99.remark, HasSubstr("5 processes"));
}

TEST(Collectors, ClocksAreWidenedAsOthers) {
  Fixture f;
  f.o.processes = {steady(0, 100)};
  const Metric m = f.get("time.compute");
  EXPECT_NEAR(*m.low, 10 * 0.97, 1e-9);
  EXPECT_NEAR(*m.high, 10 * 1.03, 1e-9);
}

TEST(Collectors, ThroughputIsNotReadOffALatencyExperiment) {
  Fixture f;
  f.c.goal = Goal::kLatency;
  f.o.processes = {steady(0, 100)};
  EXPECT_FALSE(f.get("throughput").value);
  EXPECT_TRUE(f.get("latency.mean").value);
}

TEST(Collectors, UnitsAreThoseOfTheTable) {
  Fixture f;
  ProcessSamples p = steady(0, 20);
  p.values["memory.peak"] = {64.0 * 1024 * 1024};
  p.values["cpu.time"] = {2.5 * kMilli};
  p.values["start"] = {300 * kMilli};
  p.values["start.together"] = {400 * kMilli, 600 * kMilli};
  f.o.processes = {p};
  EXPECT_DOUBLE_EQ(*f.get("memory.peak").value, 64);
  EXPECT_DOUBLE_EQ(*f.get("cpu.time").value, 2.5);
  EXPECT_DOUBLE_EQ(*f.get("start").value, 300);
  EXPECT_THAT(f.get("start").remark, HasSubstr("2 at once: 500.0 ms"));
  EXPECT_DOUBLE_EQ(*f.get("time.compute").value, 10);
  EXPECT_FALSE(f.get("time.fill").value);
}

TEST(Collectors, EnergyIsTheDevicesAndTheCpuHasNone) {
  Fixture f;
  ProcessSamples p = steady(0, 20);
  p.values["energy.gross"] = {0.25};
  p.values["power.mean"] = {310};
  f.o.processes = {p};
  f.o.texts["remark.energy.gross"] = "the GPU's alone";
  EXPECT_EQ(f.get("energy.gross").remark, "this version reads no energy counter");
  f.c.device = "gpu:0";
  EXPECT_DOUBLE_EQ(*f.get("energy.gross").value, 0.25);
  EXPECT_EQ(f.get("energy.gross").remark, "the GPU's alone");
  EXPECT_DOUBLE_EQ(*f.get("power.mean").value, 310);
  EXPECT_FALSE(f.get("energy.net").value);
  f.o.processes = {steady(0, 20)};
  f.o.texts["remark.energy.gross"] = "no driver";
  EXPECT_EQ(f.get("energy.gross").remark, "the device's energy counter could not be read; no driver");
}

TEST(Collectors, EachMemberOfAnEnsembleHasItsOwn) {
  Fixture f;
  f.c.model = "models/vgg.onnx+other";
  f.c.strategy = "pipelined";
  f.o.processes = {steady(0, 40)};
  ProcessSamples memory;
  memory.process = 1;
  memory.values["member.vgg.memory"] = {3.0 * 1024 * 1024};
  f.o.processes[0].values["member.vgg.latency.mean"] = {5 * kMilli};
  f.o.processes[0].values["member.vgg.throughput"] = {160};
  f.o.processes[0].values["member.vgg.load.cold"] = {7 * kMilli};
  f.o.processes[0].values["member.vgg.load.cached"] = {3 * kMilli};
  f.o.processes.push_back(memory);
  EXPECT_DOUBLE_EQ(*f.get("member.vgg.throughput").value, 160);
  EXPECT_EQ(f.get("member.vgg.throughput").unit, "1/s");
  EXPECT_DOUBLE_EQ(*f.get("member.vgg.load.cold").value, 7);
  EXPECT_DOUBLE_EQ(*f.get("member.vgg.load.cached").value, 3);
  EXPECT_DOUBLE_EQ(*f.get("member.vgg.latency.mean").value, 5);
  EXPECT_THAT(f.get("member.vgg.latency.mean").remark, HasSubstr("beside the others"));
  EXPECT_DOUBLE_EQ(*f.get("member.vgg.memory").value, 3);
  EXPECT_EQ(f.get("member.vgg.memory").unit, "MiB");
}

TEST(Collectors, OfAMemberWhatWasNotMeasuredIsThereWithItsReason) {
  struct Row {
    const char* effort;
    Goal goal;
    const char* strategy;
    std::string tag;
    const char* why;
  };
  const char* const merged = "one graph of all members";
  for (const Row& row : {Row{"quick", Goal::kThroughput, "pipelined", "memory", "not read at effort quick"},
                         Row{"standard", Goal::kThroughput, "pipelined", "memory", "it was not read"},
                         Row{"quick", Goal::kThroughput, "pipelined", "load.cached", "the cache is off"},
                         Row{"quick", Goal::kThroughput, "pipelined", "throughput", "the member did nothing"},
                         Row{"quick", Goal::kLatency, "sequential", "throughput", "this case is for latency"},
                         Row{"quick", Goal::kThroughput, "merged", "latency.mean", merged},
                         Row{"standard", Goal::kThroughput, "merged", "memory", merged}}) {
    Fixture f;
    f.c.model = "vgg+vgg";
    f.c.strategy = row.strategy;
    f.c.goal = row.goal;
    f.c.cache = false;
    f.o.effort = effort_by_name(row.effort);
    f.o.processes = {steady(0, 40)};
    for (const char* member : {"vgg", "vgg#2"}) {
      const Metric metric = f.get(fmt::format("member.{}.{}", member, row.tag));
      EXPECT_FALSE(metric.value);
      EXPECT_THAT(metric.remark, ::testing::StartsWith(row.why)) << row.strategy << " " << row.tag;
    }
  }
}

TEST(Collectors, ParityIsTheWorstProcess) {
  Fixture f;
  f.o.processes = {steady(0, 10), steady(1, 10)};
  f.o.processes[0].values["parity.error"] = {1e-6};
  f.o.processes[1].values["parity.error"] = {3e-6};
  f.o.texts["parity"] = "against X";
  EXPECT_DOUBLE_EQ(*f.get("parity.error").value, 3e-6);
  EXPECT_EQ(f.get("parity.error").remark, "against X");
  f.o.texts.clear();
  f.o.processes = {steady(0, 10)};
  EXPECT_THAT(f.get("parity.error").remark, HasSubstr("unverified"));
}

TEST(Collectors, EffectivePeakIsFlopsOverFlops) {
  Fixture f;
  ProcessSamples p = steady(0, 100);
  p.values["model.flops"] = {1e9};
  EXPECT_THAT((f.o.processes = {p}, f.get("peak.effective").remark), HasSubstr("FMA peak was not measured"));
  p.values["machine.fma_peak"] = {1.6e12};
  f.o.processes = {p};
  EXPECT_NEAR(*f.get("peak.effective").value, 0.5, 1e-9);
}

TEST(FmaPeak, IsAPlausibleRate) {
  const FmaPeak peak = measure_fma_peak(1, std::chrono::milliseconds(5));
  EXPECT_GT(peak.flops_per_second, 1e6);
  EXPECT_LT(peak.flops_per_second, 1e13);
  EXPECT_FALSE(peak.kernel.empty());
}

}  // namespace
}  // namespace assay::measure
