// A convolution and the depthwise one that takes it, by bands of rows: against one after the other, to the last bit.
#include <gmock/gmock.h>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;

struct Bottleneck {
  const char* name;
  Shape x;                ///< batch, channels, height, width
  std::int64_t expanded;  ///< channels
  Shape window, strides = {1, 1}, dilations = {1, 1}, pads = {0, 0, 0, 0};
  Shape dense_strides = {1, 1};  ///< of the convolution before
};

void PrintTo(const Bottleneck& c, std::ostream* out) { *out << c.name; }  // NOLINT: gtest's name

const std::vector<Bottleneck> kBottlenecks = {
    {"three_by_three", {1, 16, 28, 28}, 96, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"three_by_three_with_strides", {2, 24, 29, 31}, 144, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {"five_by_five_of_odd_channels", {1, 17, 15, 13}, 57, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {"five_by_five_with_strides", {3, 40, 14, 14}, 80, {5, 5}, {2, 2}, {1, 1}, {1, 2, 2, 1}},
    {"strides_beyond_the_window", {1, 8, 20, 19}, 24, {2, 2}, {3, 3}},
    {"dilated", {2, 8, 17, 16}, 40, {3, 3}, {1, 1}, {3, 2}, {3, 2, 3, 2}},
    {"padding_of_whole_bands", {1, 8, 5, 6}, 20, {3, 3}, {1, 1}, {1, 1}, {6, 0, 7, 3}},
    {"a_row", {1, 8, 1, 33}, 16, {1, 5}, {1, 1}, {1, 1}, {0, 2, 0, 2}},
    {"strides_before", {1, 24, 19, 21}, 40, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {2, 1}},
    {"few_channels", {2, 3, 16, 20}, 32, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
};

/// A convolution of x, its SiLU, its depthwise convolution, and a ReLU of that and a number for each row.
struct ExpandedImage {
  explicit ExpandedImage(const Bottleneck& c)
      : shape(c.x), x(test::random_floats(static_cast<std::size_t>(count(c.x)), 5)) {
    const Shape w = {c.expanded, c.x[1], 1, 1}, d = {c.expanded, 1, c.window[0], c.window[1]};
    const auto floats = [&](const char* name, const Shape& s, unsigned seed) {
      m.floats(name, s, test::random_floats(static_cast<std::size_t>(count(s)), seed));
    };
    m.input("x", c.x);
    floats("w", w, 1);
    floats("b", {c.expanded}, 2);
    floats("d", d, 3);
    floats("e", {c.expanded}, 4);
    const std::int64_t reach = (c.window[0] - 1) * c.dilations[0] + 1;
    const std::int64_t from = (c.x[2] - 1) / c.dense_strides[0] + 1;
    floats("r", {1, 1, (from + c.pads[0] + c.pads[2] - reach) / c.strides[0] + 1, 1}, 6);
    m.node("Conv", {"x", "w", "b"}, {"c"}, {{"strides", c.dense_strides}})
        .node("Sigmoid", {"c"}, {"s"})
        .node("Mul", {"c", "s"}, {"silu"})
        .node("Conv", {"silu", "d", "e"}, {"z"},
              {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.expanded}})
        .node("Add", {"z", "r"}, {"a"})
        .node("Relu", {"a"}, {"y"})
        .output("y");
  }
  [[nodiscard]] Floats answer(const test::How& how) const { return test::answer(m, {{"x", shape}}, {x}, how); }

  Shape shape;
  Floats x;
  TestModel m;
};

class Bands : public testing::TestWithParam<std::tuple<Bottleneck, const char*>> {
 protected:
  void SetUp() override {
    if (const std::string why = test::why_not_here(std::get<1>(GetParam())); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_P(Bands, AreWhatOneAfterTheOtherIs) {
  const ExpandedImage c(std::get<0>(GetParam()));
  const test::How apart{std::get<1>(GetParam()), "bands"};
  const Floats wanted = c.answer(apart);
  constexpr std::int64_t kRow = 1, kSome = 1 << 15, kAll = 1 << 20;  // bytes of a cache for bands of so many rows
  for (const auto& [threads, l2] : {std::pair(1, kSome), {2, kRow}, {3, kSome}, {2, kAll}}) {
    test::How how = apart;
    how.threads = threads;
    how.l2_bytes = l2;
    how.after_passes = test::band_all;
    EXPECT_EQ(c.answer(how), wanted) << threads << " threads, " << l2 << " bytes";
  }
}

std::string name_of_bottleneck(const testing::TestParamInfo<std::tuple<Bottleneck, const char*>>& bottleneck) {
  return std::string(std::get<0>(bottleneck.param).name) + "_" + std::get<1>(bottleneck.param);
}
INSTANTIATE_TEST_SUITE_P(EachTarget, Bands,
                         testing::Combine(testing::ValuesIn(kBottlenecks), testing::Values("avx2", "avx512")),
                         name_of_bottleneck);

}  // namespace
}  // namespace assay::compiler
