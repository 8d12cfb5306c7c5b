// Operators as nodes of the graph.
#include <gmock/gmock.h>

#include "test/models.hpp"

namespace assay::compiler {
namespace {

using test::TestModel;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TestModel of(const std::string& op, const std::vector<std::string>& inputs,
             const onnx_graph::TestAttributes& attributes = {}, std::int64_t opset = 17) {
  TestModel m(opset);
  m.input("x", {2, 3, 8, 8}).node(op, inputs, {"y"}, attributes).output("y");
  return m;
}

std::string graph_of(const TestModel& m) { return test::text_of(m, {{"x", {2, 3, 8, 8}}}); }

TEST(Import, AnOperatorOfOneElementIsAMap) {
  EXPECT_EQ(graph_of(of("Relu", {"x"})), "%1 f32 2x3x8x8 = Map(%0) max(%0, 0)\n");
  EXPECT_EQ(graph_of(of("LeakyRelu", {"x"}, {{"alpha", 0.5F}})),
            "%1 f32 2x3x8x8 = Map(%0) select(less(%0, 0), mul(%0, 0.5), %0)\n");
}

TEST(Import, AFreeAxisHasTheSizeThatIsAskedFor) {
  TestModel m = onnx_graph::relu();
  EXPECT_EQ(test::text_of(m, {{"x", {7, 4}}}), "%1 f32 7x4 = Map(%0) max(%0, 0)\n");
}

TEST(Import, AConvolutionHasItsPaddingWhateverItIsCalled) {
  TestModel m =
      of("Conv", {"x", "w"}, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", std::vector<std::int64_t>{2, 2}}});
  m.weights("w", {4, 3, 3, 3});
  EXPECT_THAT(graph_of(m),
              HasSubstr("f32 2x4x4x4 = Conv(%0, %1) strides 2x2 dilations 1x1 begin 1x1 end 0x0 groups 1"));
}

TEST(Import, ATransposedConvolutionIsZerosBetweenThePixelsAndAConvolution) {
  TestModel m = of("ConvTranspose", {"x", "w"}, {{"strides", std::vector<std::int64_t>{2, 2}}});
  m.weights("w", {3, 4, 2, 2});
  EXPECT_THAT(graph_of(m),
              AllOf(HasSubstr("Pad("), HasSubstr("f32 2x4x16x16 = Conv("), Not(HasSubstr("strides 2x2 dil"))));
}

TEST(Import, SoftmaxIsTwoReductions) {
  const std::string text = graph_of(of("Softmax", {"x"}, {{"axis", std::int64_t{1}}}));
  EXPECT_THAT(text, AllOf(HasSubstr("Reduce(%0) maximum over 1"), HasSubstr("sum over 1"), HasSubstr("exp(")));
}

TEST(Import, SizesAndArithmeticOnThemAreKnown) {
  TestModel m;
  m.input("x", {2, 3, 8, 8})
      .integer("two", 2)
      .integers("first", {0})
      .integers("rest", {-1})
      .node("Shape", {"x"}, {"s"})
      .node("Gather", {"s", "first"}, {"n"}, {{"axis", std::int64_t{0}}})
      .node("Concat", {"n", "rest"}, {"shape"}, {{"axis", std::int64_t{0}}})
      .node("Reshape", {"x", "shape"}, {"y"})
      .output("y");
  EXPECT_THAT(graph_of(m),
              AllOf(HasSubstr("f32 2x192 = Reshape(%0)"), Not(HasSubstr("Gather")), Not(HasSubstr("Concat"))));
}

TEST(Import, WhatIsNotCompiledIsToldInOneError) {
  TestModel m;
  m.input("x", {2, 3, 8, 8})
      .integers("k", {1})
      .node("TopK", {"x", "k"}, {"t", "i"})
      .node("NonZero", {"t"}, {"y"})
      .output("y");
  try {
    (void)graph_of(m);
    FAIL();
  } catch (const Unsupported& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("opset 17"), HasSubstr("operator TopK"), HasSubstr("operator NonZero")));
  }
}

TEST(Import, AnOpsetThatIsNotKnownIsAnError) {
  EXPECT_THROW((void)graph_of(of("Relu", {"x"}, {}, 6)), Unsupported);
  EXPECT_THROW((void)graph_of(of("Relu", {"x"}, {}, 22)), Unsupported);
}

TEST(Import, ATensorTooLargeForAnyMemoryIsAnError) {
  TestModel m;
  m.input("x", {1})
      .integers("s", {INT64_C(1) << 20, INT64_C(1) << 20, INT64_C(1) << 20})
      .node("Expand", {"x", "s"}, {"y"});
  m.output("y");
  EXPECT_THROW((void)test::text_of(m, {{"x", {1}}}), Unsupported);
}

struct Bad {
  const char* name;
  TestModel model;
  const char* says;
};
void PrintTo(const Bad& b, std::ostream* out) { *out << b.name; }  // NOLINT: gtest's name

std::vector<Bad> bad_models() {
  using Ints = std::vector<std::int64_t>;
  std::vector<Bad> all;
  all.push_back({"concat", of("Concat", {"x", "w"}, {{"axis", std::int64_t{1}}}).weights("w", {5, 3, 8, 8}),
                 "does not go beside"});
  all.push_back({"negative_pads", of("Conv", {"x", "w"}, {{"pads", Ints{-1, 0, 0, 0}}}).weights("w", {4, 3, 3, 3}),
                 "less than nothing"});
  all.push_back({"no_steps", of("Conv", {"x", "w"}, {{"strides", Ints{0, 1}}}).weights("w", {4, 3, 3, 3}),
                 "larger than nothing"});
  all.push_back({"window_too_large", of("Conv", {"x", "w"}).weights("w", {4, 3, 9, 9}), "larger than"});
  all.push_back({"bias", of("Conv", {"x", "w", "b"}).weights("w", {4, 3, 3, 3}).weights("b", {3}), "a bias of 3"});
  all.push_back(
      {"groups", of("Conv", {"x", "w"}, {{"group", std::int64_t{2}}}).weights("w", {4, 3, 3, 3}), "do not fit"});
  all.push_back({"normalization",
                 of("BatchNormalization", {"x", "s", "b", "m", "v"})
                     .weights("s", {3})
                     .weights("b", {2})
                     .weights("m", {3})
                     .weights("v", {3}),
                 "do not fit"});
  all.push_back({"types", of("Add", {"x", "k"}).integers("k", {1}), "add of f32 and i64"});
  all.push_back(
      {"one_hot", of("OneHot", {"k", "d", "v"}).integers("k", {1}).integer("d", 3).weights("v", {1}), "two values"});
  all.push_back({"gather_elements", of("GatherElements", {"x", "k"}).integers("k", {1}), "do not fit"});
  all.push_back({"axis", of("Softmax", {"x"}, {{"axis", std::int64_t{4}}}), "axis 4"});
  return all;
}

class BadModels : public testing::TestWithParam<Bad> {};

TEST_P(BadModels, AreErrorsThatSayWhatDoesNotFit) {
  try {
    (void)graph_of(GetParam().model);
    FAIL() << "it was imported";
  } catch (const Unsupported& e) {
    EXPECT_THAT(e.what(), HasSubstr(GetParam().says));
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadModels, testing::ValuesIn(bad_models()),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace assay::compiler
