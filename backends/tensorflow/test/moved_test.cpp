// Operators that move elements, where ONNX's node tests do not reach: later opsets, images that stand channels last,
// sizes that are free.
#include <gmock/gmock.h>

#include <numeric>

#include "test/framework_fixture.hpp"

namespace assay::tensorflow {
namespace {

using onnx_graph::TestModel;
using test::Answer;
using test::Floats;
using test::Shape;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

Floats counted(std::size_t n, float first = 0) {
  Floats values(n);
  std::iota(values.begin(), values.end(), first);
  return values;
}

/// With XLA and without.
class Moved : public test::OverTensorFlow<testing::TestWithParam<const char*>> {
 protected:
  void SetUp() override {
    OverTensorFlow::SetUp();
    request_.options = {{"xla", GetParam()}};
  }
  /// All outputs, of one input "x" of the shape, which holds 0, 1, 2 …
  std::vector<Answer> answers(const TestModel& model, const Shape& shape) {
    return OverTensorFlow::answers(*open(model), counted(static_cast<std::size_t>(kit::element_count(shape))), shape);
  }
  Answer answer(const TestModel& model, const Shape& shape) { return answers(model, shape).at(0); }
  std::string refusal(const TestModel& model) {
    write(model);
    return failure().second;
  }
};

/// Of one input "x"; an image "i" of the same elements that stands channels last.
TestModel image(const Shape& shape, std::int64_t opset = 18) {
  TestModel m(opset);
  m.input("x", shape).node("MaxPool", {"x"}, {"i"}, {{"kernel_shape", Shape{1, 1}}});
  return m;
}

TestModel of(const Shape& shape, std::int64_t opset = 18) {
  TestModel m(opset);
  m.input("x", shape);
  return m;
}

TEST_P(Moved, PadsOfSomeAxesOfAnImageAddAndTakeAway) {
  TestModel m = image({1, 2, 2, 2});
  m.integers("pads", {1, -1, 0, 0}).floats("v", {}, {9}).integers("axes", {-1, 1});
  m.node("Pad", {"i", "pads", "v", "axes"}, {"y"}).output("y", {1, 1, 2, 3});
  EXPECT_THAT(answer(m, {1, 2, 2, 2}).values, ElementsAre(9, 4, 5, 9, 6, 7));
}

TEST_P(Moved, PadsThatMirrorOrRepeatMayBeLargerThanWhatTheyRepeat) {
  const auto padded = [&](const char* mode) {
    TestModel m = of({1, 3}, 19);
    m.integers("pads", {0, 4, 0, 3}).node("Pad", {"x", "pads"}, {"y"}, {{"mode", std::string(mode)}});
    m.output("y", {1, 10});
    return answer(m, {1, 3}).values;
  };
  EXPECT_THAT(padded("reflect"), ElementsAre(0, 1, 2, 1, 0, 1, 2, 1, 0, 1));
  EXPECT_THAT(padded("wrap"), ElementsAre(2, 0, 1, 2, 0, 1, 2, 0, 1, 2));
  EXPECT_THAT(padded("edge"), ElementsAre(0, 0, 0, 0, 0, 1, 2, 2, 2, 2));
}

TEST_P(Moved, PadOfAnUnknownModeIsRefusedByName) {
  TestModel m = of({1, 3});
  m.integers("pads", {0, 1, 0, 1}).node("Pad", {"x", "pads"}, {"y"}, {{"mode", std::string("odd")}}).output("y");
  EXPECT_THAT(refusal(m), HasSubstr("mode 'odd'"));
}

TEST_P(Moved, AnImageIsSlicedWhereItStands) {
  TestModel m = image({1, 3, 1, 4});
  m.integers("from", {-1, 2}).integers("to", {-100, 100}).integers("axes", {-1, 1}).integers("steps", {-2, 1});
  m.node("Slice", {"i", "from", "to", "axes", "steps"}, {"y"}).output("y", {1, 1, 1, 2});
  EXPECT_THAT(answer(m, {1, 3, 1, 4}).values, ElementsAre(11, 9));
}

TEST_P(Moved, TheLastPieceOfASplitMayBeSmaller) {
  for (const std::int64_t size : {std::int64_t{5}, std::int64_t{-1}}) {
    TestModel m = of({size});
    m.node("Split", {"x"}, {"a", "b"}, {{"num_outputs", std::int64_t{2}}}).output("a").output("b");
    const std::vector<Answer> pieces = answers(m, {5});
    EXPECT_THAT(pieces[0].values, ElementsAre(0, 1, 2));
    EXPECT_THAT(pieces[1].values, ElementsAre(3, 4));
  }
}

TEST_P(Moved, ScatteredElementsAreReduced) {
  const auto scattered = [&](const char* reduction) {
    TestModel m = of({2, 3});
    m.tensor("at", {2, 2}, onnx::TensorProto::INT64);
    for (const int at : {1, -2, 0, 2}) m.proto.mutable_graph()->mutable_initializer(0)->add_int64_data(at);
    m.floats("u", {2, 2}, {-3, 2, 4, 4});
    m.node("ScatterElements", {"x", "at", "u"}, {"y"},
           {{"axis", std::int64_t{1}}, {"reduction", std::string(reduction)}});
    m.output("y", {2, 3});
    return answer(m, {2, 3}).values;
  };
  EXPECT_THAT(scattered("mul"), ElementsAre(0, -6, 2, 12, 4, 20));
  EXPECT_THAT(scattered("add"), ElementsAre(0, 0, 2, 7, 4, 9));
  EXPECT_THAT(scattered("max"), ElementsAre(0, 2, 2, 4, 4, 5));
  EXPECT_THAT(scattered("min"), ElementsAre(0, -3, 2, 3, 4, 4));
}

TEST_P(Moved, RowsAreScatteredByProductsToo) {
  TestModel m = of({3, 2});
  auto* at = m.tensor("at", {2, 1}, onnx::TensorProto::INT64);
  at->add_int64_data(-1);
  at->add_int64_data(2);
  m.floats("u", {2, 2}, {2, 3, 10, 10});
  m.node("ScatterND", {"x", "at", "u"}, {"y"}, {{"reduction", std::string("mul")}}).output("y", {3, 2});
  EXPECT_THAT(answer(m, {3, 2}).values, ElementsAre(0, 1, 2, 3, 80, 150));
}

TEST_P(Moved, ChannelsOfAnImageAreGatheredWhereTheyStand) {
  TestModel m = image({1, 3, 1, 2});
  m.integers("at", {-1, 0}).node("Gather", {"i", "at"}, {"y"}, {{"axis", std::int64_t{1}}}).output("y", {1, 2, 1, 2});
  EXPECT_THAT(answer(m, {1, 3, 1, 2}).values, ElementsAre(4, 5, 0, 1));
}

TEST_P(Moved, AShapeKnownOnlyAtRunTimeCopiesAndInfers) {
  TestModel m = of({-1, 6});
  m.node("Shape", {"x"}, {"s"}).integers("mask", {0, 1}).node("Mul", {"s", "mask"}, {"zero_and_size"});
  m.integers("open", {-1}).integers("two", {2}).integers("zero", {0});
  m.node("Gather", {"zero_and_size", "zero"}, {"first"});
  m.node("Concat", {"first", "two", "open"}, {"shape"}, {{"axis", std::int64_t{0}}});
  m.node("Reshape", {"x", "shape"}, {"y"}).output("y");
  EXPECT_THAT(answer(m, {3, 6}).shape, ElementsAre(3, 2, 3));
}

TEST_P(Moved, FlattenWithFreeSizesOnBothSides) {
  TestModel m = of({-1, 2, -1});
  m.node("Flatten", {"x"}, {"y"}, {{"axis", std::int64_t{2}}}).output("y");
  EXPECT_THAT(answer(m, {3, 2, 3}).shape, ElementsAre(6, 3));
}

TEST_P(Moved, TheShapeOfAnImageIsInOnnxsOrder) {
  TestModel m = image({-1, 3, -1, 2});
  m.node("Shape", {"i"}, {"y"}, {{"start", std::int64_t{-3}}}).output("y", {3}, onnx::TensorProto::INT64);
  EXPECT_THAT(answer(m, {4, 3, 4, 2}).values, ElementsAre(3, 4, 2));
}

TEST_P(Moved, SpaceIsSqueezedAwayAndBroughtBack) {
  TestModel m = image({2, 3, 1, 1});
  m.integers("space", {2, -1}).node("Squeeze", {"i", "space"}, {"s"});
  m.node("Unsqueeze", {"s", "space"}, {"y"}).output("y", {2, 3, 1, 1});
  const Answer y = answer(m, {2, 3, 1, 1});
  EXPECT_THAT(y.shape, ElementsAre(2, 3, 1, 1));
  EXPECT_THAT(y.values, ElementsAreArray(counted(6)));
}

TEST_P(Moved, ARangeWhoseLimitLiesBehindIsEmpty) {
  TestModel m = of({1});
  m.node("Size", {"x"}, {"start"}).integer("limit", -3).integer("step", 1);
  m.node("Range", {"start", "limit", "step"}, {"y"}).output("y", {-1}, onnx::TensorProto::INT64);
  EXPECT_THAT(answer(m, {1}).shape, ElementsAre(0));
}

TEST_P(Moved, TypesThatTensorFlowsKernelsLackGoThroughOthers) {
  TestModel m = of({1});
  m.tensor("h", {3}, onnx::TensorProto::FLOAT16)->set_raw_data(std::string("\0\0\0\x3c\0\xc4", 6));  // 0, 1, -4
  m.node("NonZero", {"h"}, {"found"}).output("found", {1, -1}, onnx::TensorProto::INT64);
  auto* wide = m.tensor("w", {2}, onnx::TensorProto::UINT16);
  wide->add_int32_data(7);
  wide->add_int32_data(65535);
  m.integers("twice", {2}).node("Tile", {"w", "twice"}, {"t"}).node("NonZero", {"t"}, {"four"});
  m.output("four", {1, -1}, onnx::TensorProto::INT64);
  const std::vector<Answer> y = answers(m, {1});
  EXPECT_THAT(y[0].values, ElementsAre(1, 2));
  EXPECT_THAT(y[1].values, ElementsAre(0, 1, 2, 3));
}

INSTANTIATE_TEST_SUITE_P(Xla, Moved, testing::Values("true", "false"),
                         [](const auto& with) { return std::string(with.param) == "true" ? "on" : "off"; });

}  // namespace
}  // namespace assay::tensorflow
