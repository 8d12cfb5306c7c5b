#include "onnx_graph/float16.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "assay/error.hpp"
#include "onnx_graph/inference.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A network's ends: y = relu(x W) + b.
TestModel dense() {
  TestModel m;
  m.input("x", {-1, 2}).floats("W", {2, 2}, {1, 2, 3, 4}).floats("b", {2}, {0.1F, 65504});
  m.node("MatMul", {"x", "W"}, {"h"}).node("Relu", {"h"}, {"r"}).node("Add", {"r", "b"}, {"y"});
  m.output("y", {-1, 2});
  return m;
}

class Float16 : public testing::Test {
 protected:
  /// What comes out, read.
  const Model& convert(const TestModel& m) {
    bytes_ = in_float16(parse_kept(m, given_));
    converted_ = parse(as_bytes(bytes_));
    const Inference types = infer(converted_, {{}, false});
    EXPECT_THAT(types.remarks, IsEmpty());
    for (const ValueInfo& output : converted_.graph.outputs) {
      EXPECT_EQ(types.type(output.name)->element, output.type.element) << output.name;
    }
    return converted_;
  }
  std::string refusal(const TestModel& m) {
    try {
      convert(m);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
      return e.message();
    }
    return "(converted)";
  }
  [[nodiscard]] std::vector<std::string> operators() const {
    std::vector<std::string> all;
    for (const Node& node : converted_.graph.nodes) all.push_back(node.op_type);
    return all;
  }
  std::string given_, bytes_;
  Model converted_;
};

TEST_F(Float16, IsWithinAndTheEndsStay) {
  const Model& m = convert(dense());
  EXPECT_THAT(operators(), ElementsAre("Cast", "MatMul", "Relu", "Add", "Cast"));
  EXPECT_EQ(m.graph.inputs.at(0).name, "x");
  EXPECT_EQ(m.graph.inputs.at(0).type.element, ElementType::kFloat32);
  EXPECT_EQ(to_string(*m.graph.inputs.at(0).type.shape), "N x 2");
  EXPECT_EQ(m.graph.outputs.at(0).name, "y");
  EXPECT_EQ(m.graph.outputs.at(0).type.element, ElementType::kFloat32);
  ASSERT_EQ(m.graph.initializers.size(), 2U);
  for (const Tensor& t : m.graph.initializers) EXPECT_EQ(t.type, ElementType::kFloat16) << t.name;
  EXPECT_THAT(m.graph.initializers[0].floats(), ElementsAre(1, 2, 3, 4));
  EXPECT_NEAR(m.graph.initializers[1].floats()[0], 0.1F, 1e-4F);
  EXPECT_EQ(m.graph.initializers[1].floats()[1], 65504);
  EXPECT_EQ(m.opset(), 17);
}

TEST_F(Float16, ProbabilitiesThatAreAnOutputAreMadeInFloat32) {
  TestModel m = dense();
  m.node("Softmax", {"y"}, {"p"}).node("Softmax", {"y"}, {"q"}).node("Relu", {"p"}, {"r2"}).node("Relu", {"q"}, {"s"});
  m.output("p", {-1, 2}).output("r2", {-1, 2}).output("s", {-1, 2});
  const Model& converted = convert(m);
  const Inference types = infer(converted, {{}, false});
  std::vector<ElementType> made;
  for (const Node& node : converted.graph.nodes) {
    if (node.op_type == "Softmax") made.push_back(types.type(node.outputs[0])->element);
  }
  EXPECT_THAT(made, ElementsAre(ElementType::kFloat32, ElementType::kFloat16));  // q is no output
}

TEST_F(Float16, OutputsMayBeUsedAgainOrBeInputsOrWeights) {
  TestModel m = dense();
  m.node("Relu", {"y"}, {"z"}).output("z", {-1, 2}).output("x", {-1, 2}).output("W", {2, 2});
  const Model& converted = convert(m);
  EXPECT_THAT(operators(), ElementsAre("Cast", "MatMul", "Relu", "Add", "Relu", "Cast", "Cast", "Cast"));
  ASSERT_EQ(converted.graph.outputs.size(), 4U);
  for (const ValueInfo& output : converted.graph.outputs) EXPECT_EQ(output.type.element, ElementType::kFloat32);
}

TEST_F(Float16, IntegersStayAndCastsFollow) {
  TestModel m;
  m.input("x", {-1, 2}).input("i", {-1, 2}, onnx::TensorProto::INT64).integers("shape", {-1});
  m.node("Cast", {"i"}, {"f"}, {{"to", std::int64_t{1}}}).node("Add", {"x", "f"}, {"s"});
  m.node("Reshape", {"s", "shape"}, {"y"}).output("y", {-1});
  m.node("Cast", {"i"}, {"k"}, {{"to", std::int64_t{7}}}).output("k", {-1, 2}, onnx::TensorProto::INT64);
  const Model& converted = convert(m);
  EXPECT_EQ(converted.graph.inputs.at(1).type.element, ElementType::kInt64);
  EXPECT_EQ(converted.graph.initializers.at(0).type, ElementType::kInt64);
  EXPECT_EQ(converted.graph.outputs.at(1).type.element, ElementType::kInt64);
}

TEST_F(Float16, ConstantsInNodesAreConverted) {
  TestModel m;
  m.input("x", {2});
  onnx::NodeProto* node = m.proto.mutable_graph()->add_node();
  node->set_op_type("Constant");
  node->add_output("c");
  onnx::AttributeProto* value = node->add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  value->mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
  value->mutable_t()->add_float_data(0.5F);
  m.node("Mul", {"x", "c"}, {"y"}).output("y", {2});
  const Model& converted = convert(m);
  const Tensor* tensor = converted.graph.nodes.at(1).attribute<Tensor>("value");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->type, ElementType::kFloat16);
  EXPECT_THAT(tensor->floats(), ElementsAre(0.5F));
}

TEST_F(Float16, WhatIsNotKnownToBeTheSameIsRefusedByName) {
  const auto changed = [](const std::function<void(TestModel&)>& change) {
    TestModel m = dense();
    change(m);
    return m;
  };
  struct Row {
    TestModel model;
    std::string said;
  };
  for (const Row& row :
       {Row{changed([](TestModel& m) { m.node("LRN", {"y"}, {"z"}, {{"size", std::int64_t{3}}}); }), "LRN"},
        {changed([](TestModel& m) {
           for (const char* z : {"z1", "z2"}) m.node("LRN", {"y"}, {z}, {{"size", std::int64_t{3}}});
         }),
         "float16: LRN node \"z1\", LRN node \"z2\""},
        {changed([](TestModel& m) {
           for (int i = 0; i < 12; ++i) m.node("LRN", {"y"}, {"z" + std::to_string(i)}, {{"size", std::int64_t{3}}});
         }),
         " and 2 more"},
        {changed([](TestModel& m) {
           m.node("Relu", {"y"}, {"z"});
           m.proto.mutable_graph()->mutable_node(3)->set_domain("com.example");
         }),
         "com.example"},
        {changed([](TestModel& m) { m.floats("big", {1}, {1e6F}); }), "float16 ends at 65504"},
        {changed([](TestModel& m) { m.input("d", {2}, onnx::TensorProto::DOUBLE); }), "float64"},
        {changed([](TestModel& m) { m.node("Cast", {"y"}, {"z"}, {{"to", std::int64_t{11}}}); }), "float64"},
        {changed([](TestModel& m) { m.node("Constant", {}, {"z"}, {{"value_float", 1.0F}}); }), "value_float"}}) {
    EXPECT_THAT(refusal(row.model),
                testing::AllOf(StartsWith("the model is not converted to float16: "), HasSubstr(row.said)));
  }
}

}  // namespace
}  // namespace assay::onnx_graph
