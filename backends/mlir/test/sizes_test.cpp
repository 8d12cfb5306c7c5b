// Sizes that no network has, each by itself: an error, or kernels of a length that does not grow with them.
#include <gmock/gmock.h>

#include "test/stages.hpp"

namespace assay::compiler {
namespace {

using test::Layer;

struct Extreme {
  const char* name;
  Shape x, w;
  std::int64_t groups = 1;
};
void PrintTo(const Extreme& e, std::ostream* out) { *out << e.name; }  // NOLINT: gtest's name

class Extremes : public testing::TestWithParam<std::tuple<Extreme, const char*>> {};

TEST_P(Extremes, AreComputedByKernelsOfOrdinaryLength) {
  const auto& [e, target] = GetParam();
  constexpr std::size_t kMostText = std::size_t{1} << 20, kMostSteps = 64;
  for (const Math math : {Math::kStrict, Math::kFast}) {
    const Layer layer = test::conv_relu(e.x, e.w, 0, e.groups, math);
    const Plan plan = test::stages_of(layer, feature_level(target)).plan;
    EXPECT_LE(plan.steps.size(), kMostSteps);
    for (const KernelText& kernel : plan.kernels) EXPECT_LE(kernel.text.size(), kMostText);
  }
}

std::vector<Extreme> extremes() {
  constexpr std::int64_t kMany = 1 << 18;
  return {{"channels", {1, kMany, 1, 4}, {2, kMany, 1, 1}},
          {"outputs", {1, 2, 1, 4}, {kMany, 2, 1, 1}},
          {"depthwise", {1, kMany, 1, 4}, {kMany, 1, 1, 1}, kMany},
          {"groups", {1, kMany, 2, 2}, {kMany, 4, 1, 1}, kMany / 4},
          {"uneven_groups", {1, 3 * kMany, 1, 4}, {kMany, 3, 1, 1}, kMany},
          {"large_groups", {1, 3000, 1, 4}, {300, 1500, 1, 1}, 2},
          {"window", {1, 1, 600, 600}, {2, 1, 512, 512}},
          {"window_of_many_channels", {1, 64, 130, 130}, {16, 64, 128, 128}},
          {"window_of_columns", {1, 8, 1, 20000}, {8, 8, 1, 10000}},
          {"depthwise_window", {1, 16, 1, 20000}, {16, 1, 1, 10000}, 16},
          {"depthwise_window_of_rows", {1, 16, 20000, 1}, {16, 1, 10000, 1}, 16},
          {"window_of_groups", {1, 8, 1, 20000}, {8, 2, 1, 10000}, 4},
          {"samples", {100000, 1, 1, 1}, {1, 1, 1, 1}}};
}

INSTANTIATE_TEST_SUITE_P(All, Extremes,
                         testing::Combine(testing::ValuesIn(extremes()), testing::Values("avx512", "avx2")),
                         [](const auto& p) {
                           return std::string(std::get<0>(p.param).name) + "_" + std::get<1>(p.param);
                         });

TEST(Sizes, ManyNodesAreOneStepWhereTheyAreFused) {
  constexpr int kNodes = 20000;
  const Layer layer = test::layer_of({4}, [](test::TestModel& m) {
    std::string from = "x";
    for (int i = 0; i < kNodes; ++i) {
      const std::string to = i + 1 == kNodes ? "y" : "v" + std::to_string(i);
      m.node(i % 2 == 0 ? "Relu" : "Abs", {from}, {to});
      from = to;
    }
  });
  EXPECT_LE(test::stages_of(layer, feature_level("avx2")).plan.steps.size(), kNodes / 32);
}

/// Of attributes that are numbers of 64 bits, whose products are none.
TEST(Sizes, StepsAndPaddingThatNoMemoryHoldsAreErrors) {
  for (const std::int64_t huge : {std::int64_t{1} << 31, INT64_MAX / 2, INT64_MAX, INT64_MIN}) {
    for (const char* attribute : {"strides", "dilations", "pads", "output_padding"}) {
      for (const char* op : {"Conv", "ConvTranspose", "MaxPool", "AveragePool"}) {
        if (std::string(attribute) == "output_padding" && std::string(op) != "ConvTranspose") continue;
        const bool is_pool = std::string(op).ends_with("Pool");
        onnx_graph::TestAttributes its = {{attribute, Shape(std::string(attribute) == "pads" ? 4 : 2, huge)}};
        if (is_pool) its.emplace_back("kernel_shape", Shape{2, 2});
        Layer layer{test::TestModel(19), {{"x", {1, 2, 4, 4}}}};
        layer.model.input("x", {1, 2, 4, 4}).weights("w", {2, 2, 2, 2});
        layer.model.node(op, is_pool ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "w"}, {"y"}, its);
        layer.model.output("y", {1, 2, 4, 4});  // declared, where inference finds that nothing fits
        EXPECT_THROW((void)test::stages_of(layer, feature_level("avx2")), Unsupported)
            << op << " " << attribute << huge;
      }
    }
  }
}

/// What lies in the padding is not counted one by one.
TEST(Sizes, AnAverageOverAHugeWindowIsCountedAtOnce) {
  constexpr std::int64_t kWindow = std::int64_t{1} << 30;
  const Layer layer = test::layer_of({1, 1, 4, 4}, [&](test::TestModel& m) {
    m.node("AveragePool", {"x"}, {"y"}, {{"kernel_shape", Shape{1, kWindow}}, {"pads", Shape{0, kWindow, 0, 0}}});
  });
  EXPECT_EQ(test::stages_of(layer, feature_level("avx2")).plan.outputs.at(0).shape, (Shape{1, 1, 4, 5}));
}

/// Windows of three places, two apart, that begin three before an axis of five, and end as far behind it.
TEST(Sizes, AnAverageIsOverThePlacesOfItsWindowInTheImage) {
  Layer layer{test::TestModel(19), {{"x", {1, 1, 1, 5}}}};
  layer.model.input("x", {1, 1, 1, 5})
      .node("AveragePool", {"x"}, {"y"},
            {{"kernel_shape", Shape{1, 3}}, {"dilations", Shape{1, 2}}, {"pads", Shape{0, 3, 0, 3}}})
      .output("y");
  const Plan plan = test::stages_of(layer, feature_level("avx2"), "layout").plan;
  std::vector<float> shares;
  for (const Buffer& b : plan.buffers) {
    if (b.place != Buffer::Place::kConstant) continue;
    for (std::size_t i = 0; i < b.constant->size() / sizeof(float); ++i) shares.push_back(b.constant->at<float>(i));
  }
  EXPECT_THAT(shares, testing::ElementsAre(1, 0.5F, 0.5F, 1.0F / 3, 0.5F, 0.5F, 1));
}

}  // namespace
}  // namespace assay::compiler
