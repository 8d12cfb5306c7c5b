// Operators over a real TensorFlow where ONNX's node tests do not reach: newer opsets, attributes that are not the
// default, images that stand channels last. Values are worked out by hand.
#include <gmock/gmock.h>

#include <limits>

#include "test/framework_fixture.hpp"

namespace assay::tensorflow {
namespace {

using onnx::TensorProto;
using onnx_graph::TestModel;
using test::Floats;
using test::Shape;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

class Operators : public test::OverTensorFlow<testing::TestWithParam<const char*>> {
 protected:
  void SetUp() override {
    OverTensorFlow::SetUp();
    request_.options = {{"xla", GetParam()}};
  }
  /// The floats y of y = f(x), both of shapes that the model declares.
  Floats answer(const TestModel& model, Floats x, const Shape& x_shape, const Shape& y_shape) {
    return OverTensorFlow::answer(*open(model), std::move(x), x_shape, y_shape);
  }
  /// Of an operator that computes each element by itself.
  Floats each(std::int64_t opset, const std::string& type, const onnx_graph::TestAttributes& attributes, Floats x) {
    TestModel m(opset);
    const Shape shape = {static_cast<std::int64_t>(x.size())};
    m.input("x", shape).node(type, {"x"}, {"y"}, attributes).output("y", shape);
    return answer(m, std::move(x), shape, shape);
  }
};

auto near(const Floats& wanted) { return Pointwise(FloatNear(1e-5F), wanted); }

/// x, an image of two channels, after a convolution that leaves it as it is: it stands channels last from there on.
TestModel image(std::int64_t opset = 17) {
  TestModel m(opset);
  m.input("x", {1, 2, 2, 2}).floats("w", {2, 2, 1, 1}, {1, 0, 0, 1}).node("Conv", {"x", "w"}, {"i"});
  return m;
}
const Shape kImage = {1, 2, 2, 2};
const Floats kPixels = {-1, 2, -3, 4, 5, -6, 7, -8};

TEST_P(Operators, ActivationsOfNewerOpsets) {
  EXPECT_THAT(each(20, "Gelu", {}, {-1, 0, 1}), near({-0.158655F, 0, 0.841345F}));
  EXPECT_THAT(each(20, "Gelu", {{"approximate", std::string("tanh")}}, {-1, 0, 1}), near({-0.158808F, 0, 0.841192F}));
  EXPECT_THAT(each(18, "Mish", {}, {-1, 0, 1}), near({-0.303401F, 0, 0.865098F}));
}

TEST_P(Operators, ActivationsWithAttributes) {
  EXPECT_THAT(each(17, "Elu", {{"alpha", 2.0F}}, {-1, 0, 3}), near({-1.264241F, 0, 3}));
  EXPECT_THAT(each(17, "Selu", {}, {-1, 2}), near({-1.111331F, 2.101402F}));
  EXPECT_THAT(each(17, "Selu", {{"alpha", 2.0F}, {"gamma", 3.0F}}, {-1, 2}), near({-3.792723F, 6}));
  EXPECT_THAT(each(17, "HardSigmoid", {{"alpha", 0.5F}, {"beta", 0.25F}}, {-1, 0.5F, 9}), near({0, 0.5F, 1}));
}

TEST_P(Operators, QuantizedTo16BitsRoundsToEvenAndSaturates) {
  TestModel m(21);
  m.input("x", {4}).floats("s", {}, {2}).floats("z", {}, {100});
  m.node("Cast", {"z"}, {"zero"}, {{"to", std::int64_t{TensorProto::INT16}}});
  m.node("QuantizeLinear", {"x", "s", "zero"}, {"q"}).node("Cast", {"q"}, {"y"}, {{"to", std::int64_t{1}}});
  m.output("y", {4});
  EXPECT_THAT(answer(m, {1, 3, 1e6F, -1e6F}, {4}, {4}), ElementsAre(100, 102, 32767, -32768));
}

TEST_P(Operators, AnImageIsQuantizedByChannel) {
  TestModel m = image();
  m.floats("s", {2}, {1, 2}).floats("z", {2}, {3, 0});
  m.node("Cast", {"z"}, {"zero"}, {{"to", std::int64_t{TensorProto::INT8}}});
  m.node("QuantizeLinear", {"i", "s", "zero"}, {"q"}).node("DequantizeLinear", {"q", "s", "zero"}, {"y"});
  m.output("y", kImage);
  EXPECT_THAT(answer(m, kPixels, kImage, kImage), ElementsAre(-1, 2, -3, 4, 4, -6, 8, -8));
}

TEST_P(Operators, AnImagesSlopesAreThoseOfItsChannels) {
  TestModel m = image();
  m.floats("s", {2, 1, 1}, {10, 100}).node("PRelu", {"i", "s"}, {"y"}).output("y", kImage);
  EXPECT_THAT(answer(m, kPixels, kImage, kImage), ElementsAre(-10, 2, -30, 4, 5, -600, 7, -800));
}

TEST_P(Operators, AnImageWithoutItsChannelsIsInOnnxsOrder) {
  TestModel best = image();
  best.node("ArgMax", {"i"}, {"a"}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}});
  best.node("Cast", {"a"}, {"y"}, {{"to", std::int64_t{1}}}).output("y", {1, 2, 2});
  EXPECT_THAT(answer(best, kPixels, kImage, {1, 2, 2}), ElementsAre(1, 0, 1, 0));
  TestModel sum = image();
  sum.integers("axes", {1}).node("ReduceSum", {"i", "axes"}, {"y"}, {{"keepdims", std::int64_t{0}}});
  sum.output("y", {1, 2, 2});
  EXPECT_THAT(answer(sum, kPixels, kImage, {1, 2, 2}), ElementsAre(4, -4, 4, -4));
}

TEST_P(Operators, AnImageWithoutOneAxisOfSpaceIsInOnnxsOrder) {
  TestModel m = image();
  m.node("ReduceL1", {"i"}, {"y"}, {{"axes", Shape{2}}, {"keepdims", std::int64_t{0}}}).output("y", {1, 2, 2});
  EXPECT_THAT(answer(m, kPixels, kImage, {1, 2, 2}), ElementsAre(4, 6, 12, 14));
}

TEST_P(Operators, BoolsHaveALargestAndASmallest) {
  for (const auto& [type, wanted] : {std::pair{"ReduceMax", Floats{1, 0}}, {"ReduceMin", Floats{0, 0}}}) {
    TestModel m(20);
    m.input("x", {2, 2}).integers("axes", {1}).node("Cast", {"x"}, {"b"}, {{"to", std::int64_t{TensorProto::BOOL}}});
    m.node(type, {"b", "axes"}, {"r"}, {{"keepdims", std::int64_t{0}}});
    m.node("Cast", {"r"}, {"y"}, {{"to", std::int64_t{1}}}).output("y", {2});
    EXPECT_EQ(answer(m, {0, 0.5F, 0, 0}, {2, 2}, {2}), wanted) << type;
  }
}

TEST_P(Operators, LogSumExpNeitherOverflowsNorLosesInfinities) {
  TestModel m(17);
  m.input("x", {2, 2}).node("ReduceLogSumExp", {"x"}, {"y"}, {{"axes", Shape{1}}, {"keepdims", std::int64_t{0}}});
  m.output("y", {2});
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(answer(m, {1000, 1000, -kInfinity, -kInfinity}, {2, 2}, {2}), ElementsAre(1000.693147F, -kInfinity));
}

TEST_P(Operators, TheSmallestOfIntegersReachesTheLeastOfThem) {
  TestModel m(17);
  m.input("x", {4}).integers("k", {2}).node("Cast", {"x"}, {"i"}, {{"to", std::int64_t{TensorProto::INT32}}});
  m.node("TopK", {"i", "k"}, {"v", "at"}, {{"largest", std::int64_t{0}}});
  m.node("Cast", {"v"}, {"y"}, {{"to", std::int64_t{1}}}).output("y", {2});
  EXPECT_THAT(answer(m, {7, -2147483648.0F, 0, -5}, {4}, {2}), ElementsAre(-2147483648.0F, -5));
}

TEST_P(Operators, WhatIsForTrainingIsRefused) {
  TestModel m(17);
  m.input("x", {2}).floats("ratio", {}, {0.5F}).input("t", {}, TensorProto::BOOL);
  m.node("Dropout", {"x", "ratio", "t"}, {"y"}).output("y", {2});
  std::ofstream(request_.model_path, std::ios::binary) << m.bytes();
  try {
    (void)backend_.open(request_);
    FAIL() << "it was taken";
  } catch (const kit::Failure& e) {
    EXPECT_THAT(e.what(), HasSubstr("whether it is training is known only when the graph runs"));
  }
}

INSTANTIATE_TEST_SUITE_P(Xla, Operators, testing::Values("false", "true"));

}  // namespace
}  // namespace assay::tensorflow
