// Factors of channels in the weights of the convolution that takes the product, against the product computed apart.
#include <gmock/gmock.h>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;

struct ScaledConvolution {
  const char* name;
  Shape x;  ///< batch, channels, height, width
  std::int64_t outputs;
  Shape strides = {1, 1};
  bool factors_first = false;
  bool residual = false;
};

void PrintTo(const ScaledConvolution& c, std::ostream* out) { *out << c.name; }  // NOLINT: gtest's name

const std::vector<ScaledConvolution> kScaled = {
    {"one_sample", {1, 32, 9, 11}, 16},
    {"samples", {3, 40, 7, 8}, 24, {1, 1}, true},
    {"odd_channels", {2, 17, 6, 5}, 21, {1, 1}, false, true},
    {"many_groups", {2, 24, 12, 12}, 336, {1, 1}, false, true},
    {"strides", {4, 19, 9, 9}, 33, {2, 3}},
    {"three_channels", {2, 3, 8, 8}, 10},
};

/// The factors are the model's second input.
TestModel scaled_model(const ScaledConvolution& c) {
  TestModel m;
  const Shape w = {c.outputs, c.x[1], 1, 1};
  m.input("x", c.x)
      .input("f", {c.x[0], c.x[1], 1, 1})
      .floats("w", w, test::random_floats(static_cast<std::size_t>(count(w)), 1))
      .floats("b", {c.outputs}, test::random_floats(static_cast<std::size_t>(c.outputs), 2))
      .node("Relu", {"x"}, {"r"})
      .node("Sigmoid", {"f"}, {"s"})
      .node("Mul", c.factors_first ? std::vector<std::string>{"s", "r"} : std::vector<std::string>{"r", "s"}, {"p"})
      .node("Conv", {"p", "w", "b"}, {"c"}, {{"strides", c.strides}});
  if (!c.residual) return m.output("c");
  const Shape v = {c.outputs, c.x[1], 1, 1};
  return m.floats("v", v, test::random_floats(static_cast<std::size_t>(count(v)), 3))
      .node("Conv", {"r", "v"}, {"d"})
      .node("Add", {"c", "d"}, {"y"})
      .output("y");
}

/// Wherever it can be so, whatever the model of cycles says; at least once.
void scale_all(Graph& graph) {
  int marked = 0;
  for (Node& product : graph.nodes) {
    for (const Node& conv : graph.nodes) {
      if (!std::holds_alternative<Conv>(conv.operation) || !can_scale_weights(graph, product, conv)) continue;
      std::get<Map>(product.operation).into_weights = true;
      ++marked;
    }
  }
  EXPECT_GT(marked, 0);
}

class Scale : public testing::TestWithParam<std::tuple<ScaledConvolution, const char*>> {};

TEST_P(Scale, OfWeightsIsThatOfImages) {
  const auto& [c, target] = GetParam();
  if (const std::string why = test::why_not_here(target); !why.empty()) GTEST_SKIP() << why;
  const TestModel m = scaled_model(c);
  const Shape f = {c.x[0], c.x[1], 1, 1};
  const std::vector<Floats> inputs = {test::random_floats(static_cast<std::size_t>(count(c.x)), 5),
                                      test::random_floats(static_cast<std::size_t>(count(f)), 6)};
  test::How how{target, "fuse,split,scale"};  // else the ReLU would be one map with the product
  const Floats wanted = test::answer(m, {{"x", c.x}, {"f", f}}, inputs, how);
  how.after_passes = scale_all;
  for (const int threads : {1, 2, 3}) {
    how.threads = threads;
    how.l2_bytes = threads == 2 ? 4096 : 0;  // in so small a cache rows are taken one by one
    EXPECT_THAT(test::answer(m, {{"x", c.x}, {"f", f}}, inputs, how), Pointwise(FloatNear(1e-5F), wanted));
  }
}

std::string name_of_scaled(const testing::TestParamInfo<std::tuple<ScaledConvolution, const char*>>& convolution) {
  return std::string(std::get<0>(convolution.param).name) + "_" + std::get<1>(convolution.param);
}
INSTANTIATE_TEST_SUITE_P(EachTarget, Scale,
                         testing::Combine(testing::ValuesIn(kScaled), testing::Values("avx2", "avx512")),
                         name_of_scaled);

/// The whole of an inverted bottleneck: expansion in bands, factors of the depthwise answer's means, projection.
TEST(Scale, AndBandsOfAWholeBlockAreWhatTheyAreApart) {
  constexpr std::int64_t kChannels = 12, kExpanded = 72, kSize = 13;
  const Shape x = {2, kChannels, kSize, kSize};
  TestModel m;
  const auto floats = [&](const char* name, const Shape& s, unsigned seed) {
    m.floats(name, s, test::random_floats(static_cast<std::size_t>(count(s)), seed));
  };
  m.input("x", x);
  floats("e", {kExpanded, kChannels, 1, 1}, 1);
  floats("d", {kExpanded, 1, 5, 5}, 2);
  floats("q", {6, kExpanded, 1, 1}, 3);
  floats("u", {kExpanded, 6, 1, 1}, 4);
  floats("p", {kChannels, kExpanded, 1, 1}, 5);
  m.node("Conv", {"x", "e"}, {"expanded"})
      .node("Relu", {"expanded"}, {"r"})
      .node("Conv", {"r", "d"}, {"deep"}, {{"group", kExpanded}, {"pads", Shape{2, 2, 2, 2}}})
      .node("GlobalAveragePool", {"deep"}, {"mean"})
      .node("Conv", {"mean", "q"}, {"squeezed"})
      .node("Conv", {"squeezed", "u"}, {"excited"})
      .node("Sigmoid", {"excited"}, {"factors"})
      .node("Mul", {"deep", "factors"}, {"scaled"})
      .node("Conv", {"scaled", "p"}, {"projected"})
      .node("Add", {"projected", "x"}, {"y"})
      .output("y");
  const std::vector<Floats> inputs = {test::random_floats(static_cast<std::size_t>(count(x)), 6)};
  test::How how{"host", "scale,bands"};
  const Floats wanted = test::answer(m, {{"x", x}}, inputs, how);
  const float most = *std::max_element(wanted.begin(), wanted.end());
  how.after_passes = [](Graph& graph) {
    scale_all(graph);
    for (Node& n : graph.nodes) {
      for (const Node& taker : graph.nodes) {
        if (can_be_in_bands(graph, n, taker)) std::get<Conv>(n.operation).in_bands = true;
      }
    }
    EXPECT_THAT(to_text(graph), HasSubstr("in bands"));
  };
  EXPECT_THAT(test::answer(m, {{"x", x}}, inputs, how), Pointwise(FloatNear(1e-5F * most), wanted));
}

/// What the pass does of 32 channels to so many outputs, of images of so many rows and columns.
std::string after_scale(std::int64_t size, std::int64_t outputs, std::int64_t samples = 1) {
  std::string bytes;
  const TestModel m = scaled_model({"", {samples, 32, size, size}, outputs});
  Graph graph = test::imported(m, {{"x", {samples, 32, size, size}}, {"f", {samples, 32, 1, 1}}}, bytes);
  run_passes(graph, {}, Math::kFast, "fuse,split");
  return to_text(graph);
}

TEST(Scale, IsOfImagesOfMorePixelsThanOutputs) {
  EXPECT_THAT(after_scale(28, 40), HasSubstr("into weights"));
  EXPECT_THAT(after_scale(7, 192), Not(HasSubstr("into weights")));
  EXPECT_THAT(after_scale(8, 320, 2048), Not(HasSubstr("into weights")));  // neither fits a cache: five times as much
}

}  // namespace
}  // namespace assay::compiler
