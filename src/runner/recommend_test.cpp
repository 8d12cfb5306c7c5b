#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/runner.hpp"

namespace assay::runner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Outcome measured(const char* backend, std::int64_t batch, const char* tag, double value, double low, double high) {
  Outcome o;
  o.test_case.model = "m";
  o.test_case.backend = backend;
  o.test_case.batch_size = batch;
  o.test_case.goal = std::string(tag) == "throughput" ? Goal::kThroughput : Goal::kLatency;
  o.state = OutcomeState::kMeasured;
  o.metrics = {{tag, "", value, low, high, 10, ""}};
  return o;
}

Campaign campaign(std::vector<Outcome> outcomes, const char* effort = "quick") {
  Campaign c;
  c.effort = effort;
  for (const Outcome& o : outcomes) c.plan.push_back(o.test_case);
  c.outcomes = std::move(outcomes);
  return c;
}

/// "0 throughput": an index, and by what it is judged.
std::vector<std::string> named(const Recommendation& r) {
  std::vector<std::string> texts;
  for (const NamedOutcome& n : r.named) texts.push_back(std::to_string(n.index) + " " + to_string(n.judged_by));
  return texts;
}

TEST(Recommend, NamesTheOneThatIsClearlyBest) {
  const auto r =
      recommend(campaign({measured("x", 1, "throughput", 50, 48, 52), measured("y", 8, "throughput", 100, 97, 103)}));
  EXPECT_THAT(r.set, ElementsAre(1));
  EXPECT_EQ(
      r.because,
      "m: for the most throughput use y at batch 8: 100 [97, 103] samples/s, 2.00x the next best (x at batch 1).");
}

TEST(Recommend, NamesASetAndTheCommandThatWouldDecide) {
  const auto r =
      recommend(campaign({measured("x", 8, "throughput", 100, 97, 103), measured("y", 8, "throughput", 101, 98, 104),
                          measured("y", 32, "throughput", 99, 96, 102), measured("x", 1, "throughput", 50, 48, 52)}));
  EXPECT_THAT(r.set, ElementsAre(1, 0, 2));
  EXPECT_THAT(r.because, HasSubstr("y at batch 8, 32 and x at batch 8: they cannot be told apart"));
  EXPECT_THAT(r.because, HasSubstr("assay bench m --backend y,x --batch-size 8,32 --for throughput --effort standard"));
}

TEST(Recommend, TheCommandThatWouldDecideHasEverySettingOfTheCases) {
  Outcome one = measured("x", 8, "throughput", 100, 97, 103);
  one.test_case.model = "my models/m.onnx";
  one.test_case.threads = 2;
  one.test_case.in_flight = 4;
  one.test_case.shapes["image"] = {1, 3, 640, 640};
  one.test_case.batch_axis["mask"] = -1;
  one.test_case.options["streams"] = "2";
  one.test_case.data.ranges["ids"] = {0, 99};
  Outcome other = one;
  other.test_case.threads = 4;
  other.test_case.precision = Precision::kBFloat16;
  other.test_case.device = "gpu:0";
  other.metrics[0].value = 101;
  const auto r = recommend(campaign({one, other}));
  EXPECT_THAT(r.because,
              HasSubstr("take x on gpu:0 with 4 threads, bf16 at batch 8 and x with 2 threads, f32 at batch 8"));
  EXPECT_THAT(r.because,
              HasSubstr("assay bench 'my models/m.onnx' --backend x --device gpu:0,cpu --batch-size 8 --in-flight 4 "
                        "--threads 4,2 --precision bf16,f32 --shape image=1x3x640x640 --batch-axis mask=none "
                        "--option x.streams=2 --range ids=0:99 --for throughput --effort standard"));
}

TEST(Recommend, OptionsThatVaryAreDecidedByAblation) {
  Outcome base = measured("x", 8, "throughput", 100, 97, 103);
  base.test_case.options["streams"] = "2";
  Outcome other = measured("x", 8, "throughput", 101, 98, 104);
  other.test_case.options = {{"streams", "2"}, {"arena", "false"}};
  EXPECT_THAT(recommend(campaign({base, other})).because,
              HasSubstr("--option x.streams=2 --ablate x.arena --for throughput"));
}

/// Of an engine that says which variant of itself it was, and the option that makes it so.
Outcome variant(Outcome o, const char* name, const char* option) {
  o.in_force = {{kVariant, name}, {kVariantOption, option}};
  return o;
}

TEST(Recommend, VariantsOfAnEngineHaveTheirNamesAndTheOptionsThatMakeThem) {
  const Outcome fast = variant(measured("x", 8, "throughput", 200, 190, 210), "winograd", "math=fast");
  Outcome strict = variant(measured("x", 8, "throughput", 100, 97, 103), "strict", "math=strict");
  strict.test_case.options = {{"math", "strict"}};
  EXPECT_EQ(recommend(campaign({fast, strict})).because,
            "m: for the most throughput use x (winograd) at batch 8: 200 [190, 210] samples/s, 2.00x the next best "
            "(x (strict) at batch 8); x (winograd) is --option x.math=fast, x (strict) is --option x.math=strict.");
  EXPECT_EQ(recommend(campaign({fast})).because,
            "m: x (winograd) at batch 8 is the only one measured for throughput: 200 [190, 210] samples/s; "
            "x (winograd) is --option x.math=fast.");
}

TEST(Recommend, VariantsThatCannotBeToldApartAreNamedAndDecidedByAblation) {
  const Outcome fast = variant(measured("x", 8, "throughput", 101, 98, 104), "winograd", "math=fast");
  Outcome strict = variant(measured("x", 8, "throughput", 100, 97, 103), "strict", "math=strict");
  strict.test_case.options = {{"math", "strict"}, {"streams", "2"}};
  EXPECT_EQ(recommend(campaign({fast, strict})).because,
            "m: for the most throughput take x (winograd) at batch 8 and x (strict) with streams=2 at batch 8: they "
            "cannot be told apart (101 [98, 104] samples/s); x (winograd) is --option x.math=fast, x (strict) is "
            "--option x.math=strict; this would decide: assay bench m --backend x --batch-size 8 --ablate "
            "x.math,x.streams --for throughput --effort standard");
}

TEST(Recommend, AWinnerAmongDisturbedProcessesIsNoneWithoutReserve) {
  Outcome best = measured("x", 8, "throughput", 200, 190, 210);
  best.samples.push_back({.process = 0, .kept = true, .noise = "CPU time used by other processes: 50 %", .values = {}});
  const auto r = recommend(campaign({best, measured("y", 8, "throughput", 100, 97, 103)}));
  EXPECT_THAT(r.because, HasSubstr("but other programs disturbed these processes"));
}

TEST(Recommend, AWinnerByLessThanTheMachinesOwnDriftIsNoneWithoutReserve) {
  Campaign c = campaign({measured("x", 8, "throughput", 130, 127, 133), measured("y", 8, "throughput", 100, 97, 103)});
  c.environment["control.drift"] = "0.4";
  EXPECT_THAT(recommend(c).because, Not(HasSubstr("but"))) << "no warning, no reserve";
  c.warnings.push_back({"drift", "moved by 40 %", "run again"});
  EXPECT_THAT(recommend(c).because, HasSubstr("but the machine's own speed moved by 40 % meanwhile"));
  c.environment["control.drift"] = "0.2";
  EXPECT_THAT(recommend(c).because, Not(HasSubstr("but"))) << "ahead by more than that";
}

TEST(Recommend, BothGoalsHaveASentence) {
  const auto r =
      recommend(campaign({measured("x", 8, "throughput", 200, 190, 210), measured("y", 8, "throughput", 100, 97, 103),
                          measured("y", 1, "latency.p50", 10, 9, 11)}));
  EXPECT_THAT(r.set, ElementsAre(0));
  EXPECT_THAT(r.because, AllOf(HasSubstr("for the most throughput use x"), HasSubstr("y at batch 1")));
}

/// The same engine once for each goal, both metrics on both.
Outcome both(const char* backend, Goal goal, double rate, double latency) {
  Outcome o = measured(backend, 1, "throughput", rate, rate * 0.97, rate * 1.03);
  o.test_case.goal = goal;
  o.metrics.push_back({"latency.p50", "ms", latency, latency * 0.97, latency * 1.03, 10, ""});
  return o;
}

TEST(Recommend, EachGoalIsJudgedByTheCasesThatWereSetUpForIt) {
  const auto r = recommend(campaign({both("x", Goal::kThroughput, 100, 20), both("x", Goal::kLatency, 99, 10),
                                     both("y", Goal::kThroughput, 50, 40), both("y", Goal::kLatency, 50, 20)}));
  EXPECT_THAT(r.set, ElementsAre(0));
  EXPECT_EQ(r.because,
            "m: for the most throughput use x at batch 1: 100 [97, 103] samples/s, 2.00x the next best (y at batch "
            "1).\nm: for the least latency use x at batch 1: 10 [9.7, 10.3] ms a batch, 2.00x the next best (y at "
            "batch 1).");
}

TEST(Recommend, ASetUpForTheOtherGoalTakesPartWhereItClearlyWins) {
  const auto r = recommend(campaign({both("x", Goal::kThroughput, 100, 20), both("y", Goal::kLatency, 150, 10)}));
  EXPECT_THAT(r.because, HasSubstr("for the most throughput use y set up for latency at batch 1: 150"));
  EXPECT_THAT(r.because, HasSubstr("y at batch 1 is the only one measured for latency"));
  EXPECT_THAT(named(r), ElementsAre("1 throughput", "0 throughput", "1 latency"));
}

TEST(Recommend, NamesTheOutcomesThatItsSentencesSpeakOf) {
  const Outcome best = measured("x", 8, "throughput", 100, 97, 103), worse = measured("y", 8, "throughput", 50, 48, 52);
  EXPECT_THAT(named(recommend(campaign({worse, best}))), ElementsAre("1 throughput", "0 throughput"));
  EXPECT_THAT(named(recommend(campaign({worse, best, best}))), ElementsAre("1 throughput", "2 throughput"));
  EXPECT_THAT(named(recommend(campaign({worse}))), ElementsAre("0 throughput"));
  EXPECT_THAT(named(recommend(campaign({}))), IsEmpty());
}

TEST(Recommend, AFigureWithoutAnIntervalDoesNotWinByIt) {
  Outcome best = measured("x", 8, "throughput", 101, 0, 0);
  best.metrics[0].low = best.metrics[0].high = std::nullopt;
  const auto r = recommend(campaign({best, measured("y", 8, "throughput", 100, 99, 100.5)}));
  EXPECT_THAT(r.set, ElementsAre(0, 1));
  EXPECT_THAT(r.because, HasSubstr("cannot be told apart (101 samples/s, without an interval)"));
}

TEST(Recommend, TheMostEffortHasNoCommandAboveIt) {
  const auto r = recommend(campaign(
      {measured("x", 8, "throughput", 100, 97, 103), measured("y", 8, "throughput", 101, 98, 104)}, "rigorous"));
  EXPECT_THAT(r.because, HasSubstr("cannot be told apart"));
  EXPECT_THAT(r.because, Not(HasSubstr("assay bench")));
}

TEST(Recommend, LooksAtLatencyWhereOnlyThatWasMeasuredAndAtTheSmallestBatch) {
  const auto r =
      recommend(campaign({measured("x", 1, "latency.p50", 20, 19, 21), measured("y", 1, "latency.p50", 10, 9, 11),
                          measured("y", 8, "latency.p50", 90, 89, 91)}));
  EXPECT_THAT(r.set, ElementsAre(1));
  EXPECT_THAT(r.because, HasSubstr("least latency use y at batch 1: 10 [9, 11] ms a batch, 2.00x the next best (x"));
}

TEST(Recommend, TheOnlyOneAtTheSmallestBatchIsNotTheOnlyOneMeasured) {
  EXPECT_EQ(recommend(campaign({measured("x", 3, "latency.p50", 30, 29, 31), measured("x", 1, "latency.p50", 10, 9, 11),
                                measured("x", 5, "latency.p50", 50, 49, 51)}))
                .because,
            "m: x is the only one measured for latency at batch 1, the smallest: 10 [9, 11] ms a batch.");
  EXPECT_EQ(
      recommend(campaign({measured("x", 8, "latency.p50", 30, 29, 31), measured("x", 0, "latency.p50", 10, 9, 11)}))
          .because,
      "m: x is the only one measured for latency at the model's own batch: 10 [9, 11] ms a batch.");
  Outcome failed = measured("x", 8, "latency.p50", 30, 29, 31);
  failed.state = OutcomeState::kFailed;
  EXPECT_EQ(recommend(campaign({failed, measured("x", 1, "latency.p50", 10, 9, 11)})).because,
            "m: x at batch 1 is the only one measured for latency: 10 [9, 11] ms a batch.");
}

TEST(Recommend, OnlyWhatWasMeasuredCounts) {
  Outcome failed = measured("y", 8, "throughput", 1000, 990, 1010);
  failed.state = OutcomeState::kFailed;
  Outcome empty = measured("z", 8, "throughput", 0, 0, 0);
  empty.metrics[0].value = std::nullopt;
  const auto r = recommend(campaign({failed, empty, measured("x", 8, "throughput", 100, 97, 103)}));
  EXPECT_THAT(r.set, ElementsAre(2));
  EXPECT_THAT(r.because, HasSubstr("the only one measured"));
}

TEST(Recommend, NothingOfNothing) {
  const auto r = recommend(campaign({}));
  EXPECT_THAT(r.set, IsEmpty());
  EXPECT_THAT(r.because, HasSubstr("Nothing was measured"));
}

TEST(Recommend, EachModelHasItsOwn) {
  Outcome other = measured("x", 1, "throughput", 7, 6, 8);
  other.test_case.model = "n";
  const auto r = recommend(campaign({measured("x", 1, "throughput", 50, 48, 52), other}));
  EXPECT_THAT(r.set, ElementsAre(0, 1));
  EXPECT_THAT(r.because, HasSubstr("n: x at batch 1 is the only one"));
}

}  // namespace
}  // namespace assay::runner
