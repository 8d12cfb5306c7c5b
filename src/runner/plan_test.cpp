#include "runner/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <utility>

#include "assay/ensemble.hpp"
#include "assay/error.hpp"

namespace assay::runner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "no error";
}

Axes small() {
  Axes axes;
  axes.models = {"a.onnx"};
  axes.backends = {"null"};
  axes.threads = {2};
  return axes;
}

TEST(BatchSizes, ListsRangesAndTheModelsOwn) {
  EXPECT_THAT(parse_batch_sizes("1,8,32"), ElementsAre(1, 8, 32));
  EXPECT_THAT(parse_batch_sizes("1..16"), ElementsAre(1, 2, 4, 8, 16));
  EXPECT_THAT(parse_batch_sizes("3..20"), ElementsAre(3, 6, 12));
  EXPECT_THAT(parse_batch_sizes("1..4,2,model,4"), ElementsAre(1, 2, 4, 0));
  EXPECT_EQ(parse_batch_sizes("1..1024").size(), 11U);
}

TEST(BatchSizes, RefusesWhatMeansNothing) {
  for (const char* text : {"0", "-1", "1..0", "8..4", "", "1,", "1,,2", "x", "1.5", "1..", "..8",
                           "99999999999999999999", "1 ", "2000000", "1..99999999"}) {
    EXPECT_NE(message_of([&] { parse_batch_sizes(text); }), "no error") << text;
  }
  EXPECT_THAT(message_of([] { parse_batch_sizes("0"); }), HasSubstr("give a whole number from 1"));
}

TEST(Expand, IsTheProductInTheOrderOfTheAxes) {
  Axes axes = small();
  axes.models = {"a.onnx", "b.onnx"};
  axes.backends = {"x", "y"};
  axes.batch_sizes = {1, 8};
  const auto cases = expand(axes);
  ASSERT_EQ(cases.size(), 16U);
  EXPECT_EQ(describe(cases[0]), "a.onnx · x · throughput · batch 1");
  EXPECT_EQ(describe(cases[1]), "a.onnx · x · throughput · batch 8");
  EXPECT_EQ(describe(cases[2]), "a.onnx · x · latency · batch 1");
  EXPECT_EQ(describe(cases[15]), "b.onnx · y · latency · batch 8");
}

TEST(Expand, NeverHasACaseTwice) {
  Axes axes = small();
  axes.batch_sizes = {1, 8, 1};
  axes.goals = {Goal::kLatency, Goal::kLatency};
  EXPECT_EQ(expand(axes).size(), 2U);
}

TEST(Expand, GivesEachBackendItsOptions) {
  Axes axes = small();
  axes.backends = {"x", "y"};
  axes.goals = {Goal::kLatency};
  axes.options = {{"", {{"a", "1"}, {"b", "1"}}}, {"y", {{"b", "2"}}}};
  const auto cases = expand(axes);
  EXPECT_EQ(cases[0].options, (std::map<std::string, std::string>{{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(cases[1].options, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
}

TEST(Expand, NamesTheEmptyAxis) {
  Axes axes = small();
  axes.backends.clear();
  EXPECT_THAT(message_of([&] { expand(axes); }), HasSubstr("'backend' has no value"));
}

TEST(Expand, BoundsTheNumberOfCases) {
  Axes axes = small();
  for (int i = 1; i <= 2000; ++i) {
    axes.batch_sizes.push_back(i);
    axes.in_flight.push_back(i);
  }
  EXPECT_THAT(message_of([&] { expand(axes); }), HasSubstr("more than 100000 cases"));
}

TEST(Plan, SaysEverythingThatTheCommandLineSays) {
  const Axes axes = parse_plan(R"({"model": "a.onnx", "backend": ["x", "y"], "gpuid": [-1, 1], "for": "latency",
    "batch-size": ["1..4", 32], "in-flight": "auto,4", "threads": 2, "precision": "f32,bf16",
    "shape": {"in": "1x3x8x8"}, "batch-axis": "in=none", "option": ["k=v", "x.k=w=1"],
    "range": {"ids": "0:99"}, "seed": 7})",
                               "plan.json")
                        .at(0);
  EXPECT_THAT(axes.backends, ElementsAre("x", "y"));
  EXPECT_THAT(axes.devices, ElementsAre("cpu", "gpu:1"));
  EXPECT_THAT(axes.goals, ElementsAre(Goal::kLatency));
  EXPECT_TRUE(axes.goals_given);
  EXPECT_THAT(axes.batch_sizes, ElementsAre(1, 2, 4, 32));
  EXPECT_THAT(axes.in_flight, ElementsAre(0, 4));
  EXPECT_THAT(axes.precisions, ElementsAre(Precision::kFloat32, Precision::kBFloat16));
  EXPECT_EQ(axes.shapes.at("in"), (Shape{1, 3, 8, 8}));
  EXPECT_EQ(axes.batch_axis.at("in"), -1);
  EXPECT_EQ(axes.options.at("").at("k"), "v");
  EXPECT_EQ(axes.options.at("x").at("k"), "w=1");
  EXPECT_EQ(axes.data.ranges.at("ids"), (std::pair<std::int64_t, std::int64_t>{0, 99}));
  EXPECT_EQ(axes.data.seed, 7U);
}

TEST(Plan, AListIsSeveralSweeps) {
  const std::vector<Axes> sweeps =
      parse_plan(R"([{"model": "a.onnx", "batch-size": 8}, {"model": "b.onnx", "for": "latency"}])", "plan.json");
  ASSERT_EQ(sweeps.size(), 2U);
  EXPECT_THAT(sweeps[0].models, ElementsAre("a.onnx"));
  EXPECT_THAT(sweeps[0].batch_sizes, ElementsAre(8));
  EXPECT_THAT(sweeps[1].models, ElementsAre("b.onnx"));
  EXPECT_THAT(sweeps[1].goals, ElementsAre(Goal::kLatency));
  EXPECT_THAT(sweeps[1].batch_sizes, ElementsAre(1));
}

TEST(Plan, ItsSeedIsGiven) {
  EXPECT_TRUE(parse_plan(R"({"seed": 7})", "p").at(0).seeded);
  EXPECT_EQ(parse_plan(R"({"seed": 7})", "p").at(0).data.seed, 7U);
  EXPECT_FALSE(parse_plan("{}", "p").at(0).seeded);
}

TEST(Plan, NamesWhatItDoesNotUnderstand) {
  const auto error = [](const char* json) { return message_of([&] { parse_plan(json, "plan.json"); }); };
  EXPECT_THAT(error("{"), HasSubstr("plan.json: is not valid JSON"));
  for (const char* none : {"[]", "[1]", "3", "[{}, []]"}) {
    EXPECT_THAT(error(none), HasSubstr("a plan is a JSON object")) << none;
  }
  EXPECT_THAT(error(R"([{"seed": 1}, {"batchsize": 1}])"), HasSubstr("no setting 'batchsize'"));
  EXPECT_THAT(error(R"({"batchsize": 1})"), HasSubstr("no setting 'batchsize'; there are model, backend"));
  EXPECT_THAT(error(R"({"batch-size": 0})"), HasSubstr("plan.json: batch-size: '0' is no batch size"));
  EXPECT_THAT(error(R"({"batch-size": null})"), HasSubstr("'batch-size': expected a text"));
  EXPECT_THAT(error(R"({"batch-size": [[1]]})"), HasSubstr("'batch-size': expected a text"));
  EXPECT_THAT(error(R"({"device": "tpu"})"), HasSubstr("device: 'tpu' is no device"));
  EXPECT_THAT(error(R"({"precision": "f8"})"), HasSubstr("f32, bf16, f16, int8"));
  EXPECT_THAT(error(R"({"for": "speed"})"), HasSubstr("throughput, latency"));
  EXPECT_THAT(error(R"({"shape": "in"})"), HasSubstr("NAME=1x3x640x640"));
  EXPECT_THAT(error(R"({"shape": {"in": "9999999999x9999999999"}})"), HasSubstr("shape"));
  EXPECT_THAT(error(R"({"range": {"in": "9:1"}})"), HasSubstr("ends before it begins"));
  EXPECT_THAT(error(R"({"option": "k"})"), HasSubstr("key=value"));
  EXPECT_THAT(error(R"({"option": ["x.k=1", "k=3", "x.k=2"]})"),
              HasSubstr("option: 'x.k' is given twice, as '1' and as '2'; give one of them"));
  EXPECT_THAT(error(R"({"shape": ["in=1x2", "in=1x3"]})"), HasSubstr("'in' is given twice, as '1x2' and as '1x3'"));
  EXPECT_THAT(error(R"({"batch-axis": ["in=0", "in=none"]})"), HasSubstr("'in' is given twice, as '0' and as 'none'"));
  EXPECT_THAT(error(R"({"range": ["in=0:1", "in=0:2"]})"), HasSubstr("'in' is given twice, as '0:1' and as '0:2'"));
  EXPECT_EQ(parse_plan(R"({"option": ["x.k=1", "x.k=1"]})", "p").at(0).options.at("x").at("k"), "1") << "no doubt";
  EXPECT_THAT(error(R"({"model": "a+"})"), HasSubstr("an empty member"));
  EXPECT_THAT(error(R"({"strategy": "fast"})"), HasSubstr("sequential, concurrent, pipelined"));
  EXPECT_THAT(error(R"({"combine": "median"})"), HasSubstr("mean, vote, members"));
  EXPECT_THAT(error(R"({"weights": "1,0"})"), HasSubstr("must be positive"));
}

TEST(Plan, AnEnsembleIsACaseForEachStrategyAndOneModelHasNone) {
  Axes axes = parse_plan(R"({"model": ["a+b", "c"], "backend": "x", "for": "latency", "strategy": "all",
                             "weights": "2,1"})",
                         "")
                  .at(0);
  axes.threads = {2};
  const std::vector<Case> cases = expand(axes);
  const std::size_t strategies = strategy_names().size();
  ASSERT_EQ(cases.size(), strategies + 1);
  EXPECT_EQ(cases[0].model, "a+b");
  EXPECT_EQ(cases[0].strategy, "sequential");
  EXPECT_THAT(cases[2].weights, ElementsAre(2, 1));
  EXPECT_EQ(cases[strategies].strategy, "single");
  EXPECT_THAT(cases[strategies].weights, testing::IsEmpty());
  axes.combine = "members";
  EXPECT_THAT(message_of([&] { (void)expand(axes); }), HasSubstr("nothing is weighted"));
  axes.combine = "mean";
  axes.weights = {1, 2, 3};
  EXPECT_THAT(message_of([&] { (void)expand(axes); }), HasSubstr("3 were given for the 2 members"));
}

TEST(Plan, ThePapersStudy) {
  Axes axes = read_plan("paper").at(0);
  EXPECT_THAT(axes.models, ElementsAre("vgg19", "resnet50", "densenet201", "efficientnetb0"));
  EXPECT_EQ(axes.batch_sizes.size(), 11U);
  EXPECT_THAT(axes.backends, ElementsAre("all"));
  axes.backends = {"x", "y"};
  axes.threads = {2};
  EXPECT_EQ(expand(axes).size(), 4U * 2 * 2 * 11);
}

TEST(Plan, TheStudyOnAGpuHasEveryNetworkWithAndWithoutOverlap) {
  std::map<std::string, std::array<int, 2>> cases;  // for throughput: as many in flight as are useful, and one
  for (Axes axes : read_plan(ASSAY_SOURCE_DIR "/benchmarks/gpu.json")) {
    axes.threads = {2};
    for (Case c : expand(axes)) {
      EXPECT_EQ(c.device, "gpu:0");
      if (c.goal != Goal::kThroughput || is_ensemble(c)) continue;
      const auto in_flight = static_cast<std::size_t>(std::exchange(c.in_flight, 0));
      ASSERT_LT(in_flight, 2U);
      ++cases[case_key(c)][in_flight];
    }
  }
  EXPECT_EQ(cases.size(), 4U * 2 * 5 * 2) << "networks, engines, batch sizes, precisions";
  for (const auto& [key, count] : cases) EXPECT_THAT(count, ElementsAre(1, 1)) << key;
}

TEST(Plan, AFileThatIsNotThereIsSaidSo) {
  try {
    read_plan("no-such-plan.json");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    EXPECT_THAT(e.what(), HasSubstr("no-such-plan.json"));
  }
}

}  // namespace
}  // namespace assay::runner
