#include "model_axes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx_bytes.hpp"

namespace assay::ort {
namespace {

using onnx_bytes::fixed;
using onnx_bytes::named;
using ::testing::ElementsAre;
using ::testing::Pair;

std::span<const std::uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string two_inputs() {
  return onnx_bytes::model({.nodes = {onnx_bytes::node("Add", {"a", "b"}, {"y"})},
                            .inputs = {onnx_bytes::value("a", 1, {named("N"), fixed(3), named("len")}),
                                       onnx_bytes::value("b", 1, {named("N"), named(""), named("len")})},
                            .outputs = {onnx_bytes::value("y", 1, {named("N")})}});
}

TEST(ModelAxes, AreReadFromTheInputsAlone) {
  const auto inputs = parse_input_axes(bytes(two_inputs()));
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[0].name, "a");
  EXPECT_THAT(inputs[0].axes, ElementsAre("N", "", "len"));
  EXPECT_THAT(inputs[1].axes, ElementsAre("N", "", "len"));
}

TEST(ModelAxes, EveryTruncationIsSurvived) {
  const std::string whole = two_inputs();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_LE(parse_input_axes(bytes(whole).first(size)).size(), 2U);
  }
}

TEST(ModelAxes, EveryFlippedByteIsSurvived) {
  const std::string whole = two_inputs();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {1, 2, 4, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      EXPECT_LE(parse_input_axes(bytes(damaged)).size(), whole.size());
    }
  }
}

TEST(ModelAxes, AFileThatIsNotThereHasNone) { EXPECT_TRUE(read_input_axes("/nowhere/model.onnx").empty()); }

TEST(AxesToPin, TakeTheNamedFreeOnes) {
  const auto inputs = parse_input_axes(bytes(two_inputs()));
  const std::vector<kit::FixedShape> shapes = {{"a", {8, 3, -1}}, {"b", {8, 3, 5}}, {"unknown", {1}}};
  EXPECT_THAT(axes_to_pin(inputs, shapes), ElementsAre(Pair("N", 8), Pair("len", 5)));
}

TEST(AxesToPin, OneNameIsOneSize) {
  const auto inputs = parse_input_axes(bytes(two_inputs()));
  const std::vector<kit::FixedShape> shapes = {{"a", {8, 3, 5}}, {"b", {4, 3, 5}}};
  EXPECT_THROW(axes_to_pin(inputs, shapes), kit::Failure);
}

}  // namespace
}  // namespace assay::ort
