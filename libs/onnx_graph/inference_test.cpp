#include "onnx_graph/inference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::ElementsAre;
using Sizes = std::vector<std::int64_t>;

// Shape arithmetic.

TEST(InferenceTest, FollowsShapeArithmetic) {
  // How PyTorch exports x.view(x.size(0), -1, 4): the batch stays N through Shape, Gather, Unsqueeze and Concat.
  TestModel m;
  m.input("x", {-1, 6, 4}).integer("zero", 0).integers("axes", {0}).integers("rest", {-1}).integers("four", {4});
  m.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "zero"}, {"n"}).node("Unsqueeze", {"n", "axes"}, {"n1"});
  m.node("Concat", {"n1", "rest", "four"}, {"to"}, {{"axis", TestValue(std::int64_t{0})}});
  m.node("Reshape", {"x", "to"}, {"y"}).output("y");
  std::string bytes;
  const Model model = parse_kept(m, bytes);
  EXPECT_EQ(to_string(*infer(model).shape("y")), "N x 6 x 4");
  InferenceRequest request;
  request.inputs["x"] = {8, 6, 4};
  const Inference fixed = infer(model, request);
  EXPECT_EQ(to_string(*fixed.shape("y")), "8 x 6 x 4");
  EXPECT_THAT(fixed.known_integers("to").value(), ElementsAre(8, -1, 4));
}

TEST(InferenceTest, ComputesWithIntegers) {
  const auto result = [](const std::string& op, const Sizes& a, const Sizes& b) {
    TestModel m;
    m.integers("a", a).integers("b", b).node(op, {"a", "b"}, {"y"}).output("y");
    std::string bytes;
    const Model model = parse_kept(m, bytes);
    return infer(model).known_integers("y");
  };
  EXPECT_THAT(result("Add", {1, 2}, {10}).value(), ElementsAre(11, 12));
  EXPECT_THAT(result("Sub", {1}, {1, 2}).value(), ElementsAre(0, -1));
  EXPECT_THAT(result("Mul", {3, -2}, {4, 5}).value(), ElementsAre(12, -10));
  EXPECT_THAT(result("Div", {7, -7}, {2}).value(), ElementsAre(3, -3));
  EXPECT_THAT(result("Mod", {7, -7}, {3}).value(), ElementsAre(1, 2));
  EXPECT_THAT(result("Min", {3, 9}, {5}).value(), ElementsAre(3, 5));
  EXPECT_EQ(result("Div", {1}, {0}), std::nullopt);
  EXPECT_EQ(result("Div", {INT64_MIN}, {-1}), std::nullopt);
  EXPECT_EQ(result("Mul", {INT64_MAX}, {2}), std::nullopt);
}

TEST(InferenceTest, ExpandsAsPyTorchWritesIt) {
  // x.expand(-1, 5): where(shape == -1, ones, shape).
  TestModel m;
  m.input("x", {-1, 1}).integers("shape", {-1, 5}).integers("two", {2}).integers("minus", {-1});
  m.integers("one", {1}).node("Expand", {"one", "two"}, {"ones"}).node("Equal", {"shape", "minus"}, {"free"});
  m.node("Where", {"free", "ones", "shape"}, {"to"}).node("Expand", {"x", "to"}, {"y"}).output("y");
  std::string bytes;
  const Model model = parse_kept(m, bytes);
  EXPECT_EQ(to_string(*infer(model).shape("y")), "N x 5");
}

TEST(InferenceTest, UnknownOperatorsAreNamedAndDeclarationsBelieved) {
  TestModel m;
  m.input("x", {-1, 4})
      .node("Mystery", {"x"}, {"a"})
      .node("Relu", {"a"}, {"b"})
      .node("Mystery", {"b"}, {"y"})
      .output("y", {-1, 2});
  std::string bytes;
  const Model model = parse_kept(m, bytes);
  InferenceRequest request;
  request.inputs["x"] = {3, 4};
  const Inference inference = infer(model, request);
  EXPECT_THAT(inference.unknown_operators, ElementsAre("Mystery"));
  EXPECT_EQ(inference.shape("b"), nullptr);
  EXPECT_EQ(to_string(*inference.shape("y")), "3 x 2");  // N is 3 everywhere
}

TEST(InferenceTest, AHostileChainIsBounded) {
  // Ten thousand copies of a thousand integers: followed as far as memory is given for it, then no more.
  TestModel m;
  m.integers("v0", Sizes(1000, 7));
  for (int i = 0; i < 10'000; ++i) m.node("Identity", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)});
  m.output("v10000");
  std::string bytes;
  const Model model = parse_kept(m, bytes);
  const Inference inference = infer(model);
  EXPECT_TRUE(inference.known_integers("v1").has_value());
  EXPECT_FALSE(inference.known_integers("v10000").has_value());
}

}  // namespace
}  // namespace assay::onnx_graph
