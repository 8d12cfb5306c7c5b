#include "model_precision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx_bytes.hpp"

namespace assay::ort {
namespace {

using onnx_bytes::fixed;
using onnx_bytes::message;
using onnx_bytes::node;
using onnx_bytes::number;
using onnx_bytes::value;

std::string precision_of(const onnx_bytes::Graph& graph) {
  const std::string model = onnx_bytes::model(graph);
  return parse_precision({reinterpret_cast<const std::uint8_t*>(model.data()), model.size()});
}

/// A weight of `count` elements, without data.
std::string weight(int dtype, std::int64_t count) {
  return number(1, count) + number(1, 2) + number(2, dtype) + message(8, "w");
}
std::string packed_weight(int dtype, std::int64_t count) {
  return message(1, onnx_bytes::varint(static_cast<std::uint64_t>(count))) + number(2, dtype) + message(8, "w");
}

TEST(ModelPrecision, IsThatOfMostWeights) {
  EXPECT_EQ(precision_of({.initializers = {weight(1, 100), weight(7, 5000)}}), "f32");
  EXPECT_EQ(precision_of({.initializers = {weight(1, 4), weight(10, 100)}}), "f16");  // scales of a Resize stay f32
  EXPECT_EQ(precision_of({.initializers = {packed_weight(1, 300), weight(10, 100)}}), "f32");
  EXPECT_EQ(precision_of({.initializers = {weight(16, 100)}, .inputs = {value("x", 1, {fixed(2)})}}), "bf16");
}

TEST(ModelPrecision, IsThatOfTheInputsWithoutWeights) {
  EXPECT_EQ(precision_of({.inputs = {value("x", 10, {fixed(2)})}}), "f16");
  EXPECT_EQ(precision_of({.inputs = {value("x", 2, {fixed(2)})}}), "f32");
  EXPECT_EQ(precision_of({}), "f32");
}

TEST(ModelPrecision, OfAQuantizedGraphIsInt8) {
  for (const char* op :
       {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "MatMulInteger", "ConvInteger"}) {
    EXPECT_EQ(
        precision_of({.nodes = {node("Relu", {"x"}, {"a"}), node(op, {"a"}, {"y"})}, .initializers = {weight(1, 100)}}),
        "int8")
        << op;
  }
}

TEST(ModelPrecision, OfBytesThatAreNoModelIsReadWithoutHarm) {
  const std::string whole = onnx_bytes::dense();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(whole.data());
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(parse_precision({bytes, size}), "f32");
}

}  // namespace
}  // namespace assay::ort
