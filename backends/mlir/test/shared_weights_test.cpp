// One session asked for batches of several sizes: its weights are there once, and its answers are the same.
#include <gmock/gmock.h>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;
using testing::FloatNear;
using testing::Pointwise;

constexpr std::int64_t kSide = 12, kChannels = 16, kWide = 48, kClasses = 64;

/// Convolutions by all methods, with a normalization that goes into their weights, then a product.
TestModel network() {
  const auto some = [](std::int64_t n, unsigned seed, float by) {
    Floats values = test::random_floats(static_cast<std::size_t>(n), seed);
    for (float& v : values) v *= by;
    return values;
  };
  TestModel m;
  const Shape one = {1, 1, 1, 1};
  m.input("x", {-1, kChannels, kSide, kSide})
      .floats("w1", {kWide, kChannels, 3, 3}, some(kWide * kChannels * 9, 1, 0.2F))
      .floats("w2", {kWide, kWide, 1, 1}, some(kWide * kWide, 2, 0.2F))
      .floats("w3", {kWide, 1, 3, 3}, some(kWide * 9, 3, 0.5F))
      .floats("w4", {kWide, kWide, 3, 3}, some(kWide * kWide * 9, 4, 0.1F))
      .floats("w5", {kClasses, kWide}, some(kClasses * kWide, 5, 0.2F))
      .floats("b5", {kClasses}, some(kClasses, 6, 1))
      .floats("scale", {kWide}, some(kWide, 7, 2))
      .floats("shift", {kWide}, some(kWide, 8, 1))
      .floats("mean", {kWide}, some(kWide, 9, 1))
      .floats("variance", {kWide}, Floats(static_cast<std::size_t>(kWide), 1))
      .node("Conv", {"x", "w1"}, {"c1"}, {{"pads", one}})
      .node("BatchNormalization", {"c1", "scale", "shift", "mean", "variance"}, {"n1"})
      .node("Relu", {"n1"}, {"r1"})
      .node("Conv", {"r1", "w2"}, {"c2"})
      .node("Conv", {"c2", "w3"}, {"c3"}, {{"pads", one}, {"group", kWide}})
      .node("Conv", {"c3", "w4"}, {"c4"}, {{"pads", one}})
      .node("GlobalAveragePool", {"c4"}, {"p"})
      .node("Flatten", {"p"}, {"f"})
      .node("Gemm", {"f", "w5", "b5"}, {"y"}, {{"transB", std::int64_t{1}}})
      .output("y");
  return m;
}

class OneSession : public testing::TestWithParam<std::tuple<const char*, Math>> {};

TEST_P(OneSession, HasWeightsOnceForAllBatches) {
  const auto& [target, math] = GetParam();
  if (const std::string why = test::why_not_here(target); !why.empty()) GTEST_SKIP() << why;
  const Target by = target_of(target);
  const auto free_choice = [&](std::int64_t pixels) {
    return choose_tile(pixels, kClasses / by.vector_floats, by).vectors;
  };
  ASSERT_NE(free_choice(1), free_choice(8));  // else there is nothing to agree on
  const TestModel m = network();
  const Floats x = test::random_floats(static_cast<std::size_t>(8 * kChannels * kSide * kSide), 11);
  const auto answers = [&](std::int64_t samples, test::Session* session) {
    Floats some(x.begin(), x.begin() + samples * kChannels * kSide * kSide);
    return test::answer(m, {{"x", {samples, kChannels, kSide, kSide}}}, {std::move(some)},
                        {.target = target, .math = math, .session = session});
  };
  test::Session session;
  const Floats one = answers(1, &session);
  const std::int64_t bytes = session.packed.bytes();
  EXPECT_GE(bytes, (kWide * (kChannels * 9 + kWide + 9 + kWide * 9) + kClasses * kWide) * 4);
  const Floats eight = answers(8, &session);
  EXPECT_EQ(session.packed.bytes(), bytes);
  const Floats three = answers(3, &session);
  EXPECT_EQ(session.packed.bytes(), bytes);
  const auto first = [](const Floats& of, std::size_t n) {
    return Floats(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(n * kClasses));
  };
  EXPECT_THAT(first(eight, 1), Pointwise(FloatNear(1e-4F), one));
  EXPECT_THAT(first(eight, 3), Pointwise(FloatNear(1e-4F), three));
  EXPECT_THAT(eight, Pointwise(FloatNear(1e-4F), answers(8, nullptr)));
}

/// Other weights of the same shapes are others' own.
TEST(SharedWeights, AreNotThoseOfAnotherLayer) {
  TestModel m;
  const Shape x = {1, 16, 5, 5}, w = {16, 16, 1, 1};
  m.input("x", x).floats("v", w, test::random_floats(256, 1)).floats("w", w, test::random_floats(256, 2));
  m.node("Conv", {"x", "v"}, {"a"}).node("Conv", {"a", "w"}, {"y"}).output("y");
  test::Session session;
  const Floats in = test::random_floats(400, 3), alone = test::answer(m, {{"x", x}}, {in});
  EXPECT_THAT(test::answer(m, {{"x", x}}, {in}, {.session = &session}), Pointwise(FloatNear(1e-5F), alone));
  EXPECT_EQ(session.packed.bytes(), 2 * 256 * 4);
  EXPECT_THAT(test::answer(m, {{"x", x}}, {in}, {.session = &session}), Pointwise(FloatNear(1e-5F), alone));
  EXPECT_EQ(session.packed.bytes(), 2 * 256 * 4);
}

std::string name_of_session(const testing::TestParamInfo<std::tuple<const char*, Math>>& info) {
  return std::string(std::get<0>(info.param)) + (std::get<1>(info.param) == Math::kFast ? "_fast" : "_strict");
}
INSTANTIATE_TEST_SUITE_P(All, OneSession,
                         testing::Combine(testing::Values("avx512", "avx2"),
                                          testing::Values(Math::kStrict, Math::kFast)),
                         name_of_session);

}  // namespace
}  // namespace assay::compiler
