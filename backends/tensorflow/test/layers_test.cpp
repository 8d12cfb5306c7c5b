// Layers answer the same for an image that stands channels last as for one that comes as ONNX has it.
#include <gmock/gmock.h>

#include "test/framework_fixture.hpp"

namespace assay::tensorflow {
namespace {

using onnx_graph::TestAttributes;
using onnx_graph::TestModel;
using test::Floats;
using test::Shape;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

/// One node over "x", or over "i", the same image channels last.
struct Layer {
  const char* name;
  std::int64_t opset;
  const char* op;
  std::vector<std::string> more = {};  ///< inputs after the image: constants of the model
  TestAttributes attributes = {};
};

const Shape kLayerImage = {2, 6, 4, 5};

class Layers : public test::OverTensorFlow<> {
 protected:
  static TestModel model(const Layer& layer, bool channels_last) {
    TestModel m(layer.opset);
    m.input("x", kLayerImage).node("MaxPool", {"x"}, {"i"}, {{"kernel_shape", Shape{1, 1}}});
    m.floats("six", {6}, {1, -2, 3, 0.5F, -1.5F, 2}).floats("positive", {6}, {1, 2, 3, 0.5F, 1.5F, 2});
    m.floats("three", {3}, {1, -2, 3}).floats("scales", {4}, {1, 1, 1.5F, 2});
    m.floats("scales_of_channels", {4}, {1, 2, 1, 1.4F}).floats("rows", {5}, {1, 2, 3, 4, 5});
    std::vector<std::string> inputs = {channels_last ? "i" : "x"};
    inputs.insert(inputs.end(), layer.more.begin(), layer.more.end());
    return m.node(layer.op, inputs, {"y"}, layer.attributes).output("y");
  }
  Floats answer(TestModel m) {
    m.proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
    Floats x(static_cast<std::size_t>(kit::element_count(kLayerImage)));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 37 + 11) % 101) / 25 - 2;
    return answers(*open(m), std::move(x), kLayerImage).at(0).values;
  }
};

TEST_F(Layers, AnswerTheSameInEitherLayout) {
  const std::string linear = "linear", cubic = "cubic";
  const std::vector<Layer> layers = {
      {"InstanceNormalization", 17, "InstanceNormalization", {"six", "positive"}},
      {"BatchNormalization", 17, "BatchNormalization", {"six", "six", "six", "positive"}},
      {"GroupNormalization of groups", 18, "GroupNormalization", {"three", "three"}, {{"num_groups", std::int64_t{3}}}},
      {"GroupNormalization of channels", 21, "GroupNormalization", {"six", "six"}, {{"num_groups", std::int64_t{3}}}},
      {"LayerNormalization", 17, "LayerNormalization", {"rows"}},
      {"LpNormalization of channels", 17, "LpNormalization", {}, {{"axis", std::int64_t{1}}}},
      {"LpNormalization of rows", 17, "LpNormalization", {}, {{"axis", std::int64_t{-1}}}},
      {"MeanVarianceNormalization", 17, "MeanVarianceNormalization", {}, {{"axes", Shape{1, 3}}}},
      {"LRN, odd", 17, "LRN", {}, {{"size", std::int64_t{3}}, {"alpha", 0.5F}}},
      {"LRN, even", 17, "LRN", {}, {{"size", std::int64_t{4}}, {"alpha", 0.5F}}},
      {"GlobalLpPool", 17, "GlobalLpPool", {}, {{"p", std::int64_t{3}}}},
      {"Softmax of channels", 17, "Softmax", {}, {{"axis", std::int64_t{1}}}},
      {"Softmax from channels on", 11, "Softmax", {}, {{"axis", std::int64_t{1}}}},
      {"Softmax of rows", 17, "LogSoftmax", {}, {{"axis", std::int64_t{2}}}},
      {"Resize, nearest", 17, "Resize", {"", "scales"}},
      {"Resize, linear", 17, "Resize", {"", "scales"}, {{"mode", linear}}},
      {"Resize, cubic", 17, "Resize", {"", "scales"}, {{"mode", cubic}}},
      {"Resize of channels", 17, "Resize", {"", "scales_of_channels"}, {{"mode", linear}}},
  };
  for (const Layer& layer : layers) {
    SCOPED_TRACE(layer.name);
    EXPECT_THAT(answer(model(layer, true)), Pointwise(FloatNear(1e-5F), answer(model(layer, false))));
  }
}

/// ONNX allows it; ONNX Runtime, by which the rows of tests/conformance are checked, does not.
TEST_F(Layers, LrnOverAnEvenNumberOfChannelsHasOneMoreAfterThanBefore) {
  const TestAttributes attributes = {{"size", std::int64_t{2}}, {"alpha", 2.0F}, {"beta", 1.0F}, {"bias", 1.0F}};
  const Floats y = answer(model({"", 17, "LRN", {}, attributes}, false));
  const auto x = [](std::size_t i) { return static_cast<float>((i * 37 + 11) % 101) / 25 - 2; };
  const std::size_t channel = 4 * 5;  // elements
  EXPECT_FLOAT_EQ(y[0], x(0) / (1 + x(0) * x(0) + x(channel) * x(channel)));
  EXPECT_FLOAT_EQ(y[5 * channel], x(5 * channel) / (1 + x(5 * channel) * x(5 * channel)));  // the last has none after
}

TEST_F(Layers, AntialiasIsRefusedByName) {
  const Layer layer = {
      "", 18, "Resize", {"", "scales"}, {{"mode", std::string("linear")}, {"antialias", std::int64_t{1}}}};
  try {
    answer(model(layer, false));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const kit::Failure& e) {
    EXPECT_THAT(e.what(), HasSubstr("antialias"));
  }
}

}  // namespace
}  // namespace assay::tensorflow
