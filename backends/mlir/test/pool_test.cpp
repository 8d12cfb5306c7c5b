// Sums over an image that the convolution which computes it begins: against sums of what it gives, in double precision.
#include <gmock/gmock.h>

#include <cmath>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;

struct SummedImage {
  const char* name;
  Shape x;  ///< batch, channels, height, width
  Shape window, strides = {1, 1}, pads = {0, 0, 0, 0};
  std::int64_t outputs = 0;  ///< 0: depthwise, behind an expansion to 57 channels
  bool is_long = false;      ///< SiLU and a number for each row, which wait in memory for their turn
};

void PrintTo(const SummedImage& c, std::ostream* out) { *out << c.name; }  // NOLINT: gtest's name

constexpr std::int64_t kDepthwise = 57;

const std::vector<SummedImage> kSummed = {
    {"three_by_three", {1, 16, 28, 28}, {3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"tiles_that_overlap", {2, 20, 9, 31}, {3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"tiles_that_overlap_of_long_expressions", {2, 20, 9, 31}, {3, 3}, {1, 1}, {1, 1, 1, 1}, 0, true},
    {"strides", {3, 17, 29, 63}, {3, 3}, {2, 2}, {1, 1, 1, 1}},
    {"strides_of_long_expressions", {3, 17, 28, 63}, {5, 5}, {2, 2}, {1, 2, 2, 1}, 0, true},
    {"small_five_by_five", {2, 24, 7, 7}, {5, 5}, {1, 1}, {2, 2, 2, 2}, 0, true},
    {"one_row", {2, 8, 1, 33}, {1, 5}, {1, 1}, {0, 2, 0, 2}},
    {"one_column", {1, 8, 33, 1}, {5, 1}, {1, 1}, {2, 0, 2, 0}},
    {"one_pixel", {2, 24, 3, 3}, {3, 3}},
    {"dense_three_by_three", {2, 20, 9, 29}, {3, 3}, {1, 1}, {1, 1, 1, 1}, 40},
    {"dense_of_long_expressions", {2, 20, 9, 29}, {3, 3}, {2, 1}, {1, 1, 1, 1}, 100, true},
    {"dense_one_by_one", {1, 40, 7, 7}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 72},
    {"dense_one_by_one_of_samples", {3, 40, 7, 7}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 72},
};

/// Two outputs, the one first that is asked for: an image y and its sums s.
TestModel summed_model(const SummedImage& c, const char* first, const char* second) {
  TestModel m;
  const bool depthwise = c.outputs == 0;
  const std::int64_t outputs = depthwise ? kDepthwise : c.outputs;
  const auto floats = [&](const char* name, const Shape& s, unsigned seed) {
    m.floats(name, s, test::random_floats(static_cast<std::size_t>(count(s)), seed));
  };
  m.input("x", c.x).integers("space", {2, 3});
  if (depthwise) {
    floats("v", {outputs, c.x[1], 1, 1}, 1);
    m.node("Conv", {"x", "v"}, {"e"});
  }
  floats("w", {outputs, depthwise ? 1 : c.x[1], c.window[0], c.window[1]}, 2);
  floats("b", {outputs}, 3);
  const std::int64_t rows = (c.x[2] + c.pads[0] + c.pads[2] - c.window[0]) / c.strides[0] + 1;
  floats("r", {1, 1, rows, 1}, 4);
  m.node("Conv", {depthwise ? "e" : "x", "w", "b"}, {"c"},
         {{"strides", c.strides}, {"pads", c.pads}, {"group", depthwise ? outputs : std::int64_t{1}}});
  if (c.is_long) {
    m.node("Sigmoid", {"c"}, {"g"}).node("Mul", {"c", "g"}, {"silu"}).node("Add", {"silu", "r"}, {"y"});
  } else {
    m.node("Relu", {"c"}, {"y"});
  }
  return m.node("ReduceSum", {"y", "space"}, {"s"}).output(first).output(second);
}

class Pooled : public testing::TestWithParam<std::tuple<SummedImage, const char*>> {
 protected:
  void SetUp() override {
    if (const std::string why = test::why_not_here(std::get<1>(GetParam())); !why.empty()) GTEST_SKIP() << why;
  }
};

/// Of each sample and channel, within what rounding of so many sums may be.
void expect_sums(const Floats& sums, const Floats& image) {
  const std::size_t pixels = image.size() / sums.size();
  for (std::size_t i = 0; i < sums.size(); ++i) {
    double sum = 0, size = 0;
    for (std::size_t p = 0; p < pixels; ++p) {
      sum += image[i * pixels + p];
      size += std::abs(image[i * pixels + p]);
    }
    EXPECT_NEAR(sums[i], sum, 1e-6 * size) << "sample and channel " << i;
  }
}

TEST_P(Pooled, IsTheSumOfTheImageThatIsStored) {
  const auto& [c, target] = GetParam();
  const std::vector<Floats> x = {test::random_floats(static_cast<std::size_t>(count(c.x)), 5)};
  const auto answer = [&, &c = c](const char* first, const char* second, const test::How& how) {
    return test::answer(summed_model(c, first, second), {{"x", c.x}}, x, how);
  };
  test::How how{target, "bands,split,pool"};
  const Floats image = answer("y", "s", how);
  how.without = "bands,split";
  how.threads = 1;
  EXPECT_EQ(answer("y", "s", how), image);
  const Floats sums = answer("s", "y", how);
  expect_sums(sums, image);
  how.threads = 3;
  EXPECT_EQ(answer("s", "y", how), sums);
  if (c.outputs != 0) return;
  how.after_passes = test::band_all;
  constexpr std::int64_t kRow = 1, kSome = 1 << 15, kAll = 1 << 20;  // bytes of a cache for bands of so many rows
  for (const auto& [threads, l2] : {std::pair(1, kSome), {2, kRow}, {3, kAll}}) {
    how.threads = threads;
    how.l2_bytes = l2;
    EXPECT_EQ(answer("s", "y", how), sums) << threads << " threads, " << l2 << " bytes";
  }
  EXPECT_EQ(answer("y", "s", how), image);
}

std::string name_of_summed(const testing::TestParamInfo<std::tuple<SummedImage, const char*>>& summed) {
  return std::string(std::get<0>(summed.param).name) + "_" + std::get<1>(summed.param);
}
INSTANTIATE_TEST_SUITE_P(EachTarget, Pooled,
                         testing::Combine(testing::ValuesIn(kSummed), testing::Values("avx2", "avx512")),
                         name_of_summed);

/// The steps that compute sums of rows have two outputs, of which neither may be left in the arena.
TEST(Pooled, OfWhatDependsOnConstantsAloneIsComputedOnce) {
  constexpr std::int64_t kChannels = 20;
  const Shape x = {1, kChannels, 1, 1}, image = {1, kChannels, 9, 11};
  const auto answer = [&](const char* without) {
    TestModel m;
    m.input("x", x).integers("space", {2, 3});
    m.floats("c", image, test::random_floats(static_cast<std::size_t>(count(image)), 1));
    m.floats("w", {kChannels, 1, 3, 3}, test::random_floats(kChannels * 9, 2));
    m.node("Conv", {"c", "w"}, {"y"}, {{"group", kChannels}})
        .node("ReduceSum", {"y", "space"}, {"s"})
        .node("Mul", {"x", "s"}, {"z"})
        .output("z");
    return test::answer(m, {{"x", x}}, {Floats(kChannels, 1)}, {.without = without});
  };
  EXPECT_THAT(answer(""), testing::Pointwise(testing::FloatNear(1e-4F), answer("pool")));
}

}  // namespace
}  // namespace assay::compiler
