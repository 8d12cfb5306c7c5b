// Convolutions of all kinds against their definition, for each width of vectors that this CPU has.
#include <gmock/gmock.h>

#include "compiler/algorithm.hpp"
#include "compiler/autotune.hpp"
#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;
using testing::FloatNear;
using testing::Pointwise;

struct Convolution {
  const char* name;
  Shape x, w;  ///< batch, channels, height, width; outputs, channels / groups, rows, columns
  Shape strides = {1, 1}, dilations = {1, 1}, pads = {0, 0, 0, 0};
  std::int64_t groups = 1;
};

void PrintTo(const Convolution& c, std::ostream* out) { *out << c.name; }  // NOLINT: gtest's name

struct Sizes {
  std::int64_t height, width;
};
Sizes output_of(const Convolution& c) {
  const auto size = [&](std::size_t k) {
    return (c.x[k + 2] + c.pads[k] + c.pads[k + 2] - (c.w[k + 2] - 1) * c.dilations[k] - 1) / c.strides[k] + 1;
  };
  return {size(0), size(1)};
}

/// By the definition, in double.
Floats expected(const Convolution& c, const Floats& x, const Floats& w, const Floats& b) {
  const Sizes out = output_of(c);
  const std::int64_t of_group = c.w[0] / c.groups;
  Floats y;
  for (std::int64_t n = 0; n < c.x[0]; ++n) {
    for (std::int64_t o = 0; o < c.w[0]; ++o) {
      for (std::int64_t r = 0; r < out.height; ++r) {
        for (std::int64_t q = 0; q < out.width; ++q) {
          double sum = b[static_cast<std::size_t>(o)];
          for (std::int64_t i = 0; i < c.w[1]; ++i) {
            for (std::int64_t kr = 0; kr < c.w[2]; ++kr) {
              for (std::int64_t kq = 0; kq < c.w[3]; ++kq) {
                const std::int64_t row = r * c.strides[0] + kr * c.dilations[0] - c.pads[0];
                const std::int64_t column = q * c.strides[1] + kq * c.dilations[1] - c.pads[1];
                if (row < 0 || row >= c.x[2] || column < 0 || column >= c.x[3]) continue;
                const std::int64_t channel = o / of_group * c.w[1] + i;
                sum += static_cast<double>(
                           x[static_cast<std::size_t>(((n * c.x[1] + channel) * c.x[2] + row) * c.x[3] + column)]) *
                       w[static_cast<std::size_t>(((o * c.w[1] + i) * c.w[2] + kr) * c.w[3] + kq)];
              }
            }
          }
          y.push_back(static_cast<float>(std::max(sum, 0.0)));
        }
      }
    }
  }
  return y;
}

const std::vector<Convolution> kConvolutions = {
    {"one_by_one", {2, 32, 7, 7}, {64, 32, 1, 1}},
    {"one_by_one_of_odd_channels", {3, 17, 5, 9}, {24, 17, 1, 1}},
    {"one_by_one_of_one_pixel", {1, 40, 1, 1}, {10, 40, 1, 1}},
    {"one_by_one_with_strides", {1, 32, 9, 9}, {48, 32, 1, 1}, {2, 2}},
    {"three_by_three", {1, 16, 14, 14}, {32, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"three_by_three_with_strides", {2, 16, 15, 13}, {80, 16, 3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {"first_layer", {1, 3, 33, 31}, {64, 3, 7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}},
    {"uneven_padding", {1, 20, 8, 11}, {33, 20, 2, 3}, {1, 1}, {1, 1}, {0, 2, 1, 0}},
    {"dilated", {1, 16, 12, 12}, {16, 16, 3, 3}, {1, 1}, {2, 3}, {2, 3, 2, 3}},
    {"wide", {1, 8, 3, 70}, {112, 8, 3, 5}, {1, 1}, {1, 1}, {1, 2, 1, 2}},
    {"depthwise", {2, 40, 14, 14}, {40, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 40},
    {"depthwise_five_with_strides", {1, 17, 15, 15}, {17, 1, 5, 5}, {2, 2}, {1, 1}, {1, 1, 2, 2}, 17},
    {"many_channels", {1, 64, 28, 28}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"many_channels_of_odd_size", {2, 72, 15, 17}, {96, 72, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"many_channels_of_few_pixels", {1, 256, 7, 7}, {64, 256, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"many_channels_without_padding", {1, 64, 14, 12}, {32, 64, 3, 3}},
    {"many_channels_with_wide_padding", {1, 64, 11, 12}, {32, 64, 3, 3}, {1, 1}, {1, 1}, {2, 0, 1, 2}},
    {"groups", {1, 12, 6, 6}, {8, 3, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 4},
    {"groups_of_four", {2, 128, 9, 7}, {128, 4, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 32},
    {"groups_of_eight_with_strides", {1, 64, 15, 13}, {64, 8, 3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 8},
    {"groups_of_four_and_half_a_block", {1, 24, 8, 11}, {24, 4, 2, 3}, {1, 1}, {2, 1}, {0, 2, 1, 0}, 6},
    {"groups_of_sixteen", {2, 64, 8, 8}, {64, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 4},
    {"groups_of_whole_blocks", {1, 96, 7, 9}, {192, 48, 3, 3}, {1, 1}, {1, 2}, {1, 2, 1, 2}, 2},
    {"groups_of_twelve", {1, 96, 6, 6}, {96, 12, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 8},
    {"groups_of_twelve_and_one_more", {1, 108, 6, 6}, {108, 12, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 9},
    {"groups_one_by_one", {3, 48, 5, 5}, {96, 24, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 2},
    {"groups_of_many_odd_channels", {1, 170, 6, 5}, {170, 85, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 2},
    {"groups_that_become_fewer", {1, 96, 6, 6}, {48, 6, 3, 3}, {2, 1}, {1, 1}, {1, 1, 1, 1}, 16},
    {"depthwise_with_two_outputs_each", {1, 6, 6, 6}, {12, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 6},
};

/// A convolution of random numbers, then ReLU.
struct Case {
  explicit Case(const Convolution& c) : shape(c.x), x(test::random_floats(static_cast<std::size_t>(count(c.x)), 1)) {
    const Floats w = test::random_floats(static_cast<std::size_t>(count(c.w)), 2);
    const Floats b = test::random_floats(static_cast<std::size_t>(c.w[0]), 3);
    m.input("x", c.x)
        .floats("w", c.w, w)
        .floats("b", {c.w[0]}, b)
        .node("Conv", {"x", "w", "b"}, {"c"},
              {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.groups}})
        .node("Relu", {"c"}, {"y"})
        .output("y");
    wanted = expected(c, x, w, b);
    bound = 2e-5F * *std::max_element(wanted.begin(), wanted.end());
  }
  [[nodiscard]] Floats answer(const test::How& how) const { return test::answer(m, {{"x", shape}}, {x}, how); }
  [[nodiscard]] Graph graph(const Target& target, std::string& bytes) const {
    Graph g = test::imported(m, {{"x", shape}}, bytes);
    run_passes(g, target, Math::kFast, "");
    return g;
  }

  Shape shape;
  Floats x, wanted;
  TestModel m;
  float bound = 0;
};

class Convolutions : public testing::TestWithParam<std::tuple<Convolution, const char*, Math>> {};

TEST_P(Convolutions, AgreeWithTheDefinition) {
  const auto& [c, target, math] = GetParam();
  if (const std::string why = test::why_not_here(target); !why.empty()) GTEST_SKIP() << why;
  const Case one(c);
  for (const std::int64_t l2_bytes : {0, 4096}) {  // in so small a cache rows are taken one by one
    if (l2_bytes != 0 && math == Math::kFast) continue;
    EXPECT_THAT(one.answer({.target = target, .math = math, .l2_bytes = l2_bytes}),
                Pointwise(FloatNear(one.bound), one.wanted));
  }
}

/// Over the general kernels, which leave out loops of one step: all that a sum is made of may be one product.
TEST(ConvolutionsOfOneProduct, HaveTheirBiasAndWhatFollows) {
  TestModel m;
  m.input("x", {1, 2, 3}).floats("w", {2, 1, 1}, {2, 3}).floats("b", {2}, {10, -5});
  m.node("Conv", {"x", "w", "b"}, {"c"}, {{"group", std::int64_t{2}}}).node("Relu", {"c"}, {"y"}).output("y");
  for (const char* without : {"", "fuse"}) {
    EXPECT_EQ(test::answer(m, {{"x", {1, 2, 3}}}, {{1, 2, -9, 1, 2, 3}}, {.without = without}),
              (Floats{12, 14, 0, 0, 1, 4}));
  }
}

class Schedules : public testing::TestWithParam<Convolution> {};

TEST_P(Schedules, AllThatMayBeMeasuredAgreeWithTheDefinition) {
  const Case one(GetParam());
  std::string bytes;
  const Target target = target_of("host");
  const Graph graph = one.graph(target, bytes);
  ASSERT_EQ(graph.nodes.size(), 1U);
  const std::vector<ConvSchedule> schedules = schedules_of(graph, graph.nodes[0], target, Math::kFast);
  EXPECT_GE(schedules.size(), 3U);
  for (const ConvSchedule& s : schedules) {
    const auto tuning = std::make_shared<Tuning>(Tuning{1, 1, {{problem_text(graph, graph.nodes[0]), {s}}}});
    EXPECT_THAT(one.answer({.math = Math::kFast, .tuning = tuning}), Pointwise(FloatNear(one.bound), one.wanted))
        << "F(" << s.m << ") of " << s.tiles << ", " << s.tile.tile << " x " << s.tile.vectors;
  }
}

TEST(Autotune, DoesNotMeasureWhatTheGeneralKernelsCompute) {
  TestModel m;
  m.input("x", {1, 32, 9, 9}).input("b", {32}).floats("w", {32, 32, 3, 3}, test::random_floats(32 * 32 * 9, 1));
  m.node("Conv", {"x", "w", "b"}, {"y"}).output("y");
  std::string bytes;
  const Graph graph = test::imported(m, {{"x", {1, 32, 9, 9}}, {"b", {32}}}, bytes);
  Team team(1, false);
  const Tuning found = autotune(graph, target_of("host"), Math::kFast, team, 60);
  EXPECT_EQ(found.problems, 0);
  EXPECT_TRUE(found.schedules.empty());
}

TEST(Autotune, MeasuresEachProblemOnceAndKeepsWhatIsFaster) {
  const Case one(kConvolutions[12]);  // 64 channels, 28 x 28
  std::string bytes;
  const Target target = target_of("host");
  Graph graph = one.graph(target, bytes);
  graph.nodes.push_back(graph.nodes[0]);  // the same problem again
  graph.nodes.back().output = graph.add(graph.value(graph.nodes[0].output));
  Team team(1, false);
  graph.nodes.push_back(graph.nodes[0]);  // computed with another: not to be measured alone
  std::get<Conv>(graph.nodes.back().operation).in_bands = true;
  std::get<Conv>(graph.nodes.back().operation).strides = {2, 2};
  const Tuning found = autotune(graph, target, Math::kFast, team, 60);
  EXPECT_EQ(found.problems, 1);
  EXPECT_EQ(found.measured, 1);
  EXPECT_LE(found.schedules.size(), 1U);
  for (const auto& [problem, tuned] : found.schedules) EXPECT_LT(tuned.ns, tuned.model_ns) << problem;
  EXPECT_EQ(autotune(graph, target, Math::kFast, team, 0).measured, 0);
}

std::string name_of_schedule(const testing::TestParamInfo<Convolution>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Some, Schedules,
                         testing::Values(kConvolutions[0], kConvolutions[5], kConvolutions[13], kConvolutions[14]),
                         name_of_schedule);

std::string name_of(const testing::TestParamInfo<std::tuple<Convolution, const char*, Math>>& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::get<1>(info.param) +
         (std::get<2>(info.param) == Math::kFast ? "_fast" : "_strict");
}
INSTANTIATE_TEST_SUITE_P(All, Convolutions,
                         testing::Combine(testing::ValuesIn(kConvolutions), testing::Values("avx512", "avx2"),
                                          testing::Values(Math::kStrict, Math::kFast)),
                         name_of);
/// Vectors of four floats, and no multiply-add: what a CPU without AVX2 computes with.
INSTANTIATE_TEST_SUITE_P(WithoutAVX2, Convolutions,
                         testing::Combine(testing::ValuesIn(kConvolutions), testing::Values("sse4"),
                                          testing::Values(Math::kFast)),
                         name_of);

}  // namespace
}  // namespace assay::compiler
