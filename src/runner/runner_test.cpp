// What becomes of cases: every one a row, whatever happens to its worker.
#include "runner/runner.hpp"

#include <algorithm>
#include <set>

#include "runner/runner_fixture.hpp"

namespace assay::runner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST_F(RunnerTest, MeasuresEveryCaseOnceAtQuick) {
  plan({"onnxruntime", "openvino"}, {1, 8}, {Goal::kThroughput, Goal::kLatency});
  EXPECT_TRUE(run());
  ASSERT_EQ(recorder_.outcomes.size(), 8U);
  EXPECT_EQ(campaign_.outcomes.size(), 8U);
  for (const Outcome& o : recorder_.outcomes) {
    EXPECT_EQ(o.state, OutcomeState::kMeasured) << describe(o.test_case) << o.reason;
    EXPECT_EQ(o.backend_version, "1.2.3");
    EXPECT_EQ(o.in_force.at("threads"), "2");
    EXPECT_EQ(o.samples.front().values.at("process.wall"), std::vector<double>{1e9});
  }
  const Metric* throughput = find_metric(outcome_of("openvino", 8), "throughput");
  ASSERT_NE(throughput, nullptr);
  EXPECT_EQ(launcher_.measured_batches().size(), 8U);
  EXPECT_EQ(launcher_.count(Kind::kStart), 8);
  EXPECT_EQ(launcher_.count(Kind::kMemory), 0);
}

TEST_F(RunnerTest, WidensAQuickIntervalByTheNoiseFloor) {
  settings_.noise_floor = 0.10;
  plan({"onnxruntime"}, {8});
  run();
  const Metric* m = find_metric(outcome_of("onnxruntime", 8), "throughput");
  ASSERT_TRUE(m != nullptr && m->value && m->low && m->high);
  EXPECT_NEAR(*m->value, 100, 1e-6);
  EXPECT_LE(*m->low, 90.001);
  EXPECT_GE(*m->high, 109.999);
}

TEST_F(RunnerTest, ACaseThatFailsTakesNothingElseDown) {
  launcher_.measure = [](const worker::Request& r) {
    return r.test_case.batch_size == 8 ? bad(ErrorCode::kCrashed, "window", "killed by signal 11") : good(r, 100);
  };
  plan({"onnxruntime"}, {1, 8, 32});
  EXPECT_TRUE(run());
  EXPECT_EQ(outcome_of("onnxruntime", 8).state, OutcomeState::kFailed);
  EXPECT_EQ(outcome_of("onnxruntime", 8).phase, "window");
  EXPECT_EQ(outcome_of("onnxruntime", 8).reason, "killed by signal 11");
  EXPECT_EQ(outcome_of("onnxruntime", 32).state, OutcomeState::kMeasured);
}

TEST_F(RunnerTest, AWorkerThatCannotBeStartedIsAFailedCase) {
  launcher_.measure = [](const worker::Request&) -> worker::Exit { throw Error(ErrorCode::kIo, "no such program"); };
  plan({"onnxruntime"}, {1});
  EXPECT_TRUE(run());
  EXPECT_EQ(outcome_of("onnxruntime", 1).phase, "launch");
  EXPECT_THAT(outcome_of("onnxruntime", 1).reason, HasSubstr("no such program"));
}

TEST_F(RunnerTest, WhatABackendCannotDoIsSkipped) {
  launcher_.measure = [](const worker::Request&) {
    return bad(ErrorCode::kUnsupported, "open", "no bf16 on this CPU");
  };
  plan({"onnxruntime"}, {1});
  campaign_.plan[0].precision = Precision::kBFloat16;
  run();
  EXPECT_EQ(outcome_of("onnxruntime", 1).state, OutcomeState::kSkipped);
  EXPECT_EQ(outcome_of("onnxruntime", 1).reason, "no bf16 on this CPU");
}

TEST_F(RunnerTest, AModelThatAnEngineCannotRunIsAFailure) {
  launcher_.measure = [](const worker::Request&) {
    return bad(ErrorCode::kUnsupported, "load", "unknown operator Foo");
  };
  plan({"onnxruntime"}, {1});
  run();
  EXPECT_EQ(outcome_of("onnxruntime", 1).state, OutcomeState::kFailed);
  EXPECT_EQ(outcome_of("onnxruntime", 1).phase, "load");
}

TEST_F(RunnerTest, AMissingBackendOrDeviceIsSkippedWithoutAWorker) {
  launcher_.missing = {"openvino"};
  launcher_.absent = "no GPU: there is no driver";
  plan({"openvino", "onnxruntime"}, {1});
  campaign_.plan.back().device = "gpu:3";
  run();
  EXPECT_EQ(outcome_of("openvino", 1).phase, "probe");
  EXPECT_EQ(outcome_of("onnxruntime", 1).phase, "device");
  EXPECT_THAT(outcome_of("openvino", 1).reason, HasSubstr("openvino is not available: its library was not found"));
  EXPECT_THAT(outcome_of("onnxruntime", 1).reason,
              HasSubstr("has no device 'gpu:3' here; it has cpu; no GPU: there is no driver"));
  EXPECT_EQ(launcher_.count(Kind::kMeasure), 0);
}

TEST_F(RunnerTest, AModelThatIsNotOnnxIsMeasuredUnverifiedByWhoReadsItAndSkippedByOthers) {
  const ModelLookup models = settings_.models;
  settings_.models = [models](const Case& c) {
    ModelFacts facts = models(c);
    facts.format = model::Format::kSavedModel;
    return facts;
  };
  launcher_.measure = [](const worker::Request& r) {
    worker::Exit exit = good(r, 100);
    exit.result.texts["parity"] = "unverified: there was no reference";
    return exit;
  };
  plan({"tensorflow", "onnxruntime"}, {1});
  EXPECT_TRUE(run());
  EXPECT_EQ(outcome_of("onnxruntime", 1).state, OutcomeState::kSkipped);
  EXPECT_THAT(outcome_of("onnxruntime", 1).reason, HasSubstr("this is a TensorFlow SavedModel: use --backend"));
  const Outcome& measured = outcome_of("tensorflow", 1);
  EXPECT_EQ(measured.state, OutcomeState::kMeasured);
  const Metric* parity = find_metric(measured, "parity.error");
  ASSERT_NE(parity, nullptr);
  EXPECT_THAT(parity->remark, HasSubstr("unverified: this is a TensorFlow SavedModel")) << "not the worker's word";
  EXPECT_EQ(launcher_.count(Kind::kReference), 0);
}

TEST_F(RunnerTest, ABrokenModelFailsItsCases) {
  const ModelLookup models = settings_.models;
  settings_.models = [models](const Case& c) {
    if (c.batch_size == 1) throw Error(ErrorCode::kInvalidModel, "truncated at byte 12", c.model);
    return models(c);
  };
  plan({"onnxruntime"}, {1, 8});
  EXPECT_TRUE(run());
  EXPECT_EQ(outcome_of("onnxruntime", 1).phase, "model");
  EXPECT_EQ(outcome_of("onnxruntime", 1).reason, "m: truncated at byte 12");
  EXPECT_EQ(outcome_of("onnxruntime", 8).state, OutcomeState::kMeasured);
}

TEST_F(RunnerTest, SkipsWhatTheMachineCannotHold) {
  settings_.machine_memory = UINT64_C(100) << 20;  // a sample holds 1 MiB, the weights another
  plan({"onnxruntime"}, {64, 128});
  run();
  EXPECT_EQ(outcome_of("onnxruntime", 64).state, OutcomeState::kMeasured);
  EXPECT_EQ(outcome_of("onnxruntime", 128).phase, "estimate");
  EXPECT_THAT(outcome_of("onnxruntime", 128).reason, HasSubstr("at least 0.1 GiB by estimate"));
}

TEST_F(RunnerTest, AFailureWhileRecordingIsItselfARow) {
  int attempts = 0;
  plan({"onnxruntime"}, {1});
  recorder_.on_outcome = [&](const Outcome&) {
    if (attempts++ == 0) throw Error(ErrorCode::kIo, "no such table");
  };
  EXPECT_TRUE(run());
  ASSERT_EQ(recorder_.outcomes.size(), 1U);
  EXPECT_EQ(recorder_.outcomes[0].state, OutcomeState::kFailed);
  EXPECT_EQ(recorder_.outcomes[0].phase, "record");
  EXPECT_THAT(recorder_.outcomes[0].reason, HasSubstr("could not be recorded as measured: no such table"));
  EXPECT_FALSE(recorder_.outcomes[0].metrics.empty());
}

TEST_F(RunnerTest, AFailureWhileRecordingAFailureIsARowToo) {
  recorder_.on_outcome = [](const Outcome&) { throw Error(ErrorCode::kIo, "no such table"); };
  plan({"onnxruntime"}, {1, 8});
  EXPECT_TRUE(run());
  EXPECT_TRUE(recorder_.outcomes.empty());
  ASSERT_EQ(campaign_.outcomes.size(), 2U);
  EXPECT_THAT(campaign_.outcomes[0].reason, HasSubstr("nor could this failure: no such table"));
}

TEST_F(RunnerTest, AFullDiskEndsTheCampaignAndLosesNoFigures) {
  recorder_.full_from = 1;
  plan({"onnxruntime"}, {1, 8, 32});
  EXPECT_FALSE(run());
  ASSERT_EQ(recorder_.outcomes.size(), 1U);
  EXPECT_EQ(launcher_.measured_batches().size(), 2U);
  ASSERT_EQ(campaign_.outcomes.size(), 2U);
  const Outcome& lost = campaign_.outcomes[1];
  EXPECT_EQ(lost.state, OutcomeState::kMeasured);
  EXPECT_FALSE(lost.metrics.empty());
  EXPECT_EQ(lost.phase, kNotStored);
  EXPECT_EQ(lost.reason, "not recorded: the disk is full");
  ASSERT_FALSE(campaign_.warnings.empty());
  const Warning& warning = campaign_.warnings.back();
  EXPECT_EQ(warning.kind, "not-recorded");
  EXPECT_THAT(warning.message, HasSubstr("the disk is full"));
  EXPECT_THAT(warning.advice, HasSubstr("1 of 3 cases are stored"));
  EXPECT_THAT(warning.advice, HasSubstr("assay bench --resume 01234567 goes on"));
}

TEST_F(RunnerTest, StoppingKeepsFinishedCasesAndResumingRunsTheRest) {
  plan({"onnxruntime"}, {1, 8, 32});
  recorder_.on_outcome = [&](const Outcome&) { stop_ = true; };
  EXPECT_FALSE(run());
  ASSERT_EQ(recorder_.outcomes.size(), 1U);
  const auto first = launcher_.measured_batches();
  ASSERT_EQ(first.size(), 1U);

  recorder_.on_outcome = nullptr;
  stop_ = false;
  EXPECT_TRUE(run());
  EXPECT_EQ(campaign_.outcomes.size(), 3U);
  EXPECT_THAT(launcher_.measured_batches(), UnorderedElementsAre(1, 8, 32));
  const int before = launcher_.count(Kind::kMeasure);
  EXPECT_TRUE(run());  // nothing is missing
  EXPECT_EQ(launcher_.count(Kind::kMeasure), before);
}

TEST_F(RunnerTest, InterruptedAmidItsProcessesACampaignLosesNone) {
  settings_.effort = measure::effort_by_name("standard");
  settings_.control = false;
  plan({"onnxruntime", "openvino"}, {1, 8});
  int calls = 0;
  launcher_.measure = [&](const worker::Request& r) {
    if (++calls != 13) return good(r, 100);  // of 15: in the last block
    stop_ = true;
    return bad(ErrorCode::kCancelled, "window", "stopped");
  };
  EXPECT_FALSE(run());
  const std::size_t finished = recorder_.outcomes.size();
  EXPECT_LT(finished, 4U);

  stop_ = false;
  settings_.pending = recorder_.processes;
  std::erase_if(settings_.pending, [&](const store::PendingProcess& p) {  // as the store does
    return std::any_of(recorder_.outcomes.begin(), recorder_.outcomes.end(),
                       [&](const Outcome& o) { return case_key(o.test_case) == p.case_key; });
  });
  EXPECT_TRUE(run());
  EXPECT_EQ(calls, 15 + 1) << "the one that was interrupted runs again, no other";
  ASSERT_EQ(recorder_.outcomes.size(), 4U);
  for (const Outcome& o : recorder_.outcomes) {
    EXPECT_EQ(o.state, OutcomeState::kMeasured) << o.reason;
    const auto kept = std::count_if(o.samples.begin(), o.samples.end(),
                                    [](const ProcessSamples& s) { return s.kept && s.values.contains("finish_ns"); });
    EXPECT_EQ(kept, 3);
  }
  EXPECT_EQ(progress_.back().runs_done, progress_.back().runs_total);
}

TEST_F(RunnerTest, WhatWasBegunWithAnotherModelOrEngineIsRefused) {
  plan({"onnxruntime"}, {1, 8});
  recorder_.on_outcome = [&](const Outcome&) { stop_ = true; };
  EXPECT_FALSE(run());
  stop_ = false;
  const auto refusal = [&]() -> std::string {
    try {
      run();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return e.what();
    }
    return "none";
  };
  launcher_.version = "1.3.0";
  EXPECT_THAT(refusal(), HasSubstr("begun with another onnxruntime (version.onnxruntime was 1.2.3, and is 1.3.0 now)"));
  launcher_.version = "1.2.3";
  launcher_.missing = {"onnxruntime"};
  EXPECT_THAT(refusal(), HasSubstr("begun with onnxruntime 1.2.3, and it is not available now"));
  launcher_.missing.clear();
  const ModelLookup models = settings_.models;
  settings_.models = [models](const Case& c) {
    ModelFacts facts = models(c);
    facts.hash = "another";
    return facts;
  };
  EXPECT_THAT(refusal(), HasSubstr("begun with another model (model.sha256.m was hash of m, and is another now)"));
  EXPECT_EQ(recorder_.outcomes.size(), 1U) << "nothing was added";
}

TEST_F(RunnerTest, ACancelledWorkerLeavesNoRow) {
  plan({"onnxruntime"}, {1, 8});
  launcher_.measure = [&](const worker::Request&) {
    stop_ = true;
    return bad(ErrorCode::kCancelled, "window", "stopped");
  };
  EXPECT_FALSE(run());
  EXPECT_TRUE(recorder_.outcomes.empty());
}

TEST_F(RunnerTest, InterruptedBeforeAnythingIsMeasuredItLeavesNoRow) {
  plan({"onnxruntime", "openvino"}, {1, 8});
  for (const Kind kind : {Kind::kProbe, Kind::kReference}) {
    launcher_.requests.clear();
    launcher_.on_run = [&](const worker::Request& r) { stop_ = stop_ || r.kind == kind; };
    launcher_.reference = [](const worker::Request&) { return bad(ErrorCode::kCancelled, "load", "cancelled"); };
    EXPECT_FALSE(run());
    EXPECT_TRUE(recorder_.outcomes.empty());
    EXPECT_EQ(launcher_.count(kind), 1);
    EXPECT_EQ(launcher_.count(Kind::kMeasure), 0);
    stop_ = false;
  }
}

TEST_F(RunnerTest, TheControlCaseTakesNoLongerThanACase) {
  for (const auto& [window_ms, calls] : {std::pair{3000, 50}, {500, 25}, {50, 10}}) {
    settings_.effort = measure::with_window(measure::effort_by_name("quick"), std::chrono::milliseconds(window_ms));
    plan({"onnxruntime"}, {window_ms});
    run();
    const measure::Effort& control = launcher_.requests.back().effort;  // at the end
    EXPECT_EQ(launcher_.requests.back().test_case.model, "tiny-resnet");
    EXPECT_EQ(control.window_calls, calls);
    EXPECT_EQ(control.window.count(), std::min(window_ms, 1000));
  }
}

TEST_F(RunnerTest, AStartThatFailsCostsOnlyItsFigure) {
  launcher_.extra = [](const worker::Request&) { return bad(ErrorCode::kCrashed, "open", "killed by signal 9"); };
  plan({"onnxruntime"}, {1});
  run();
  const Outcome& o = outcome_of("onnxruntime", 1);
  EXPECT_EQ(o.state, OutcomeState::kMeasured);
  EXPECT_EQ(find_metric(o, "start")->value, std::nullopt);
  EXPECT_THAT(find_metric(o, "start")->remark, HasSubstr("its own process failed (open): killed by signal 9"));
}

TEST_F(RunnerTest, TellsHowFarItIs) {
  plan({"onnxruntime"}, {1, 8});
  run();
  ASSERT_FALSE(progress_.empty());
  EXPECT_EQ(progress_.front().kind, Progress::Kind::kPlanned);
  EXPECT_EQ(progress_.front().runs_total, 4);
  EXPECT_GT(progress_.front().estimated_left.count(), 0);
  EXPECT_EQ(progress_.back().runs_done, 4);
  int finished = 0;
  for (const Progress& p : progress_) finished += p.kind == Progress::Kind::kCaseFinished ? 1 : 0;
  EXPECT_EQ(finished, 2);
}

TEST_F(RunnerTest, TheTotalThatItTellsStays) {
  int calls = 0;
  launcher_.measure = [&](const worker::Request& r) {
    if (r.test_case.batch_size == 8) return bad(ErrorCode::kFramework, "load", "no");
    return ++calls == 1 ? bad(ErrorCode::kInternal, "window", "Invalid: Little's law") : good(r, 100);
  };
  plan({"onnxruntime"}, {1, 8, 32});
  run();
  int before = 0;
  bool planned = false;
  for (const Progress& p : progress_) {
    planned = planned || p.kind == Progress::Kind::kPlanned;
    if (!planned) continue;
    EXPECT_EQ(p.runs_total, 6);
    EXPECT_GE(p.runs_done, before);
    before = p.runs_done;
  }
  EXPECT_EQ(progress_.back().runs_done, 6);
  EXPECT_EQ(progress_.back().repeats, 1);
}

TEST_F(RunnerTest, EachEngineOfAPlacedEnsembleHasItsOwnLibrary) {
  using Libraries = std::map<std::string, std::filesystem::path>;
  settings_.libraries = {{"onnxruntime", "/elsewhere/libonnxruntime.so"}, {"tensorflow", "/not/asked/for"}};
  plan({"onnxruntime+openvino", "openvino+onnxruntime", "onnxruntime"}, {1});
  run();
  int seen = 0;
  for (const auto& r : launcher_.requests) {
    if (r.kind != worker::Request::Kind::kMeasure || r.test_case.model == "tiny-resnet") continue;
    ++seen;
    const bool several = r.test_case.backend != "onnxruntime";
    const bool first = !r.test_case.backend.starts_with("openvino");
    EXPECT_EQ(r.library, first ? "/elsewhere/libonnxruntime.so" : "") << r.test_case.backend;
    EXPECT_EQ(r.libraries, several ? (Libraries{{"onnxruntime", "/elsewhere/libonnxruntime.so"}}) : Libraries());
  }
  EXPECT_EQ(seen, 3);
}

TEST_F(RunnerTest, MembersThatCannotBeOneGraphAreSkippedNotFailed) {
  launcher_.measure = [](const worker::Request&) { return bad(ErrorCode::kUnsupported, "load", "other opsets"); };
  plan({"onnxruntime"}, {1});
  campaign_.plan.push_back(campaign_.plan.front());
  campaign_.plan.back().strategy = kMerged;
  run();
  ASSERT_EQ(recorder_.outcomes.size(), 2U);
  for (const Outcome& o : recorder_.outcomes) {
    EXPECT_EQ(o.state, o.test_case.strategy == kMerged ? OutcomeState::kSkipped : OutcomeState::kFailed);
  }
}

}  // namespace
}  // namespace assay::runner
