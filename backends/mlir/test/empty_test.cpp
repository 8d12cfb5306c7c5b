// Tensors without elements, as ONNX allows them: what is computed of nothing is what the definition says of it.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

struct EmptyCase {
  const char* name;
  Shape x;
  std::function<void(TestModel&)> nodes_to_y;
  Floats expected;
  Shape z = {};  ///< of a second input, where it has axes
};
void PrintTo(const EmptyCase& c, std::ostream* out) { *out << c.name; }  // NOLINT: gtest's name

class Empty : public testing::TestWithParam<std::tuple<EmptyCase, const char*>> {};

TEST_P(Empty, IsComputedAsDefined) {
  const auto& [c, target] = GetParam();
  if (const std::string why = test::why_not_here(target); !why.empty()) GTEST_SKIP() << why;
  TestModel m;
  std::map<std::string, Shape> shapes = {{"x", c.x}};
  std::vector<Floats> inputs = {Floats(static_cast<std::size_t>(count(c.x)), 1)};
  m.input("x", c.x);
  if (!c.z.empty()) {
    m.input("z", c.z);
    shapes["z"] = c.z;
    inputs.emplace_back(static_cast<std::size_t>(count(c.z)), 1);
  }
  c.nodes_to_y(m);
  m.output("y");
  for (const char* without : {"", "layout"}) {
    const Floats y = test::answer(m, shapes, inputs, {.target = target, .without = without});
    ASSERT_EQ(y.size(), c.expected.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_TRUE(y[i] == c.expected[i] || (std::isnan(y[i]) && std::isnan(c.expected[i])))
          << y[i] << " at " << i << ", not " << c.expected[i];
    }
  }
}

std::function<void(TestModel&)> node(const std::string& op, const std::vector<std::string>& inputs,
                                     const onnx_graph::TestAttributes& attributes = {}) {
  return [=](TestModel& m) { m.node(op, inputs, {"y"}, attributes); };
}

std::function<void(TestModel&)> with(const std::string& weights, const Shape& shape,
                                     const std::function<void(TestModel&)>& rest) {
  return [=](TestModel& m) {
    m.floats(weights, shape, Floats(static_cast<std::size_t>(count(shape)), 0.5F));
    rest(m);
  };
}

std::vector<EmptyCase> empty_images() {
  const auto conv = node("Conv", {"x", "w", "b"}, {{"pads", Shape(4, 1)}});
  const auto of = [&](const Shape& w) { return with("w", w, with("b", {w[0]}, conv)); };
  const auto pool = [](const char* op) {
    return node(op, {"x"}, {{"kernel_shape", Shape{2, 2}}, {"pads", Shape(4, 1)}});
  };
  return {{"conv_no_batch", {0, 16, 4, 4}, of({16, 16, 3, 3}), {}},
          {"conv_no_channels", {1, 0, 4, 4}, of({16, 0, 3, 3}), Floats(256, 0.5F)},
          {"conv_no_channels_of_two", {2, 0, 4, 4}, of({3, 0, 1, 1}), Floats(216, 0.5F)},
          {"conv_no_outputs", {1, 16, 4, 4}, of({0, 16, 3, 3}), {}},
          {"conv_border_alone", {1, 4, 0, 2}, of({2, 4, 2, 2}), Floats(6, 0.5F)},
          {"global_average_pool", {1, 4, 0, 5}, node("GlobalAveragePool", {"x"}), Floats(4, kNaN)},
          {"global_max_pool", {1, 4, 0, 5}, node("GlobalMaxPool", {"x"}), Floats(4, -kInfinity)},
          {"max_pool_of_a_border", {1, 1, 0, 1}, pool("MaxPool"), Floats(2, -kInfinity)},
          {"average_pool_of_a_border", {1, 1, 0, 1}, pool("AveragePool"), Floats(2, 0)}};
}

std::vector<EmptyCase> empty_matrices() {
  const auto product = node("MatMul", {"x", "z"}), by_weights = node("MatMul", {"x", "w"});
  return {
      {"matmul_no_depth", {2, 0}, product, Floats(32, 0), {0, 16}},
      {"matmul_no_depth_narrow", {2, 0}, product, Floats(6, 0), {0, 3}},
      {"matmul_stack_no_depth", {3, 2, 0}, product, Floats(96, 0), {3, 0, 16}},
      {"matmul_empty_stack", {0, 2, 5}, product, {}, {0, 5, 16}},
      {"matmul_no_columns", {2, 5}, product, {}, {5, 0}},
      {"matmul_weights_no_depth", {2, 0}, with("w", {0, 16}, by_weights), Floats(32, 0)},
      {"matmul_weights_no_rows", {0, 32}, with("w", {32, 16}, by_weights), {}},
      {"gemm_no_depth", {2, 0}, with("w", {0, 8}, with("b", {8}, node("Gemm", {"x", "w", "b"}))), Floats(16, 0.5F)}};
}

std::vector<EmptyCase> empty_pieces() {
  const auto reduced = [](const char* op) { return node(op, {"x"}, {{"axes", Shape{1}}}); };
  return {
      {"sum", {2, 0, 3}, [](TestModel& m) { m.integers("a", {1}).node("ReduceSum", {"x", "a"}, {"y"}); }, Floats(6, 0)},
      {"product", {2, 0, 3}, reduced("ReduceProd"), Floats(6, 1)},
      {"maximum", {2, 0, 3}, reduced("ReduceMax"), Floats(6, -kInfinity)},
      {"mean", {2, 0, 3}, reduced("ReduceMean"), Floats(6, kNaN)},
      {"softmax", {2, 0}, node("Softmax", {"x"}), {}},
      {"concat", {2, 0}, node("Concat", {"z", "x", "z"}, {{"axis", std::int64_t{1}}}), Floats(4, 1), {2, 1}},
      {"concat_of_nothing", {0, 2}, node("Concat", {"x", "x"}, {{"axis", std::int64_t{1}}}), {}},
      {"pad", {0, 2}, [](TestModel& m) { m.integers("p", {1, 0, 1, 0}).node("Pad", {"x", "p"}, {"y"}); }, Floats(4, 0)},
      {"reshape",
       {0, 6},
       [](TestModel& m) { m.integers("s", {0, 2, 3}).node("Reshape", {"x", "s"}, {"r"}).node("Relu", {"r"}, {"y"}); },
       {}},
      {"transpose", {2, 0, 3}, node("Transpose", {"x"}), {}},
      {"broadcast", {2, 0}, node("Add", {"x", "z"}), {}, {2, 1}}};
}

std::string name_of_case(const testing::TestParamInfo<Empty::ParamType>& p) {
  return std::string(std::get<0>(p.param).name) + "_" + std::get<1>(p.param);
}

INSTANTIATE_TEST_SUITE_P(Images, Empty,
                         testing::Combine(testing::ValuesIn(empty_images()), testing::Values("host", "avx2")),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(Matrices, Empty,
                         testing::Combine(testing::ValuesIn(empty_matrices()), testing::Values("host", "avx2")),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(Pieces, Empty,
                         testing::Combine(testing::ValuesIn(empty_pieces()), testing::Values("host", "avx2")),
                         name_of_case);

}  // namespace
}  // namespace assay::compiler
