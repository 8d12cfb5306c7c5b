#include "onnx_signature.hpp"

#include <gtest/gtest.h>

#include <random>

#include "onnx_bytes.hpp"

namespace assay::openvino {
namespace {

using test::model;

OnnxSignature read(const std::string& file) {
  return read_signature(std::as_bytes(std::span(file.data(), file.size())), "m.onnx");
}

std::string two_in_two_out() {
  return model({{"Add", {"b", "w"}, {"second"}}, {"Relu", {"a"}, {"first"}}},
               {{"a", 1, {"batch", 3}}, {"w", 1, {2}}, {"b", 10, {"batch", 2}}},
               {{"second", 10, {"batch", 2}}, {"first", 1, {"batch", 3}}}, {{"w", {2}, {1, 2}}});
}

TEST(OnnxSignature, KeepsNamesOrderTypesAndAxes) {
  const OnnxSignature s = read(two_in_two_out());
  ASSERT_EQ(s.inputs.size(), 2U);  // "w" has an initializer: not an input
  EXPECT_EQ(s.inputs[0].name, "a");
  EXPECT_EQ(s.inputs[0].dtype, ASSAY_FLOAT32);
  EXPECT_EQ(s.inputs[0].shape, (std::vector<std::int64_t>{-1, 3}));
  EXPECT_EQ(s.inputs[0].axes, (std::vector<std::string>{"batch", ""}));
  EXPECT_EQ(s.inputs[1].name, "b");
  EXPECT_EQ(s.inputs[1].dtype, ASSAY_FLOAT16);
  ASSERT_EQ(s.outputs.size(), 2U);
  EXPECT_EQ(s.outputs[0].name, "second");
  EXPECT_EQ(s.outputs[1].name, "first");
  EXPECT_FALSE(s.quantized);
}

TEST(OnnxSignature, AnUnknownRankIsUnknown) {
  const OnnxSignature s = read(model({{"Relu", {"x"}, {"y"}}}, {{"x", 1, {}, false}}, {{"y", 1, {}, false}}));
  EXPECT_FALSE(s.inputs.at(0).rank_known);
  EXPECT_FALSE(s.outputs.at(0).rank_known);
}

TEST(OnnxSignature, AScalarHasRankZero) {
  const OnnxSignature s = read(model({{"Relu", {"x"}, {"y"}}}, {{"x", 1, {}}}, {{"y", 1, {}}}));
  EXPECT_TRUE(s.inputs.at(0).rank_known);
  EXPECT_TRUE(s.inputs.at(0).shape.empty());
}

TEST(OnnxSignature, SeesQuantization) {
  EXPECT_TRUE(read(model({{"QuantizeLinear", {"x", "s"}, {"y"}}}, {{"x"}}, {{"y", 3}}, {{"s", {}, {1}}})).quantized);
}

TEST(OnnxSignature, SaysWhatIsWrongWithAFile) {
  for (const std::string& bad :
       {std::string(), std::string("not an onnx file at all"), std::string("\xFF\xFF\xFF\xFF"), test::number(1, 8)}) {
    try {
      read(bad);
      FAIL() << "accepted " << bad.size() << " bytes";
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_INVALID_MODEL);
      EXPECT_NE(std::string(e.what()).find("m.onnx"), std::string::npos);
    }
  }
}

TEST(OnnxSignature, EveryTruncationIsAFailureOrASmallerModel) {
  const std::string whole = two_in_two_out();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      EXPECT_LE(read(whole.substr(0, size)).outputs.size(), 2U);
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_INVALID_MODEL);
    }
  }
}

TEST(OnnxSignature, NoByteFlipReadsOutOfBounds) {
  const std::string whole = two_in_two_out();
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string broken = whole;
    for (int k = 0; k < 3; ++k) broken[random() % broken.size()] = static_cast<char>(random());
    try {
      read(broken);
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_INVALID_MODEL);
    }
  }
}

TEST(OnnxSignature, AMissingFileIsNamed) {
  try {
    read_signature("/nowhere/model.onnx");
    FAIL();
  } catch (const kit::Failure& e) {
    EXPECT_NE(std::string(e.what()).find("/nowhere/model.onnx"), std::string::npos);
  }
}

}  // namespace
}  // namespace assay::openvino
