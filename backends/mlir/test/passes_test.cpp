#include <gmock/gmock.h>

#include "compiler/batch.hpp"
#include "compiler/passes/pass.hpp"
#include "test/models.hpp"

namespace assay::compiler {
namespace {

using test::TestModel;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::map<std::string, Shape> kImage = {{"x", {1, 2, 4, 4}}};

/// x, a convolution of 2 by 2 channels whose weights are 1 and 2 …, its batch normalization.
TestModel normalized() {
  TestModel m;
  m.input("x", {1, 2, 4, 4})
      .floats("w", {2, 2, 1, 1}, {1, 2, 3, 4})
      .floats("scale", {2}, {2, 4})
      .floats("bias", {2}, {1, -1})
      .floats("mean", {2}, {0.5F, 0})
      .floats("variance", {2}, {1, 4})
      .node("Conv", {"x", "w"}, {"c"})
      .node("BatchNormalization", {"c", "scale", "bias", "mean", "variance"}, {"n"}, {{"epsilon", 0.0F}});
  return m;
}

std::string after(const TestModel& m, const std::string& without = "") {
  std::string bytes;
  Graph graph = test::imported(m, kImage, bytes);
  run_passes(graph, {}, Math::kFast, without);
  return to_text(graph);
}

TEST(Fold, ABatchNormalizationGoesIntoTheWeightsBeforeIt) {
  std::string bytes;
  Graph graph = test::imported(normalized().output("n"), kImage, bytes);
  fold_into_weights(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_TRUE(std::get<Conv>(graph.nodes[0].operation).bias);
  const Constant& w = *graph.value(graph.nodes[0].inputs[1]).constant;
  const Constant& b = *graph.value(graph.nodes[0].inputs[2]).constant;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(w.at<float>(i), 2 * (static_cast<float>(i) + 1));  // 2 / 1 and 4 / 2
  EXPECT_EQ(b.at<float>(0), 0);                                                                    // 1 - 0.5 * 2
  EXPECT_EQ(b.at<float>(1), -1);
}

TEST(Fold, NotWhereSomebodyElseTakesTheConvolution) {
  EXPECT_THAT(after(normalized().node("Add", {"c", "n"}, {"y"}).output("y"), "fuse"), HasSubstr("Map("));
}

TEST(Fuse, WhatFollowsAConvolutionElementByElementIsComputedWithIt) {
  const TestModel m = normalized().node("Add", {"n", "x"}, {"s"}).node("Relu", {"s"}, {"y"}).output("y");
  const std::string text = after(m);
  EXPECT_THAT(text, AllOf(HasSubstr("bias then max(add(%0, %1), 0)"), Not(HasSubstr("Map"))));
  EXPECT_THAT(after(m, "fuse"), HasSubstr("Map("));
}

TEST(Fuse, AValueThatTwoStepsOfAFormulaTakeIsReadOnce) {  // SiLU: x * sigmoid(x)
  TestModel m;
  m.input("x", {1, 2, 4, 4}).node("Sigmoid", {"x"}, {"g"}).node("Mul", {"x", "g"}, {"y"}).output("y");
  EXPECT_THAT(after(m), AllOf(HasSubstr("= Map(%0) mul(%0, sigmoid(%0))"), Not(HasSubstr("%0, %0)\n"))));
}

TEST(Fuse, NotWhatTheAnswerIsLargerThan) {
  TestModel m;
  m.input("x", {1, 2, 4, 4}).floats("s", {1, 2, 1, 1}, {1, 2});
  m.node("GlobalAveragePool", {"x"}, {"p"}).node("Sigmoid", {"p"}, {"g"}).node("Mul", {"x", "g"}, {"y"}).output("y");
  const std::string text = after(m);
  EXPECT_THAT(text, HasSubstr("f32 1x2x1x1 = Map("));
  EXPECT_THAT(text, HasSubstr("f32 1x2x4x4 = Map(%0, "));
}

TEST(Drop, WhatNobodyTakesIsNotComputed) {
  TestModel m;
  m.input("x", {1, 2, 4, 4}).node("Exp", {"x"}, {"unused"}).node("Relu", {"x"}, {"y"}).output("y");
  EXPECT_THAT(after(m), Not(HasSubstr("exp")));
  EXPECT_THAT(after(m, "drop"), HasSubstr("exp"));
}

/// x of four samples; a map, a convolution, and what is computed of both.
Graph of_four_samples(std::string& bytes) {
  TestModel m;
  m.input("x", {4, 2, 3, 3}).floats("w", {2, 2, 1, 1}, {1, 2, 3, 4});
  m.node("Exp", {"x"}, {"e"}).node("Conv", {"e", "w"}, {"c"}).node("Add", {"c", "x"}, {"y"}).output("y");
  return test::imported(m, {{"x", {4, 2, 3, 3}}}, bytes);
}

/// An image of so many rows and columns, 16 channels to 96, then depthwise.
std::string bottleneck(std::int64_t size, const char* dense_output = "d", const std::string& without = "",
                       std::int64_t dilation = 1) {
  TestModel m;
  m.input("x", {1, 16, size, size})
      .floats("w", {96, 16, 1, 1}, std::vector<float>(96 * 16, 1))
      .floats("v", {96, 1, 3, 3}, std::vector<float>(96 * 9, 1))
      .node("Conv", {"x", "w"}, {"c"})
      .node("Relu", {"c"}, {"r"})
      .node("Conv", {"r", "v"}, {"d"},
            {{"group", std::int64_t{96}}, {"dilations", Shape{dilation, dilation}}, {"pads", Shape(4, dilation - 1)}})
      .output("d")
      .output(dense_output);
  std::string bytes;
  Graph graph = test::imported(m, {{"x", {1, 16, size, size}}}, bytes);
  run_passes(graph, {}, Math::kFast, without);
  return to_text(graph);
}

TEST(Bands, AreForImagesThatTheSecondCacheDoesNotHold) {
  EXPECT_THAT(bottleneck(112), HasSubstr("groups 1 then max(%0, 0) in bands"));
  EXPECT_THAT(bottleneck(14), Not(HasSubstr("in bands")));
  EXPECT_THAT(bottleneck(112, "d", "bands"), Not(HasSubstr("in bands")));
}

/// A cache that does not hold one band's rows is none for them, and bytes of scratch memory would be past counting.
TEST(Bands, AreNotOfWindowsThatReachBeyondTheSecondCache) {
  EXPECT_THAT(bottleneck(112, "d", "", 2), HasSubstr("in bands"));
  for (const std::int64_t dilation : {std::int64_t{100}, std::int64_t{1} << 30, (std::int64_t{1} << 31) - 1})
    EXPECT_THAT(bottleneck(112, "d", "", dilation), Not(HasSubstr("in bands"))) << dilation;
}

TEST(Bands, AreNotForWhatSomebodyElseTakes) { EXPECT_THAT(bottleneck(112, "r"), Not(HasSubstr("in bands"))); }

/// What the passes leave of a depthwise convolution and the node, of these attributes, that takes it.
std::string after_reduction(const char* op, const onnx_graph::TestAttributes& attributes = {},
                            const std::string& without = "") {
  TestModel m;
  m.input("x", {1, 2, 4, 4}).floats("w", {2, 1, 3, 3}, std::vector<float>(18, 1));
  m.node("Conv", {"x", "w"}, {"c"}, {{"group", std::int64_t{2}}}).node("Relu", {"c"}, {"r"});
  return after(m.node(op, {"r"}, {"y"}, attributes).output("y").output("r"), without);
}

TEST(Pool, SumsOverAnImageAreBegunByTheConvolutionThatComputesIt) {
  EXPECT_THAT(after_reduction("GlobalAveragePool"), HasSubstr("groups 2 then max(%0, 0) with sums"));
  EXPECT_THAT(after_reduction("ReduceMean", {{"axes", Shape{2, 3}}}), HasSubstr("with sums"));
  EXPECT_THAT(after_reduction("GlobalAveragePool", {}, "pool"), Not(HasSubstr("with sums")));
}

TEST(Pool, NotMaximaNorSumsOverOtherAxesNorOfWhatIsNoConvolution) {
  EXPECT_THAT(after_reduction("GlobalMaxPool"), Not(HasSubstr("with sums")));
  EXPECT_THAT(after_reduction("ReduceMean", {{"axes", Shape{1, 2, 3}}}), Not(HasSubstr("with sums")));
  EXPECT_THAT(after_reduction("ReduceMean", {{"axes", Shape{3}}}), Not(HasSubstr("with sums")));
  EXPECT_THAT(after_reduction("GlobalAveragePool", {}, "fuse"), Not(HasSubstr("with sums")));  // of the ReLU
}

TEST(Split, NodesOfAChunkFollowOneAnotherAndWhatLaterOnesTakeIsJoined) {
  std::string bytes;
  Graph graph = of_four_samples(bytes);
  split_batch(graph, {1, 2, 4});
  std::string kinds;
  for (const Node& node : graph.nodes) {
    const std::int64_t samples = graph.shape(node.output)[0];
    kinds += std::string(kinds.empty() ? "" : " ") + kind_of(node.operation) + std::to_string(samples);
  }
  EXPECT_EQ(kinds, "Strided1 Map1 Strided1 Map1 Concat2 Conv2 Strided1 Map1 Strided1 Map1 Concat2 Conv2 Concat4 Map4");
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
  EXPECT_EQ(graph.nodes.back().inputs[1], graph.inputs[0]);  // of four samples
}

TEST(Split, ABatchInOneChunkStaysAsItIs) {
  std::string bytes;
  Graph graph = of_four_samples(bytes);
  const std::string before = to_text(graph);
  split_batch(graph, {4, 4, 4});
  EXPECT_EQ(to_text(graph), before);
}

TEST(Split, AnOutputOfChunksIsJoinedAtTheEnd) {
  std::string bytes;
  Graph graph = of_four_samples(bytes);
  split_batch(graph, {2, 2, 2});
  EXPECT_EQ(graph.nodes.size(), 9U);  // twice a slice and three nodes, and the whole
  EXPECT_THAT(to_text(graph), HasSubstr("f32 4x2x3x3 = Concat("));
  EXPECT_EQ(graph.outputs[0], graph.nodes.back().output);
}

using Takes = Batch::Takes;
struct Taking {
  const char* name;
  void (*build)(TestModel& m);  ///< from x (4, 4, 6) and the constant k (4, 6) to y
  Takes takes;                  ///< what computes y
};
void PrintTo(const Taking& t, std::ostream* out) { *out << t.name; }  // NOLINT: gtest's name

class OfABatch : public testing::TestWithParam<Taking> {};

TEST_P(OfABatch, TakesItsSamplesApartOrTogether) {
  TestModel m;
  m.input("x", {4, 4, 6}).floats("k", {4, 6}, std::vector<float>(24, 1)).floats("t", {6, 3}, std::vector<float>(18, 1));
  m.floats("each", {4, 1, 1}, {1, 2, 3, 4});
  GetParam().build(m);
  m.output("y");
  std::string bytes;
  const Graph graph = test::imported(m, {{"x", {4, 4, 6}}}, bytes);
  const Batch batch = batch_of(graph);
  EXPECT_EQ(batch.samples, 4);
  EXPECT_EQ(batch.nodes.back(), GetParam().takes) << to_text(graph);
}

const std::vector<std::int64_t> kSwapFirst = {1, 0, 2}, kSwapLast = {0, 2, 1};
INSTANTIATE_TEST_SUITE_P(
    Nodes, OfABatch,
    testing::Values(
        Taking{"map_of_one_for_all", [](TestModel& m) { m.node("Add", {"x", "k"}, {"y"}); }, Takes::kApart},
        Taking{"map_of_one_for_each", [](TestModel& m) { m.node("Add", {"x", "each"}, {"y"}); }, Takes::kTogether},
        Taking{"constants_alone", [](TestModel& m) { m.node("Exp", {"k"}, {"y"}); }, Takes::kNothing},
        Taking{"inner_transpose", [](TestModel& m) { m.node("Transpose", {"x"}, {"y"}, {{"perm", kSwapLast}}); },
               Takes::kApart},
        Taking{"outer_transpose", [](TestModel& m) { m.node("Transpose", {"x"}, {"y"}, {{"perm", kSwapFirst}}); },
               Takes::kTogether},
        Taking{"matrices_by_one", [](TestModel& m) { m.node("MatMul", {"x", "t"}, {"y"}); }, Takes::kApart},
        Taking{"softmax_of_each", [](TestModel& m) { m.node("Softmax", {"x"}, {"y"}); }, Takes::kApart},
        Taking{"softmax_over_samples",
               [](TestModel& m) { m.node("Softmax", {"x"}, {"y"}, {{"axis", std::int64_t{0}}}); }, Takes::kTogether},
        Taking{"joined_rows", [](TestModel& m) { m.node("Concat", {"x", "x"}, {"y"}, {{"axis", std::int64_t{1}}}); },
               Takes::kApart},
        Taking{"joined_samples", [](TestModel& m) { m.node("Concat", {"x", "x"}, {"y"}, {{"axis", std::int64_t{0}}}); },
               Takes::kTogether},
        Taking{"flattened", [](TestModel& m) { m.node("Flatten", {"x"}, {"y"}); }, Takes::kApart}),
    [](const auto& p) { return std::string(p.param.name); });

TEST(Passes, OneThatThereIsNotIsAnErrorThatNamesTheOthers) {
  Graph graph;
  try {
    run_passes(graph, {}, Math::kFast, "fold,fusion");
    FAIL();
  } catch (const Unsupported& e) {
    EXPECT_THAT(e.what(),
                AllOf(HasSubstr("'fusion'"),
                      HasSubstr("layout, concat, constants, memory, fold, fuse, drop, split, scale, bands, pool")));
  }
}

TEST(Composed, InputsOfBothAreRenumbered) {
  Formula f, g;
  const X a = f.input(0), b = f.input(1);
  const Expression outer = f.done(a - b);
  const X c = g.input(0);
  const Expression inner = g.done(c * g.number(2));
  EXPECT_EQ(to_text(composed(outer, 0, inner, {-1, 1}, {0})), "sub(mul(%0, 2), %1)");
  EXPECT_EQ(to_text(composed(outer, 1, inner, {1, -1}, {0})), "sub(%1, mul(%0, 2))");
}

}  // namespace
}  // namespace assay::compiler
