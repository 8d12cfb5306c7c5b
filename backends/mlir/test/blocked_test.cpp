// Graphs in which images lie in blocked layout against the same ones in plain layout: what `without` leaves out, and
// what convolutions that are none leave out.
#include <gmock/gmock.h>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;
using testing::FloatNear;
using testing::Pointwise;

/// A convolution that the blocked kernels do, or not: of weights that are computed.
void add_conv(TestModel& m, const std::string& x, const std::string& y, std::int64_t channels, std::int64_t outputs,
              bool blocked, std::int64_t pad = 1, std::int64_t groups = 1) {
  const Shape shape = {outputs, channels / groups, 3, 3};
  Floats w = test::random_floats(static_cast<std::size_t>(count(shape)), static_cast<unsigned>(outputs));
  for (float& v : w) v *= blocked ? 0.07F : -0.07F;  // so that sums stay about as large as x
  m.floats(y + ".w", shape, w);
  if (!blocked) m.node("Neg", {y + ".w"}, {y + ".computed"});
  m.node("Conv", {x, y + (blocked ? ".w" : ".computed")}, {y},
         {{"pads", Shape{pad, pad, pad, pad}}, {"group", groups}});
}

using Build = void (*)(TestModel& m, bool blocked);
struct Net {
  const char* name;
  Build build;  ///< from x (2, 32, 10, 9) to y
};
void PrintTo(const Net& n, std::ostream* out) { *out << n.name; }  // NOLINT: gtest's name

void residual(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 32, blocked);
  m.node("Relu", {"a"}, {"b"});
  add_conv(m, "b", "c", 32, 32, blocked);
  m.node("Add", {"c", "x"}, {"s"}).node("Relu", {"s"}, {"y"});
}
/// Groups of 8 channels are one block's, those of 12 several's, those of 16 whole blocks.
void grouped_residuals(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 48, blocked, 1, 4);
  add_conv(m, "a", "b", 48, 48, blocked, 1, 4);
  m.node("Add", {"a", "b"}, {"ab"}).node("Relu", {"ab"}, {"r"});
  add_conv(m, "r", "c", 48, 96, blocked, 1, 3);
  m.node("Concat", {"r", "r"}, {"rr"}, {{"axis", std::int64_t{1}}});
  m.node("Add", {"c", "rr"}, {"y"});
}
void dense_block(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 16, blocked);
  m.node("Concat", {"x", "a"}, {"xa"}, {{"axis", std::int64_t{1}}}).node("Relu", {"xa"}, {"r"});
  add_conv(m, "r", "b", 48, 16, blocked);
  m.node("Concat", {"xa", "b"}, {"xab"}, {{"axis", std::int64_t{1}}});
  add_conv(m, "xab", "y", 64, 32, blocked);
}
void same_part_twice(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 16, blocked);
  m.node("Concat", {"a", "a", "x"}, {"c"}, {{"axis", std::int64_t{1}}});
  add_conv(m, "c", "y", 64, 16, blocked);
}
void odd_parts(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 20, blocked);
  add_conv(m, "x", "b", 32, 6, blocked);
  m.node("Concat", {"a", "b"}, {"y"}, {{"axis", std::int64_t{1}}});
}
void excited(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 24, blocked);
  m.floats("w", {24, 24, 1, 1}, test::random_floats(24 * 24, 9));
  m.node("GlobalAveragePool", {"a"}, {"p"}).node("Conv", {"p", "w"}, {"q"}).node("Sigmoid", {"q"}, {"g"});
  m.node("Mul", {"a", "g"}, {"y"});
}
void pools(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 24, blocked);
  m.node("Relu", {"a"}, {"r"});
  const onnx_graph::TestAttributes window = {
      {"kernel_shape", Shape{3, 3}}, {"strides", Shape{2, 2}}, {"pads", Shape{1, 1, 1, 1}}};
  m.node("MaxPool", {"r"}, {"m"}, window)
      .node("AveragePool", {"a"}, {"v"}, window)
      .node("MaxPool", {"a"}, {"n"}, window);
  m.node("Add", {"m", "v"}, {"s"}).node("Sub", {"s", "n"}, {"y"});
}
void classified(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 24, blocked);
  m.floats("w", {10, 24}, test::random_floats(240, 4)).floats("b", {10}, test::random_floats(10, 5));
  m.node("GlobalAveragePool", {"a"}, {"p"}).node("Flatten", {"p"}, {"f"});
  m.node("Gemm", {"f", "w", "b"}, {"l"}, {{"transB", std::int64_t{1}}}).node("Softmax", {"l"}, {"y"});
}
void borders_of_two_widths(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 16, blocked);
  add_conv(m, "a", "b", 16, 16, blocked);
  add_conv(m, "a", "c", 16, 16, blocked, 2);
  m.node("GlobalAveragePool", {"b"}, {"p"}).node("Mul", {"c", "p"}, {"y"});
}
void broadcast_along_channels(TestModel& m, bool blocked) {
  add_conv(m, "x", "a", 32, 24, blocked);
  m.node("ReduceMean", {"a"}, {"n"}, {{"axes", Shape{1}}}).node("Sub", {"a", "n"}, {"y"});
}

TEST(Prologue, AConvolutionOfConstantsByWinogradsMethodIsComputedOnce) {
  const Shape image = {1, 64, 28, 28}, window = {64, 64, 3, 3};
  const Floats c = test::random_floats(64 * 28 * 28, 1), w = test::random_floats(64 * 64 * 9, 2);
  const auto answer = [&](Math math) {
    TestModel m;
    m.input("x", image).floats("c", image, c).floats("w", window, w);
    m.node("Conv", {"c", "w"}, {"k"}, {{"pads", Shape{1, 1, 1, 1}}}).node("Add", {"x", "k"}, {"y"}).output("y");
    return test::answer(m, {{"x", image}}, {Floats(c.size(), 0)}, {.math = math});
  };
  EXPECT_THAT(answer(Math::kFast), Pointwise(FloatNear(2e-3F), answer(Math::kStrict)));
}

/// A part that a convolution takes after the whole was made in plain layout.
TEST(InPlace, APartThatIsWantedInBlocksAfterItsWholeWasMadePlainLeavesTheWholeAlone) {
  const Shape shape = {1, 32, 8, 8};
  const Floats x = test::random_floats(32 * 64, 1), y = test::random_floats(32 * 64, 2);
  for (const std::int64_t axis : {0, 1}) {
    const std::int64_t channels = axis == 0 ? 32 : 64;
    const Floats v = test::random_floats(static_cast<std::size_t>(16 * channels), 4);
    const auto answer = [&](bool with_part) {
      TestModel m;
      m.input("x", shape).input("y", shape);
      m.floats("w", {16, 32, 1, 1}, test::random_floats(16 * 32, 3)).floats("v", {16, channels, 1, 1}, v);
      m.node("Neg", {"x"}, {"a"}).node("Neg", {"y"}, {"b"});
      m.node("Concat", {"a", "b"}, {"c"}, {{"axis", axis}});
      if (with_part) m.node("Conv", {"a", "w"}, {"d"});
      m.node("Conv", {"c", "v"}, {"e"}).output("e");
      if (with_part) m.output("d");
      return test::answer(m, {{"x", shape}, {"y", shape}}, {x, y}, {.without = "fuse"});
    };
    EXPECT_EQ(answer(true), answer(false)) << axis;
  }
}

TEST(Packed, PartsOfOneMatrixAreNotTakenForOneAnother) {
  for (const bool part_first : {true, false}) {
    TestModel m;
    const Floats x = test::random_floats(5 * 4, 1), z = test::random_floats(5 * 8, 2);
    m.input("x", {5, 4}).input("z", {5, 8}).floats("w", {8, 16}, test::random_floats(8 * 16, 3));
    m.integers("from", {0}).integers("to", {4}).node("Slice", {"w", "from", "to"}, {"part"});
    if (part_first) m.node("MatMul", {"x", "part"}, {"p"}).node("MatMul", {"z", "w"}, {"q"});
    if (!part_first) m.node("MatMul", {"z", "w"}, {"q"}).node("MatMul", {"x", "part"}, {"p"});
    m.node("Add", {"p", "q"}, {"y"}).output("y");
    const Floats w = test::random_floats(8 * 16, 3);
    Floats wanted;
    for (std::size_t r = 0; r < 5; ++r) {
      for (std::size_t c = 0; c < 16; ++c) {
        double sum = 0;
        for (std::size_t k = 0; k < 4; ++k) sum += static_cast<double>(x[r * 4 + k]) * w[k * 16 + c];
        for (std::size_t k = 0; k < 8; ++k) sum += static_cast<double>(z[r * 8 + k]) * w[k * 16 + c];
        wanted.push_back(static_cast<float>(sum));
      }
    }
    EXPECT_THAT(test::answer(m, {{"x", {5, 4}}, {"z", {5, 8}}}, {x, z}), Pointwise(FloatNear(1e-5F), wanted));
  }
}

class Blocked : public testing::TestWithParam<Net> {};

TEST_P(Blocked, AnswersAsPlainLayoutDoes) {
  const Shape shape = {2, 32, 10, 9};
  const Floats x = test::random_floats(static_cast<std::size_t>(count(shape)), 7);
  const auto answer = [&](bool blocked, const char* without) {
    TestModel m;
    m.input("x", shape);
    GetParam().build(m, blocked);
    return test::answer(m.output("y"), {{"x", shape}}, {x}, {.without = without});
  };
  const Floats plain = answer(false, "fold,fuse");
  for (const char* without : {"", "fuse", "layout", "concat", "constants", "memory"}) {
    EXPECT_THAT(answer(true, without), Pointwise(FloatNear(2e-4F), plain)) << without;
  }
}

/// Of four samples: the first nodes one by one, then two, then all.
TEST_P(Blocked, AnswersInChunksAsItDoesInOne) {
  const Shape shape = {4, 32, 10, 9};
  const Floats x = test::random_floats(static_cast<std::size_t>(count(shape)), 8);
  TestModel m;
  m.input("x", shape);
  GetParam().build(m, true);
  m.output("y");
  for (const Math math : {Math::kStrict, Math::kFast}) {
    const auto answer = [&](const std::function<void(Graph&)>& rewrite) {
      return test::answer(m, {{"x", shape}}, {x}, {.without = "split", .math = math, .after_passes = rewrite});
    };
    const Floats whole = answer({});
    for (const std::size_t part : {2U, 3U}) {  // where the levels begin
      const Floats chunks = answer([&](Graph& graph) {
        std::vector<std::int64_t> sizes;
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
          const std::size_t level = n * part / graph.nodes.size();
          sizes.push_back(level == 0 ? 1 : level == 1 ? 2 : 4);
        }
        split_batch(graph, sizes);
      });
      EXPECT_THAT(chunks, Pointwise(FloatNear(1e-3F), whole));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, Blocked,
                         testing::Values(Net{"grouped_residuals", grouped_residuals}, Net{"residual", residual},
                                         Net{"dense_block", dense_block}, Net{"same_part_twice", same_part_twice},
                                         Net{"odd_parts", odd_parts}, Net{"excited", excited}, Net{"pools", pools},
                                         Net{"classified", classified},
                                         Net{"borders_of_two_widths", borders_of_two_widths},
                                         Net{"broadcast_along_channels", broadcast_along_channels}),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace assay::compiler
