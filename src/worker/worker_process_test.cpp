// The real worker program over the null backend: a case measured, and every way in which one can end badly.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "measure/collectors/collectors.hpp"
#include "support/environment.hpp"
#include "worker/reference.hpp"
#include "worker/testing/worker_program.hpp"

namespace assay::worker {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

TEST_F(WorkerTest, MeasuresACase) {
  const Exit exit = run(request_);
  ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
  EXPECT_EQ(phases_, (std::vector<std::string>{"open", "load", "first", "parity", "warm-up", "window", "unload"}));
  const auto& values = exit.result.values;
  for (const char* name : {"load.cold", "first", "finish_ns", "latency_ns", "queue_ns", "fill_ns", "compute_ns",
                           "drain_ns", "stride", "batch_size", "in_flight", "cpu.time", "memory.peak", "memory.resting",
                           "machine.fma_peak", "noise.involuntary", "little.observed", "unload"}) {
    EXPECT_THAT(values, Contains(Key(name)));
  }
  EXPECT_EQ(values.at("batch_size").front(), 2);
  EXPECT_GE(values.at("window").front(), 200e6);
  EXPECT_GE(values.at("memory.peak").front(), values.at("memory.resting").front());
  EXPECT_THAT(exit.result.texts, Contains(Key("in_force.device")));
  EXPECT_THAT(exit.result.texts.at("parity"), HasSubstr("unverified"));
  EXPECT_GT(exit.peak_bytes, 0U);
}

TEST_F(WorkerTest, EveryLoadIsAPhaseOfItsOwn) {
  struct Row {
    Request::Kind kind;
    bool cached;
    std::vector<std::string> begins;
  };
  for (const Row& row : {Row{Request::Kind::kMeasure, false, {"open", "load", "first"}},
                         // Cold; filling the cache, where nobody did before; from it.
                         {Request::Kind::kMeasure, true, {"open", "load", "load", "load", "first"}},
                         {Request::Kind::kMemory, true, {"open", "load", "memory"}},
                         {Request::Kind::kStart, true, {"load", "first"}}}) {
    request_.kind = row.kind;
    request_.cache_folder = row.cached ? own_.path() / "cache" : std::filesystem::path();
    const Exit exit = run(request_);
    ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
    ASSERT_GE(begun_.size(), row.begins.size());
    EXPECT_EQ(std::vector(begun_.begin(), begun_.begin() + static_cast<std::ptrdiff_t>(row.begins.size())), row.begins);
  }
}

TEST_F(WorkerTest, AGpuIsReadByItsUuid) {
  const ScopedVariable library("LD_LIBRARY_PATH", ASSAY_BUILD_DIR "/tests/fake_nvidia");
  const ScopedVariable gpu("ASSAY_FAKE_NVML", "energy_mj=1000 energy_step_mj=700 clock=1500 processes=self:300,9:50");
  request_.test_case.device = "gpu:0";
  const Exit exit = run_with("reads_back", "gpu.uuid=GPU-00000000-0000-0000-0000-0000000000a0");
  ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
  const auto& values = exit.result.values;
  for (const char* name : {"energy.gross", "power.mean"}) {
    ASSERT_THAT(values, Contains(Key(name)));
    EXPECT_GT(values.at(name).front(), 0) << name;
  }
  EXPECT_EQ(values.at("noise.gpu.clock").front(), 1.5e9);
  EXPECT_EQ(values.at("noise.gpu.others").front(), 1);
  EXPECT_EQ(values.at("memory.device").front(), 300 * 1024 * 1024);
  EXPECT_THAT(exit.result.texts.at("remark.memory.device"), HasSubstr("the process's by NVML"));
}

TEST_F(WorkerTest, ADeviceThatIsNoGpuOfNvidiasSaysWhyItHasNoReadings) {
  request_.test_case.device = "gpu:0";
  const Exit exit = run(request_);
  ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
  EXPECT_EQ(exit.result.values.count("energy.gross"), 0U);
  EXPECT_THAT(exit.result.texts.at("remark.energy.gross"), HasSubstr("gpu.uuid"));
}

TEST_F(WorkerTest, NodesThatFellBackAreAWarningOfTheirOwnKind) {
  request_.test_case.device = "gpu:0";
  const Exit exit = run_with("reads_back", "nodes.cpu=1: Shape /s");
  ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
  EXPECT_THAT(warnings_, Contains(AllOf(HasSubstr("cpu-fallback: tiny-mlp · null"), HasSubstr("1: Shape /s"))));
}

TEST_F(WorkerTest, ADeviceThatWaitsForLaunchesIsAWarningOfItsOwnKind) {
  struct Row {
    const char *device, *launch_ms, *compute_ms;
    bool bound;
  };
  for (const Row& row : {Row{"gpu:0", "10", "1", true}, {"gpu:0", "1", "10", false}, {"cpu", "10", "1", false}}) {
    request_.test_case.device = row.device;
    request_.test_case.options["launch_ms"] = row.launch_ms;
    const Exit exit = run_with("compute_ms", row.compute_ms);
    ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
    EXPECT_EQ(exit.result.values.count("ahead_ns") > 0, row.device == std::string("gpu:0"));
    const auto is_launch = HasSubstr("launch-bound: tiny-mlp · null · throughput · batch 2 · gpu:0");
    if (row.bound) {
      EXPECT_THAT(warnings_, Contains(is_launch));
      EXPECT_THAT(exit.result.texts.at("remark.time.compute"), HasSubstr("launching is the bound: of 10000 us"));
    } else {
      EXPECT_THAT(warnings_, Not(Contains(is_launch))) << row.launch_ms;
      EXPECT_EQ(exit.result.texts.count("remark.time.compute"), 0U);
    }
  }
}

TEST_F(WorkerTest, ItsResultBecomesMetrics) {
  const Exit exit = run(request_);
  ASSERT_TRUE(exit.ok) << exit.reason;
  measure::Observations o;
  o.test_case = &request_.test_case;
  o.effort = request_.effort;
  o.processes = {{.process = 0, .kept = true, .noise = {}, .values = exit.result.values}};
  o.texts = exit.result.texts;
  for (const Metric& m : measure::collect(o)) {
    if (m.tag == "throughput") {
      ASSERT_TRUE(m.value) << m.remark;
      EXPECT_GT(*m.value, 0);
    }
    if (m.tag == "latency.p50" || m.tag == "memory.peak" || m.tag == "load.cold") {
      EXPECT_TRUE(m.value) << m.tag << m.remark;
    }
  }
}

TEST_F(WorkerTest, LatencyHasOneOutstanding) {
  request_.test_case.goal = Goal::kLatency;
  const Exit exit = run(request_);
  ASSERT_TRUE(exit.ok) << exit.reason;
  EXPECT_EQ(exit.result.values.at("in_flight").front(), 1);
  for (const double ns : exit.result.values.at("latency_ns")) EXPECT_GE(ns, 4.9e6);
}

TEST_F(WorkerTest, ParityIsAGate) {
  Request reference = request_;
  reference.kind = Request::Kind::kReference;
  reference.test_case.batch_size = 1;
  reference.reference_file = own_.path() / "reference";
  const Exit made = run(reference);
  ASSERT_TRUE(made.ok) << made.reason;
  EXPECT_EQ(read_reference(reference.reference_file).outputs.at(0).samples.size(), 2U);

  request_.reference_file = reference.reference_file;
  const Exit good = run(request_);
  ASSERT_TRUE(good.ok) << good.reason;
  EXPECT_EQ(good.result.values.at("parity.error").front(), 0);
  EXPECT_THAT(good.result.texts.at("parity"), HasSubstr("against null"));

  const Exit bad = run_with("values_seed", "7");
  EXPECT_FALSE(bad.ok);
  EXPECT_EQ(bad.phase, "parity");
  EXPECT_EQ(bad.code, ErrorCode::kParity);
  EXPECT_THAT(bad.reason, HasSubstr("differs from the reference"));

  request_.test_case.options.erase("values_seed");
  request_.test_case.data.seed = 9;
  EXPECT_THAT(run(request_).reason, HasSubstr("other inputs"));
}

TEST_F(WorkerTest, MemoryStartAndProbeAreTasksOfTheirOwn) {
  request_.kind = Request::Kind::kMemory;
  const Exit small = run(request_);
  ASSERT_TRUE(small.ok) << small.reason;
  const Exit large = run_with("memory_mb", "64");
  ASSERT_TRUE(large.ok) << large.reason;
  const double difference =
      large.result.values.at("memory.resting").front() - small.result.values.at("memory.resting").front();
  EXPECT_NEAR(difference, 64.0 * 1024 * 1024, 8.0 * 1024 * 1024);

  request_.kind = Request::Kind::kStart;
  const Exit started = run_with("memory_mb", "0");
  ASSERT_TRUE(started.ok) << started.reason;
  EXPECT_GE(started.result.values.at("start").front(), 5e6);

  request_.kind = Request::Kind::kProbe;
  const Exit probed = run(request_);
  ASSERT_TRUE(probed.ok) << probed.reason;
  EXPECT_EQ(probed.result.values.at("available").front(), 1);
}

TEST_F(WorkerTest, ErrorsOfTheCaseAreFailures) {
  EXPECT_EQ(run_with("no_such_option", "1").code, ErrorCode::kInvalidArgument);
  request_.test_case.options.erase("no_such_option");
  request_.test_case.precision = Precision::kBFloat16;
  EXPECT_EQ(run(request_).code, ErrorCode::kUnsupported);
  request_.test_case.precision = Precision::kFloat32;
  request_.test_case.backend = "nonesuch";
  EXPECT_THAT(run(request_).reason, HasSubstr("nonesuch"));
  request_.test_case.backend = "null";
  request_.model = own_.path() / "missing.onnx";
  EXPECT_EQ(run(request_).code, ErrorCode::kIo);
}

TEST_F(WorkerTest, WhatReadsBackAsAnotherDeviceOrPrecisionIsNotMeasured) {
  for (const char* lie : {"device=gpu:0", "precision=bf16"}) {
    const Exit exit = run_with("reads_back", lie);
    EXPECT_FALSE(exit.ok) << lie;
    EXPECT_THAT(exit.reason, HasSubstr("under a wrong name"));
  }
}

TEST_F(WorkerTest, AFrameworkThatFailsIsAFailureWithItsPhase) {
  const Exit opening = run_with("fail_at", "open");
  EXPECT_FALSE(opening.ok);
  EXPECT_EQ(opening.phase, "load");
  const Exit running = run_with("fail_at", "run:10");
  EXPECT_FALSE(running.ok);
  EXPECT_THAT(running.phase, ::testing::AnyOf("warm-up", "window"));
}

TEST_F(WorkerTest, AFrameworkThatCrashesTakesNothingDown) {
  const Exit exit = run_with("crash_at", "run:10");
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kCrashed);
  EXPECT_THAT(exit.phase, ::testing::AnyOf("warm-up", "window"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they turn the signal into an exit status
  EXPECT_THAT(exit.reason, HasSubstr("SIGSEGV"));
#endif
}

TEST_F(WorkerTest, AFrameworkThatHangsIsEnded) {
  limits_.silence = milliseconds(1500);
  const Exit exit = run_with("hang_at", "run:10");
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kTimeout);
  EXPECT_THAT(exit.reason, HasSubstr("no sign of life"));
}

TEST_F(WorkerTest, TheTimeoutEndsALongWindow) {
  limits_.timeout = milliseconds(1500);
  request_.effort.window = milliseconds(1'000'000);
  const Exit exit = run(request_);
  EXPECT_EQ(exit.code, ErrorCode::kTimeout);
  EXPECT_EQ(exit.phase, "window");
}

TEST_F(WorkerTest, AFrameworkThatEatsMemoryIsStopped) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  limits_.memory_bytes = UINT64_C(1500) << 20;
  const Exit exit = run_with("memory_mb", "3000");
#else
  limits_.memory_bytes = UINT64_C(200) << 20;
  const Exit exit = run_with("memory_mb", "1000");
#endif
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kOutOfMemory) << exit.reason;
}

TEST_F(WorkerTest, CancellingEndsIt) {
  request_.effort.window = milliseconds(1'000'000);
  std::thread canceller([this] {
    std::this_thread::sleep_for(milliseconds(700));
    stop_ = true;
  });
  const Exit exit = run(request_);
  canceller.join();
  EXPECT_EQ(exit.code, ErrorCode::kCancelled);
}

TEST_F(WorkerTest, FourAtOnceDoNotDisturbEachOther) {
  request_.kind = Request::Kind::kStart;
  const auto launcher = process_launcher();
  std::vector<Exit> exits(4);
  std::vector<std::thread> threads;
  for (Exit& exit : exits) {
    threads.emplace_back([&] { exit = launcher->run(request_, limits_, {}, stop_); });
  }
  for (std::thread& t : threads) t.join();
  for (const Exit& exit : exits) EXPECT_TRUE(exit.ok) << exit.reason;
}

}  // namespace
}  // namespace assay::worker
