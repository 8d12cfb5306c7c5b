// How far Winograd's method is from exact sums, for few channels and many: what allows it at `math=fast`.
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "compiler/algorithm.hpp"
#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;

constexpr std::int64_t kFilters = 16, kImage = 12;

struct Layer {
  std::int64_t channels;
  float mean;  ///< of the inputs, which lie one to either side of it: what follows a ReLU has one
};

void PrintTo(const Layer& l, std::ostream* out) { *out << l.channels << " channels, mean " << l.mean; }  // NOLINT

/// 3x3 with zeros around the image, in double.
std::vector<double> sums(const Layer& l, const Floats& x, const Floats& w) {
  std::vector<double> y(kFilters * kImage * kImage);
  const auto inside = [](std::int64_t p) { return p >= 0 && p < kImage; };
  for (std::int64_t at = 0; at < static_cast<std::int64_t>(y.size()); ++at) {
    const std::int64_t output = at / (kImage * kImage), row = at / kImage % kImage, column = at % kImage;
    for (std::int64_t k = 0; k < l.channels * 9; ++k) {
      const std::int64_t r = row + k / 3 % 3 - 1, c = column + k % 3 - 1;
      if (!inside(r) || !inside(c)) continue;
      y[static_cast<std::size_t>(at)] +=
          static_cast<double>(x[static_cast<std::size_t>((k / 9 * kImage + r) * kImage + c)]) *
          w[static_cast<std::size_t>(output * l.channels * 9 + k)];
    }
  }
  return y;
}

class WinogradError : public testing::TestWithParam<Layer> {};

/// A tenth of what the answers of a network may differ by (1e-4), up to four times the direct sum's, and within what
/// the rule of algorithm.cpp takes it for: so much times the square root of the number of channels. Each lane sums for
/// itself, so vectors of another width give the same numbers.
TEST_P(WinogradError, IsATenthOfWhatFastAllows) {
  constexpr double kBound = 1e-5, kOfFour = 2.2e-7;  // of the largest output
  const Layer& l = GetParam();
  const Shape shape = {1, l.channels, kImage, kImage};
  Floats x = test::random_floats(static_cast<std::size_t>(count(shape)), 1);
  for (float& v : x) v += l.mean;
  const Floats w = test::random_floats(static_cast<std::size_t>(kFilters * l.channels * 9), 2);
  TestModel m;
  m.input("x", shape).floats("w", {kFilters, l.channels, 3, 3}, w);
  m.node("Conv", {"x", "w"}, {"y"}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}).output("y");
  const std::vector<double> exact = sums(l, x, w);
  double largest = 0;
  for (const double y : exact) largest = std::max(largest, std::abs(y));
  std::string bytes;
  const Target target = target_of("host");
  Graph graph = test::imported(m, {{"x", shape}}, bytes);
  run_passes(graph, target, Math::kFast, "");
  ASSERT_EQ(graph.nodes.size(), 1U);
  std::map<std::int64_t, double> error;  // by m; 0: direct
  std::set<Floats> answers;
  for (const ConvSchedule& s : schedules_of(graph, graph.nodes[0], target, Math::kFast)) {
    if (error.contains(s.m)) continue;  // others of the same method have other tiles, and the same products
    const auto tuning = std::make_shared<Tuning>(Tuning{1, 1, {{problem_text(graph, graph.nodes[0]), {s}}}});
    const Floats found = test::answer(m, {{"x", shape}}, {x}, {.math = Math::kFast, .tuning = tuning});
    answers.insert(found);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      error[s.m] = std::max(error[s.m], std::abs(found[i] - exact[i]) / largest);
    }
  }
  ASSERT_EQ(error.size(), 3U) << "direct, F(2x2) and F(4x4)";
  EXPECT_EQ(answers.size(), 3U) << "each was computed as it was asked for";
  EXPECT_LT(error[2], 1.5 * error[0]);
  EXPECT_LT(error[4], 4 * error[0]);
  EXPECT_LT(error[4], kOfFour * std::sqrt(static_cast<double>(l.channels)));
  for (const auto& [side, e] : error) {
    EXPECT_LT(e, kBound) << "F(" << side << ")";
    RecordProperty("f" + std::to_string(side), std::to_string(e));
  }
}

TEST(WinogradErrors, BeyondSoManyChannelsTheLargeTileIsNotTaken) {
  for (const std::int64_t channels : {2048, 2112}) {
    TestModel m;
    m.input("x", {1, channels, 8, 8}).weights("w", {1, channels, 3, 3}).node("Conv", {"x", "w"}, {"y"}).output("y");
    std::string bytes;
    const Target target = target_of("host");
    const Graph graph = test::imported(m, {{"x", {1, channels, 8, 8}}}, bytes);
    const std::vector<ConvSchedule> all = schedules_of(graph, graph.nodes[0], target, Math::kFast);
    const auto has = [&](std::int64_t side) {
      return std::any_of(all.begin(), all.end(), [&](const ConvSchedule& s) { return s.m == side; });
    };
    EXPECT_TRUE(has(2));
    EXPECT_EQ(has(4), channels == 2048);
  }
}

INSTANTIATE_TEST_SUITE_P(Channels, WinogradError,
                         testing::Values(Layer{8, 0}, Layer{8, 1}, Layer{64, 0}, Layer{64, 1}, Layer{512, 0},
                                         Layer{512, 1}, Layer{2048, 0}, Layer{2048, 1}),
                         [](const auto& test) {
                           return std::to_string(test.param.channels) +
                                  (test.param.mean > 0 ? "_positive" : "_around_zero");
                         });

}  // namespace
}  // namespace assay::compiler
