#include "onnx_graph/operators/operator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::HasSubstr;
using Sizes = std::vector<std::int64_t>;
using P = onnx::TensorProto;

// One operator, one row.

/// An input of a row: data of a shape and type, or a constant.
struct In {
  enum Kind { kData, kIntegers, kInteger, kFloats, kAbsent } kind = kData;
  Sizes sizes;
  std::int32_t type = P::FLOAT;
  std::vector<float> floats;
};
In x(Sizes shape, std::int32_t type = P::FLOAT) { return {In::kData, std::move(shape), type, {}}; }
In k(Sizes values) { return {In::kIntegers, std::move(values), P::INT64, {}}; }
In one(std::int64_t value) { return {In::kInteger, {value}, P::INT64, {}}; }
In f(std::vector<float> values) { return {In::kFloats, {}, P::FLOAT, std::move(values)}; }
In none() { return {In::kAbsent, {}, P::FLOAT, {}}; }

struct Row {
  std::string op;
  std::vector<In> inputs;
  TestAttributes attributes;
  std::string expected;  ///< "float32 N x 4", outputs separated by "; "
  std::int64_t opset = 17;
  std::string domain = {};
};

std::string infer_row(const Row& row) {
  TestModel m(row.opset);
  std::vector<std::string> inputs, outputs;
  for (const In& in : row.inputs) {
    const std::string name = in.kind == In::kAbsent ? "" : "i" + std::to_string(inputs.size());
    inputs.push_back(name);
    if (in.kind == In::kData) m.input(name, in.sizes, in.type);
    if (in.kind == In::kIntegers) m.integers(name, in.sizes);
    if (in.kind == In::kInteger) m.integer(name, in.sizes[0]);
    if (in.kind == In::kFloats) m.floats(name, {static_cast<std::int64_t>(in.floats.size())}, in.floats);
  }
  const auto count = 1 + std::count(row.expected.begin(), row.expected.end(), ';');
  for (std::ptrdiff_t i = 0; i < count; ++i) outputs.push_back("o" + std::to_string(i));
  m.node(row.op, inputs, outputs, row.attributes);
  m.proto.mutable_graph()->mutable_node(0)->set_domain(row.domain);
  for (const std::string& o : outputs) m.output(o);
  std::string bytes;
  const Model model = parse_kept(m, bytes);
  const Inference inference = infer(model);
  if (!inference.remarks.empty()) return inference.remarks[0];
  std::string result;
  for (const std::string& o : outputs) {
    const TensorType* type = inference.type(o);
    result += result.empty() ? "" : "; ";
    result += type == nullptr ? "nothing"
                              : to_string(type->element) + " " + (type->shape ? to_string(*type->shape) : "unknown");
  }
  return result;
}

std::vector<Row> rows() {
  std::vector<Row> t;
  for (const char* op : {"Abs",
                         "Acos",
                         "Acosh",
                         "Asin",
                         "Asinh",
                         "Atan",
                         "Atanh",
                         "Ceil",
                         "Celu",
                         "Clip",
                         "Cos",
                         "Cosh",
                         "Elu",
                         "Erf",
                         "Exp",
                         "Floor",
                         "Gelu",
                         "HardSigmoid",
                         "HardSwish",
                         "Hardmax",
                         "LeakyRelu",
                         "Log",
                         "LogSoftmax",
                         "Mish",
                         "Neg",
                         "Reciprocal",
                         "Relu",
                         "Round",
                         "Selu",
                         "Shrink",
                         "Sigmoid",
                         "Sign",
                         "Sin",
                         "Sinh",
                         "Softmax",
                         "Softplus",
                         "Softsign",
                         "Sqrt",
                         "Tan",
                         "Tanh",
                         "ThresholdedRelu",
                         "Identity",
                         "LRN",
                         "LpNormalization",
                         "MeanVarianceNormalization",
                         "Trilu"}) {
    t.push_back({op, {x({-1, 3, 5})}, {}, "float32 N x 3 x 5"});
  }
  t.push_back({"BitwiseNot", {x({2}, P::UINT8)}, {}, "uint8 2"});
  for (const char* op : {"IsInf", "IsNaN", "Not"}) t.push_back({op, {x({-1, 3})}, {}, "bool N x 3"});
  for (const char* op : {"Add", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Pow", "Sub", "Sum", "BitShift",
                         "BitwiseAnd", "BitwiseOr", "BitwiseXor"}) {
    t.push_back({op, {x({-1, 1, 5}), x({3, 1})}, {}, "float32 N x 3 x 5"});
  }
  for (const char* op : {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Or", "Xor"}) {
    t.push_back({op, {x({-1, 1}), x({4})}, {}, "bool N x 4"});
  }
  for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                         "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"}) {
    t.push_back({op, {x({-1, 3, 5})}, {{"axes", Sizes{-1}}, {"keepdims", std::int64_t{0}}}, "float32 N x 3", 11});
    t.push_back({op, {x({-1, 3, 5}), k({1})}, {}, "float32 N x 1 x 5", 18});
    t.push_back({op, {x({-1, 3})}, {}, "float32 1 x 1"});
  }
  const auto add = [&t](Row row) { t.push_back(std::move(row)); };
  const auto i = [](std::int64_t v) { return TestValue(v); };
  add({"ReduceSum", {x({2, 3}), k({})}, {{"noop_with_empty_axes", i(1)}}, "float32 2 x 3"});
  add({"ArgMax", {x({-1, 3})}, {{"axis", i(1)}, {"keepdims", i(0)}}, "int64 N"});
  add({"ArgMin", {x({-1, 3})}, {}, "int64 1 x 3"});
  add({"TopK", {x({-1, 9}), k({4})}, {}, "float32 N x 4; int64 N x 4"});
  add({"TopK", {x({-1, 9})}, {{"k", i(2)}}, "float32 N x 2; int64 N x 2", 9});
  add({"Cast", {x({-1, 2})}, {{"to", i(7)}}, "int64 N x 2"});
  add({"CastLike", {x({-1, 2}), x({1}, P::FLOAT16)}, {}, "float16 N x 2"});
  add({"CumSum", {x({-1, 2}), one(0)}, {}, "float32 N x 2"});
  add({"PRelu", {x({-1, 2}), x({2})}, {}, "float32 N x 2"});
  add({"Dropout", {x({-1, 2})}, {}, "float32 N x 2; bool N x 2"});
  add({"Dropout", {x({-1, 2})}, {}, "float32 N x 2; float32 N x 2", 7});
  add({"QuantizeLinear", {x({2}), x({}), x({}, P::INT8)}, {}, "int8 2"});
  add({"QuantizeLinear", {x({2}), x({})}, {}, "uint8 2"});
  add({"DequantizeLinear", {x({2}, P::UINT8), x({}), x({}, P::UINT8)}, {}, "float32 2"});
  add({"DynamicQuantizeLinear", {x({-1, 2})}, {}, "uint8 N x 2; float32 scalar; uint8 scalar"});
  add({"Where", {x({-1, 1}, P::BOOL), x({3}), x({})}, {}, "float32 N x 3"});
  // Layers.
  add({"Conv",
       {x({-1, 3, 224, 224}), x({64, 3, 7, 7})},
       {{"strides", Sizes{2, 2}}, {"pads", Sizes{3, 3, 3, 3}}},
       "float32 N x 64 x 112 x 112"});
  add({"Conv",
       {x({-1, 8, 9, 9}), x({8, 1, 3, 3})},
       {{"group", i(8)}, {"dilations", Sizes{2, 2}}},
       "float32 N x 8 x 5 x 5"});
  add({"Conv",
       {x({1, 3, 7, 8}), x({4, 3, 3, 3})},
       {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Sizes{2, 2}}},
       "float32 1 x 4 x 4 x 4"});
  add({"Conv", {x({1, 3, 7, 7}), x({4, 3, 3, 3})}, {{"pads", Sizes{1, 0, 0, 2}}}, "float32 1 x 4 x 6 x 7"});
  add({"Conv", {x({1, 3, 7}), x({4, 3, 3})}, {}, "float32 1 x 4 x 5"});
  add({"FusedConv", {x({1, 3, 7}), x({4, 3, 3})}, {}, "float32 1 x 4 x 5", 17, "com.microsoft"});
  add({"Gelu", {x({1, 3, 7})}, {}, "float32 1 x 3 x 7", 17, "com.microsoft"});
  add({"ConvInteger", {x({1, 3, 7}, P::UINT8), x({4, 3, 3}, P::UINT8)}, {}, "int32 1 x 4 x 5"});
  add({"QLinearConv",
       {x({1, 3, 7}, P::UINT8), x({}), x({}, P::UINT8), x({4, 3, 3}, P::UINT8), x({}), x({}, P::UINT8), x({}),
        x({}, P::UINT8)},
       {},
       "uint8 1 x 4 x 5"});
  add({"ConvTranspose",
       {x({1, 3, 5, 5}), x({3, 2, 3, 3})},
       {{"strides", Sizes{2, 2}}, {"output_padding", Sizes{1, 1}}, {"pads", Sizes{1, 1, 1, 1}}},
       "float32 1 x 2 x 10 x 10"});
  add({"ConvTranspose",
       {x({1, 3, 5, 5}), x({3, 2, 3, 3})},
       {{"strides", Sizes{2, 2}}, {"output_shape", Sizes{10, 9}}},
       "float32 1 x 2 x 10 x 9"});
  add({"ConvTranspose",
       {x({1, 4, 5}), x({4, 2, 3})},
       {{"group", i(2)}, {"auto_pad", std::string("SAME_UPPER")}, {"strides", Sizes{3}}},
       "float32 1 x 4 x 15"});
  add({"MaxPool",
       {x({-1, 3, 9, 9})},
       {{"kernel_shape", Sizes{2, 2}}, {"strides", Sizes{2, 2}}},
       "float32 N x 3 x 4 x 4; int64 N x 3 x 4 x 4"});
  add({"MaxPool",
       {x({-1, 3, 9, 9})},
       {{"kernel_shape", Sizes{2, 2}}, {"strides", Sizes{2, 2}}, {"ceil_mode", i(1)}},
       "float32 N x 3 x 5 x 5"});
  add({"AveragePool",
       {x({1, 1, 4, 4})},
       {{"kernel_shape", Sizes{1, 1}}, {"strides", Sizes{2, 2}}, {"ceil_mode", i(1)}},
       "float32 1 x 1 x 2 x 2"});
  add({"LpPool", {x({1, 1, 4})}, {{"kernel_shape", Sizes{3}}}, "float32 1 x 1 x 2"});
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    add({op, {x({-1, 3, 7, 7})}, {}, "float32 N x 3 x 1 x 1"});
  add({"BatchNormalization", {x({-1, 3, 7}), x({3}), x({3}), x({3}), x({3})}, {}, "float32 N x 3 x 7"});
  add({"InstanceNormalization", {x({-1, 3, 7}), x({3}), x({3})}, {}, "float32 N x 3 x 7"});
  add({"GroupNormalization", {x({-1, 4, 7}), x({4}), x({4})}, {{"num_groups", i(2)}}, "float32 N x 4 x 7", 21});
  add({"LayerNormalization", {x({-1, 3, 7}), x({7})}, {}, "float32 N x 3 x 7; float32 N x 3 x 1; float32 N x 3 x 1"});
  add({"Resize", {x({-1, 3, 4, 5}), none(), f({1, 1, 2, 2.5F})}, {}, "float32 N x 3 x 8 x 12", 13});
  add({"Resize", {x({-1, 3, 4, 5}), f({1, 1, 2, 2})}, {}, "float32 N x 3 x 8 x 10", 10});
  add({"Resize", {x({2, 3, 4, 5}), none(), none(), k({2, 3, 7, 9})}, {}, "float32 2 x 3 x 7 x 9", 13});
  add({"Resize", {x({-1, 3, 4, 5}), none(), none(), k({7, 9})}, {{"axes", Sizes{2, 3}}}, "float32 N x 3 x 7 x 9", 18});
  add({"Resize",
       {x({-1, 3, 4, 8}), none(), none(), k({8, 8})},
       {{"axes", Sizes{2, 3}}, {"keep_aspect_ratio_policy", std::string("not_larger")}},
       "float32 N x 3 x 4 x 8",
       18});
  add({"Upsample", {x({-1, 3, 4}), f({1, 1, 2})}, {}, "float32 N x 3 x 8", 9});
  add({"Upsample", {x({-1, 3, 4})}, {{"scales", std::vector<float>{1, 1, 3}}}, "float32 N x 3 x 12", 7});
  add({"LSTM",
       {x({5, -1, 8}), x({2, 16, 8}), x({2, 16, 4})},
       {{"direction", std::string("bidirectional")}, {"hidden_size", i(4)}},
       "float32 5 x 2 x N x 4; float32 2 x N x 4; float32 2 x N x 4"});
  add({"GRU", {x({5, -1, 8}), x({1, 12, 8}), x({1, 12, 4})}, {}, "float32 5 x 1 x N x 4; float32 1 x N x 4"});
  add({"RNN",
       {x({-1, 5, 8}), x({1, 4, 8}), x({1, 4, 4})},
       {{"layout", i(1)}},
       "float32 N x 5 x 1 x 4; float32 N x 1 x 4"});
  // Matrices.
  add({"MatMul", {x({-1, 12, 7, 64}), x({12, 64, 7})}, {}, "float32 N x 12 x 7 x 7"});
  add({"MatMul", {x({3}), x({3})}, {}, "float32 scalar"});
  add({"MatMul", {x({4, 3}), x({3})}, {}, "float32 4"});
  add({"MatMulInteger", {x({4, 3}, P::UINT8), x({3, 2}, P::UINT8)}, {}, "int32 4 x 2"});
  add({"QLinearMatMul",
       {x({4, 3}, P::UINT8), x({}), x({}, P::UINT8), x({3, 2}, P::UINT8), x({}), x({}, P::UINT8), x({}),
        x({}, P::UINT8)},
       {},
       "uint8 4 x 2"});
  add({"Gemm", {x({8, -1}), x({5, 8})}, {{"transA", i(1)}, {"transB", i(1)}}, "float32 N x 5"});
  add({"Einsum", {x({-1, 3, 4}), x({-1, 4, 5})}, {{"equation", std::string("bij, bjk -> bik")}}, "float32 N x 3 x 5"});
  add({"Einsum", {x({3, 4}), x({4, 5})}, {{"equation", std::string("ij,jk")}}, "float32 3 x 5"});
  // Shapes.
  add({"Shape", {x({-1, 3})}, {}, "int64 2"});
  add({"Shape", {x({-1, 3, 4})}, {{"start", i(-2)}}, "int64 2"});
  add({"Size", {x({-1, 3})}, {}, "int64 scalar"});
  add({"Reshape", {x({-1, 256, 6, 6}), k({0, -1})}, {}, "float32 N x 9216"});
  add({"Reshape", {x({-1, 256, 6, 6}), k({-1, 9216})}, {}, "float32 N x 9216"});
  add({"Reshape", {x({2, 0, 3}), k({3, 0, 2})}, {{"allowzero", i(1)}}, "float32 3 x 0 x 2"});
  add({"Flatten", {x({-1, 3, 4})}, {}, "float32 N x 12"});
  add({"Flatten", {x({2, 3, 4})}, {{"axis", i(-1)}}, "float32 6 x 4"});
  add({"Squeeze", {x({-1, 1, 4, 1}), k({1})}, {}, "float32 N x 4 x 1"});
  add({"Squeeze", {x({-1, 1, 4, 1})}, {{"axes", Sizes{1, -1}}}, "float32 N x 4", 11});
  add({"Squeeze", {x({3, 1, 4})}, {}, "float32 3 x 4"});
  add({"Unsqueeze", {x({-1, 4}), k({-1, 1})}, {}, "float32 N x 1 x 4 x 1"});
  add({"Unsqueeze", {x({-1, 4})}, {{"axes", Sizes{0}}}, "float32 1 x N x 4", 11});
  add({"Transpose", {x({-1, 3, 4})}, {}, "float32 4 x 3 x N"});
  add({"Transpose", {x({-1, 3, 4})}, {{"perm", Sizes{0, 2, 1}}}, "float32 N x 4 x 3"});
  add({"Expand", {x({3, 1}), k({2, 1, 6})}, {}, "float32 2 x 3 x 6"});
  add({"Tile", {x({-1, 3}), k({1, 4})}, {}, "float32 N x 12"});
  add({"DepthToSpace", {x({-1, 8, 2, 3})}, {{"blocksize", i(2)}}, "float32 N x 2 x 4 x 6"});
  add({"SpaceToDepth", {x({-1, 2, 4, 6})}, {{"blocksize", i(2)}}, "float32 N x 8 x 2 x 3"});
  // Pieces.
  add({"Concat", {x({-1, 3, 4}), x({-1, 5, 4})}, {{"axis", i(-2)}}, "float32 N x 8 x 4"});
  add({"Split", {x({-1, 7}), k({3, 4})}, {{"axis", i(1)}}, "float32 N x 3; float32 N x 4"});
  add({"Split", {x({-1, 6})}, {{"axis", i(1)}, {"split", Sizes{2, 4}}}, "float32 N x 2; float32 N x 4", 11});
  add({"Split",
       {x({-1, 7})},
       {{"axis", i(1)}, {"num_outputs", i(3)}},
       "float32 N x 3; float32 N x 3; float32 N x 1",
       18});
  add({"Slice", {x({-1, 20}), k({2}), k({-3}), k({1}), k({4})}, {}, "float32 N x 4"});
  add({"Slice", {x({-1, 20}), k({-1}), k({INT64_MIN}), k({1}), k({-1})}, {}, "float32 N x 20"});
  add({"Slice", {x({-1, 20})}, {{"axes", Sizes{1}}, {"starts", Sizes{5}}, {"ends", Sizes{1000}}}, "float32 N x 15", 9});
  add({"Gather", {x({-1, 20, 8}), x({2, 3}, P::INT64)}, {{"axis", i(1)}}, "float32 N x 2 x 3 x 8"});
  add({"GatherElements", {x({5, 5}), x({2, 3}, P::INT64)}, {}, "float32 2 x 3"});
  add({"GatherND", {x({2, 3, 4, 5}), x({2, 7, 2}, P::INT64)}, {{"batch_dims", i(1)}}, "float32 2 x 7 x 5"});
  add({"Pad", {x({-1, 3, 4}), k({0, 0, 1, 0, 0, 2})}, {}, "float32 N x 3 x 7"});
  add({"Pad", {x({-1, 3, 4}), k({1, 2}), none(), k({-1})}, {}, "float32 N x 3 x 7", 18});
  add({"Pad", {x({-1, 3})}, {{"pads", Sizes{0, 1, 0, 1}}}, "float32 N x 5", 9});
  add({"OneHot", {x({-1}, P::INT64), one(10), x({2})}, {}, "float32 N x 10"});
  add({"NonZero", {x({3, 4})}, {}, "int64 2 x ?"});
  add({"Compress", {x({3, 4}), x({3}, P::BOOL)}, {{"axis", i(1)}}, "float32 3 x ?"});
  for (const char* op : {"Scatter", "ScatterElements", "ScatterND"})
    add({op, {x({-1, 3}), x({1, 1}, P::INT64), x({1, 1})}, {}, "float32 N x 3"});
  add({"ReverseSequence", {x({5, -1}), x({-1}, P::INT64)}, {}, "float32 5 x N"});
  // Made of nothing.
  add({"Constant", {}, {{"value_floats", std::vector<float>{1, 2}}}, "float32 2"});
  add({"Constant", {}, {{"value_int", i(3)}}, "int64 scalar"});
  add({"ConstantOfShape", {k({2, 3})}, {}, "float32 2 x 3"});
  add({"Range", {one(2), one(11), one(3)}, {}, "int64 3"});
  add({"EyeLike", {x({3, 4})}, {{"dtype", i(11)}}, "float64 3 x 4"});
  return t;
}

class OperatorTest : public testing::TestWithParam<Row> {};
TEST_P(OperatorTest, Infers) { EXPECT_EQ(infer_row(GetParam()), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(Table, OperatorTest, testing::ValuesIn(rows()),
                         [](const auto& i) { return i.param.op + "_" + std::to_string(i.index); });

TEST(OperatorTable, EveryOperatorHasARow) {
  std::set<std::pair<std::string, std::string>> tested;
  for (const Row& row : rows()) tested.emplace(row.domain, row.op);
  for (const OperatorRow& row : operator_table()) {
    EXPECT_TRUE(tested.contains({std::string(row.domain), std::string(row.name)}))
        << row.name << " has no row in this test";
  }
}

// What does not fit together is a remark.

TEST(InferenceTest, MisfitsAreRemarks) {
  const Row misfits[] = {
      {"Add", {x({3}), x({4})}, {}, "sizes 3 and 4 do not broadcast"},
      {"MatMul", {x({2, 3}), x({4, 5})}, {}, "inner sizes differ: 3 and 4"},
      {"Conv", {x({1, 3, 7}), x({4, 2, 3})}, {}, "channels differ: 3 and 2"},
      {"Conv", {x({1, 3, 2}), x({4, 3, 3})}, {}, "the kernel is larger than the padded input"},
      {"Conv", {x({1, 3, 9}), x({4, 3, 3})}, {{"strides", Sizes{0}}}, "strides is out of range"},
      {"Conv", {x({1, 3, 9}), x({4, 3, 3})}, {{"dilations", Sizes{INT64_MAX}}}, "dilations is out of range"},
      {"Conv", {x({1, 3, 9}), x({4, 3, 3})}, {{"pads", Sizes{1}}}, "pads has the wrong length"},
      {"Reshape", {x({2, 3}), k({4, -1})}, {}, "the elements do not fit the new shape"},
      {"Reshape", {x({2, 3}), k({-1, -1})}, {}, "has -1 twice"},
      {"Transpose", {x({2, 3})}, {{"perm", Sizes{0, 0}}}, "no permutation"},
      {"Concat", {x({2, 3}), x({2, 4})}, {{"axis", TestValue(std::int64_t{0})}}, "differ: 3 and 4"},
      {"Flatten", {x({2, 3})}, {{"axis", TestValue(std::int64_t{5})}}, "axis is out of range"},
      {"Gather", {x({2, 3}), x({1}, P::INT64)}, {{"axis", TestValue(std::int64_t{INT64_MIN})}}, "is outside of 2 axes"},
      {"Slice", {x({9}), k({0}), k({9}), k({0}), k({0})}, {}, "a step is 0"},
      {"TopK", {x({9}), k({-5})}, {}, "negative size"},
      {"Resize",
       {x({1, 1 << 30}), none(), none(), k({INT64_MAX, 4})},
       {{"keep_aspect_ratio_policy", std::string("not_smaller")}},
       "out of range",
       18},
      {"ConvTranspose", {x({1, 3, 5}), x({3, 2, 3})}, {{"output_shape", Sizes{-9}}}, "negative size"},
      {"Tile", {x({1 << 20}), k({INT64_MAX})}, {}, "larger than any memory"},
      {"Range", {f({0}), f({1e38F}), f({1})}, {}, "longer than any memory"},
      {"ConstantOfShape", {k({INT64_MAX, INT64_MAX})}, {}, "larger than any memory"},
  };
  for (const Row& row : misfits) EXPECT_THAT(infer_row(row), HasSubstr(row.expected)) << row.op;
}

}  // namespace
}  // namespace assay::onnx_graph
