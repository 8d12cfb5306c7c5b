#include <gmock/gmock.h>

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
  run_passes(graph, without);
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
  EXPECT_THAT(after(m),
              AllOf(HasSubstr("= Map(%0) mul(%0, div(1, add(1, exp(neg(%0)))))"), Not(HasSubstr("%0, %0)\n"))));
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

TEST(Passes, OneThatThereIsNotIsAnErrorThatNamesTheOthers) {
  Graph graph;
  try {
    run_passes(graph, "fold,fusion");
    FAIL();
  } catch (const Unsupported& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("'fusion'"), HasSubstr("fold, fuse, drop")));
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
