// The rules that were fixed beforehand: order, processes that run again, flat curves, estimates.
#include <algorithm>
#include <stdexcept>

#include "core/json.hpp"
#include "runner/reference.hpp"
#include "runner/runner_fixture.hpp"

namespace assay::runner {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;

TEST_F(RunnerTest, InterleavesTheProcessesOfAllCases) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.control = false;
  plan({"x", "y"}, {1, 8});
  run();
  std::vector<std::string> order;
  for (const auto& r : launcher_.requests) {
    if (r.kind == Kind::kMeasure) order.push_back(r.test_case.backend + std::to_string(r.test_case.batch_size));
  }
  ASSERT_EQ(order.size(), 4U * 3 + 3);  // one case has a twin
  for (const char* name : {"x1", "x8", "y1", "y8"}) {
    EXPECT_LT(std::find(order.begin(), order.end(), name) - order.begin(), 5) << "in the first block: " << name;
  }
  EXPECT_EQ(launcher_.count(Kind::kMemory), 4);
  EXPECT_EQ(launcher_.count(Kind::kStart), 4 * (1 + 4));  // one alone, and four at once
}

// That of y fails; of one graph (z) there is none.
TEST_F(RunnerTest, MembersMemoryIsReadInAProcessOfItsOwn) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.control = false;
  constexpr double kMebibyte = 1024.0 * 1024.0;
  launcher_.extra = [&](const worker::Request& r) {
    if (r.kind == Kind::kMemberMemory && r.test_case.backend == "y") return bad(ErrorCode::kCrashed, "load", "killed");
    worker::Exit exit = good(r, 1);
    exit.result.values.clear();
    if (r.kind == Kind::kMemory) exit.result.values["memory.peak"] = {8 * kMebibyte};
    if (r.kind == Kind::kMemberMemory) exit.result.values["member.n.memory"] = {3 * kMebibyte};
    return exit;
  };
  plan({"x", "y", "z"}, {1});
  for (Case& c : campaign_.plan) {
    c.model = "m+n";
    c.strategy = c.backend == "z" ? "merged" : "sequential";
  }
  EXPECT_TRUE(run());
  EXPECT_EQ(launcher_.count(Kind::kMemory), 3);
  EXPECT_EQ(launcher_.count(Kind::kMemberMemory), 2);
  EXPECT_EQ(progress_.back().runs_done, progress_.back().runs_total);
  ASSERT_EQ(recorder_.outcomes.size(), 3U);
  for (const Outcome& o : recorder_.outcomes) {
    const Metric* peak = find_metric(o, "memory.peak");
    const Metric* member = find_metric(o, "member.n.memory");
    ASSERT_TRUE(peak != nullptr && member != nullptr) << o.test_case.backend;
    EXPECT_EQ(peak->value, 8);
    EXPECT_EQ(member->value, o.test_case.backend == "x" ? std::optional<double>(3) : std::nullopt);
    if (o.test_case.backend == "y") {
      EXPECT_THAT(member->remark, HasSubstr("its own pass failed (load): killed"));
    }
  }
}

TEST_F(RunnerTest, ProfilesAreNamedByTheirCase) {
  settings_.profile_folder = "profiles";
  plan({"x"}, {8, 0});
  campaign_.plan[1].model = "some where/my.net v2.onnx";
  campaign_.plan.push_back(campaign_.plan[0]);
  campaign_.plan[2].model = "saved/" + std::string(300, 'n') + "/";
  run();
  std::vector<std::string> names;
  for (const auto& r : launcher_.requests) {
    if (!r.profile_file.empty() && r.test_case.model != "tiny-resnet") names.push_back(r.profile_file);
  }
  EXPECT_THAT(names,
              UnorderedElementsAre(MatchesRegex("profiles/m-x-batch8-2threads-throughput-[0-9a-f]{8}.json"),
                                   MatchesRegex("profiles/my_net_v2-x-batchmodel-2threads-throughput-[0-9a-f]{8}.json"),
                                   MatchesRegex("profiles/n{100}-x-batch8-2threads-throughput-[0-9a-f]{8}.json")));
}

TEST_F(RunnerTest, WhatAWorkerWarnsOfKeepsItsKindAndIsSaidOnce) {
  worker::Event typed;
  typed.kind = worker::Event::Kind::kLog;
  typed.message = "gpu:0 was not idle";
  typed.warning = "gpu-not-idle";
  typed.advice = "take another";
  worker::Event said;
  said.kind = worker::Event::Kind::kLog;
  said.message = "a framework's words";
  launcher_.says = {typed, said};
  plan({"onnxruntime"}, {1, 2});
  run();
  ASSERT_EQ(recorder_.warnings.size(), 2U);
  EXPECT_EQ(recorder_.warnings[0].kind, "gpu-not-idle");
  EXPECT_EQ(recorder_.warnings[0].advice, "take another");
  EXPECT_EQ(recorder_.warnings[1].kind, "worker");
}

TEST_F(RunnerTest, ANoisyProcessRunsAgainAndBothAreKept) {
  int calls = 0;
  launcher_.measure = [&](const worker::Request& r) { return ++calls == 1 ? noisy(r, 10) : good(r, 100); };
  plan({"onnxruntime"}, {1});
  run();
  const Outcome& o = recorder_.outcomes.at(0);
  ASSERT_GE(o.samples.size(), 2U);
  EXPECT_FALSE(o.samples[0].kept);
  EXPECT_THAT(o.samples[0].noise, HasSubstr("hypervisor"));
  EXPECT_TRUE(o.samples[1].kept);
  EXPECT_NEAR(find_metric(o, "throughput")->value.value_or(0), 100, 1e-6);
}

TEST_F(RunnerTest, AMeasurementThatContradictsItselfRunsAgainOnce) {
  int calls = 0;
  int invalid = 1;
  launcher_.measure = [&](const worker::Request& r) {
    return ++calls <= invalid ? bad(ErrorCode::kInternal, "window", "Invalid: Little's law") : good(r, 100);
  };
  plan({"onnxruntime"}, {1});
  run();
  EXPECT_EQ(recorder_.outcomes.at(0).state, OutcomeState::kMeasured);
  EXPECT_FALSE(recorder_.outcomes[0].samples.at(0).kept);
  EXPECT_THAT(recorder_.outcomes[0].samples[0].noise, HasSubstr("Little's law"));
  EXPECT_EQ(progress_.back().runs_done, progress_.back().runs_total);

  campaign_.outcomes.clear();
  recorder_.outcomes.clear();
  calls = 0;
  invalid = 2;
  run();
  EXPECT_EQ(recorder_.outcomes.at(0).state, OutcomeState::kFailed);
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(recorder_.outcomes[0].reason, HasSubstr("Little's law; it was measured again, and so again"));
}

TEST(Reference, WhatABatchAnswersTogetherIsOfTheCasesOwnBatch) {
  Case c;
  c.batch_size = 32;
  const auto& effort = measure::effort_by_name("quick");
  ModelFacts facts;
  EXPECT_EQ(reference_request(c, facts, effort).test_case.batch_size, 1);
  facts.answers_together = true;
  EXPECT_EQ(reference_request(c, facts, effort).test_case.batch_size, 32);
}

TEST_F(RunnerTest, AFlatCurveIsCutShortAndSaysSo) {
  launcher_.measure = [](const worker::Request& r) {
    return good(r, r.test_case.batch_size == 1 ? 50 : 100 + static_cast<double>(r.test_case.batch_size % 3) * 0.1);
  };
  plan({"onnxruntime"}, {1, 2, 4, 8, 16, 32, 64});
  run();
  for (const std::int64_t batch : {1, 2, 4, 8, 16}) {
    EXPECT_EQ(outcome_of("onnxruntime", batch).state, OutcomeState::kMeasured) << batch;
  }
  for (const std::int64_t batch : {32, 64}) {
    EXPECT_EQ(outcome_of("onnxruntime", batch).state, OutcomeState::kSkipped) << batch;
    EXPECT_THAT(outcome_of("onnxruntime", batch).reason, HasSubstr("from batch 2 to 16 the rate stays within 3.0 %"));
  }
  EXPECT_EQ(launcher_.measured_batches().size(), 5U);
}

TEST_F(RunnerTest, ResumedACurveIsStillCut) {
  plan({"onnxruntime"}, {1, 2, 4, 8, 16, 32, 64});
  recorder_.on_outcome = [&](const Outcome& o) { stop_ = o.test_case.batch_size == 4; };
  EXPECT_FALSE(run());
  recorder_.on_outcome = nullptr;
  stop_ = false;
  EXPECT_TRUE(run());
  EXPECT_EQ(launcher_.measured_batches().size(), 4U) << "1, 2, 4 before, 8 after: flat";
  EXPECT_EQ(outcome_of("onnxruntime", 16).state, OutcomeState::kSkipped);
}

TEST_F(RunnerTest, FourThatWouldNotFitAreNotStartedTogether) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.machine_memory = UINT64_C(100) << 20;
  plan({"onnxruntime"}, {60});  // 61 MiB
  run();
  EXPECT_EQ(launcher_.count(Kind::kStart), 1);
  EXPECT_THAT(find_metric(recorder_.outcomes.at(0), "start")->remark, HasSubstr("would not fit into memory"));
}

TEST_F(RunnerTest, FewerThanFourAnswersAreSaidSo) {
  settings_.effort = measure::effort_by_name("standard");
  std::atomic<int> starts{0};
  launcher_.extra = [&](const worker::Request& r) {
    worker::Exit exit = good(r, 1);
    exit.result.values.clear();
    if (r.kind == Kind::kStart) exit.result.values["start"] = {5e6};
    if (r.kind == Kind::kStart && ++starts == 3) throw std::runtime_error("no more processes");
    return exit;
  };
  plan({"onnxruntime"}, {1});
  EXPECT_TRUE(run());
  EXPECT_THAT(find_metric(recorder_.outcomes.at(0), "start")->remark,
              HasSubstr("of 4 started at once 3 answered: no more processes"));
}

TEST_F(RunnerTest, ACurveThatStillRisesIsMeasuredToItsEnd) {
  launcher_.measure = [](const worker::Request& r) {
    return good(r, 100 + static_cast<double>(r.test_case.batch_size));
  };
  plan({"onnxruntime"}, {1, 2, 4, 8, 16, 32, 64});
  run();
  EXPECT_EQ(launcher_.measured_batches().size(), 7U);
}

TEST_F(RunnerTest, AShortListIsNeverCut) {
  plan({"onnxruntime"}, {1, 2, 4, 8});
  run();
  EXPECT_EQ(launcher_.measured_batches().size(), 4U);
}

TEST_F(RunnerTest, StepsThatAreNoDoublingsAreNotFlatCurves) {
  plan({"onnxruntime"}, {8, 9, 10, 11, 12, 13});
  run();
  EXPECT_EQ(launcher_.measured_batches().size(), 6U);
}

TEST_F(RunnerTest, SlowCasesGetMoreTimeUnlessItIsFixed) {
  settings_.control = false;
  plan({"onnxruntime"}, {100'000});  // 1 GFLOP a sample: 1000 s a batch
  run();
  EXPECT_GT(launcher_.last_limits.timeout, std::chrono::hours(2));
  campaign_.outcomes.clear();
  settings_.limits_fixed = true;
  run();
  EXPECT_EQ(launcher_.last_limits.timeout, worker::Limits{}.timeout);
}

TEST_F(RunnerTest, EstimatesGrowWithWorkAndLearnFromHistory) {
  plan({"onnxruntime"}, {1, 512});
  const auto& quick = measure::effort_by_name("quick");
  const auto& rigorous = measure::effort_by_name("rigorous");
  const auto facts = settings_.models(campaign_.plan[0]);
  const auto one = estimate_process(campaign_.plan[0], quick, facts, {});
  EXPECT_GT(one.count(), 4.0);
  EXPECT_GT(estimate_process(campaign_.plan[1], quick, facts, {}), one);
  EXPECT_GT(estimate_process(campaign_.plan[0], quick, facts, {.batch_ns = 5e9, .load_ns = 1e9}), 5 * one);
  EXPECT_GT(estimate(campaign_.plan, rigorous, settings_.models, {}),
            10 * estimate(campaign_.plan, quick, settings_.models, {}));
  // References, memory passes and A/A twins are in it: more than the cases' own processes.
  const auto& standard = measure::effort_by_name("standard");
  EXPECT_GT(estimate({campaign_.plan[0]}, standard, settings_.models, {}).count(),
            2 * 3 * estimate_process(campaign_.plan[0], standard, facts, {}).count());
  // A level series needs eight calls at the least.
  EXPECT_GT(estimate_process(campaign_.plan[0], standard, facts, {.batch_ns = 60e9, .load_ns = 1e9}).count(),
            (30 + 2 * 8) * 60);
  EXPECT_EQ(estimate({}, quick, settings_.models, {}).count(), 0);
  // Of an ensemble, members' memory is one process more.
  Case ensemble = campaign_.plan[0];
  ensemble.strategy = "sequential";
  EXPECT_GT(estimate({ensemble}, standard, settings_.models, {}),
            estimate({campaign_.plan[0]}, standard, settings_.models, {}));
}

}  // namespace
}  // namespace assay::runner
