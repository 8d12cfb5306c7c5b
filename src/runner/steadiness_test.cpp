// What a campaign finds of the machine: control cases, what disturbed it, the noise floor.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "runner/reference.hpp"
#include "runner/runner_fixture.hpp"

namespace assay::runner {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// "10.1:10.2 9.9:10": how many.
std::ptrdiff_t pairs_in(const std::string& fact) { return std::count(fact.begin(), fact.end(), ':'); }

TEST_F(RunnerTest, TheNoiseFloorComesFromTwins) {
  settings_.effort = measure::effort_by_name("rigorous");
  std::map<std::string, int> calls;
  launcher_.measure = [&](const worker::Request& r) { return good(r, ++calls["all"] % 2 == 0 ? 100 : 110); };
  plan({"x"}, {1});
  run();
  ASSERT_TRUE(recorder_.facts.contains("noise.floor"));
  EXPECT_NEAR(std::stod(recorder_.facts["noise.floor"]), std::expm1(2.228 * 0.0953), 0.03);  // 10 % in each of 10 pairs
  EXPECT_THAT(recorder_.facts["noise.origin"], HasSubstr("10 A/A pairs"));
  EXPECT_EQ(pairs_in(recorder_.facts[kPairsKey]), 10);
  int twins = 0;
  for (const auto& s : recorder_.outcomes[0].samples) twins += s.noise.find("twin") != std::string::npos ? 1 : 0;
  EXPECT_EQ(twins, 10);
}

TEST_F(RunnerTest, FewPairsAreKeptForLaterAndMakeNoFloor) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.control = false;
  plan({"x"}, {1});
  run();
  EXPECT_FALSE(recorder_.facts.contains("noise.floor"));
  EXPECT_EQ(pairs_in(recorder_.facts[kPairsKey]), 3);
}

TEST_F(RunnerTest, APairOfWhichOneProcessWasDisturbedIsNone) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.control = false;
  int calls = 0;
  // The case's first process stays noisy however often it runs; no repetition is left for the twin of another pair.
  launcher_.measure = [&](const worker::Request& r) {
    ++calls;
    return calls <= 3 || calls == 5 ? noisy(r, 100) : good(r, 100);
  };
  plan({"x"}, {1});
  run();
  EXPECT_EQ(calls, 2 + 6);
  EXPECT_EQ(pairs_in(recorder_.facts[kPairsKey]), 1);
}

TEST_F(RunnerTest, PairsOfShortWindowsAreNotKept) {
  settings_.effort = measure::with_window(measure::effort_by_name("rigorous"), std::chrono::milliseconds(200));
  plan({"x"}, {1});
  run();
  EXPECT_FALSE(recorder_.facts.contains(kPairsKey));
  EXPECT_FALSE(recorder_.facts.contains("noise.floor"));
}

TEST_F(RunnerTest, ANoisyMachineIsMeasuredAllTheSameAndSaidSo) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.effort.a_a_share = 0;
  launcher_.measure = [](const worker::Request& r) { return noisy(r, 100); };
  plan({"onnxruntime"}, {1});
  EXPECT_TRUE(run());
  const Outcome& o = recorder_.outcomes.at(0);
  EXPECT_EQ(o.state, OutcomeState::kMeasured);
  const auto dropped = std::count_if(o.samples.begin(), o.samples.end(), [](const ProcessSamples& s) {
    return !s.kept && s.noise.find("twin") == std::string::npos;
  });
  EXPECT_EQ(dropped, 2);  // at most twice
  ASSERT_FALSE(recorder_.warnings.empty());
  EXPECT_EQ(recorder_.warnings.back().kind, "noisy-neighbour");
}

TEST_F(RunnerTest, TheControlCaseRunsAtStartMiddleAndEnd) {
  int calls = 0;
  launcher_.control = [&] {
    worker::Exit exit;
    exit.ok = true;
    exit.result.values["latency_ns"] = std::vector<double>(10, ++calls == 2 ? 1.2e6 : 1.0e6);
    return exit;
  };
  plan({"onnxruntime"}, {1, 8, 32});
  run();
  EXPECT_EQ(recorder_.facts["control.latency_ms"], "start 1.0000, middle 1.2000, end 1.0000");
  EXPECT_EQ(recorder_.facts["control.drift"], "0.2000");
  ASSERT_EQ(recorder_.warnings.size(), 1U);
  EXPECT_EQ(recorder_.warnings[0].kind, "drift");
  EXPECT_EQ(recorder_.outcomes.size(), 3U);
}

TEST_F(RunnerTest, WhatIsSaidOfTheMachineIsOfAllSittingsOfTheCampaign) {
  double milliseconds = 1;
  launcher_.control = [&] {
    worker::Exit exit;
    exit.ok = true;
    exit.result.values["latency_ns"] = std::vector<double>(10, 1e6 * milliseconds);
    return exit;
  };
  launcher_.measure = [](const worker::Request& r) { return noisy(r, 100); };
  plan({"onnxruntime"}, {1, 8});
  recorder_.on_outcome = [&](const Outcome&) { stop_ = true; };
  EXPECT_FALSE(run());
  recorder_.on_outcome = nullptr;
  stop_ = false;
  milliseconds = 3;
  EXPECT_TRUE(run());
  EXPECT_EQ(recorder_.facts["control.drift"], "2.0000");
  ASSERT_FALSE(recorder_.warnings.empty());
  EXPECT_THAT(recorder_.warnings.back().message, HasSubstr("2 of 2 processes were disturbed"));
}

TEST_F(RunnerTest, TheControlCaseRunsOnTheLibraryThatWasAskedFor) {
  settings_.libraries["onnxruntime"] = "/elsewhere/libonnxruntime.so";
  plan({"onnxruntime"}, {1});
  run();
  int controls = 0;
  for (const auto& r : launcher_.requests) {
    if (r.test_case.model != "tiny-resnet") continue;
    ++controls;
    EXPECT_EQ(r.library, "/elsewhere/libonnxruntime.so");
  }
  EXPECT_EQ(controls, 3);
}

TEST_F(RunnerTest, TheMiddleControlIsReachedWhereCurvesAreCut) {
  launcher_.control = [] {
    worker::Exit exit;
    exit.ok = true;
    exit.result.values["latency_ns"] = std::vector<double>(10, 1e6);
    return exit;
  };
  plan({"onnxruntime"}, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024});  // flat from the first on
  run();
  EXPECT_EQ(recorder_.facts["control.latency_ms"], "start 1.0000, middle 1.0000, end 1.0000");
}

TEST_F(RunnerTest, WithoutItsEngineThereIsNoControl) {
  launcher_.missing = {"onnxruntime"};
  plan({"openvino"}, {1});
  run();
  EXPECT_THAT(recorder_.facts, Not(Contains(testing::Key("control.latency_ms"))));
}

}  // namespace
}  // namespace assay::runner
