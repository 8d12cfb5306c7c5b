// Weights that are packed already: which further plans of a session take them, and which may pack them anew.
#include "compiler/packed_weights.hpp"

#include <gmock/gmock.h>

#include "compiler/algorithm.hpp"
#include "test/models.hpp"

namespace assay::compiler {
namespace {

using test::TestModel;
using testing::ElementsAre;
using testing::IsEmpty;

using Floats = std::vector<float>;

std::shared_ptr<const std::byte> some_bytes() { return std::make_shared<const std::byte>(); }

TEST(Constants, AreEqualWhereTheyAreMadeTheSameWayOfTheSameBytes) {
  const auto a = Constant::of(Floats{1, 2, 3, 4}), same = Constant::of(Floats{1, 2, 3, 4});
  EXPECT_TRUE(a->equals(*same));
  EXPECT_FALSE(a->equals(*Constant::of(Floats{1, 2, 3, 5})));
  EXPECT_FALSE(a->equals(*Constant::of(Floats{1, 2, 3})));
  const Constant scaled(a, {1, 10}), again(same, {1, 10}), other(a, {10, 1});
  EXPECT_TRUE(scaled.equals(again));
  EXPECT_FALSE(scaled.equals(other));
  EXPECT_FALSE(scaled.equals(*a));
  EXPECT_EQ(scaled.size(), a->size());
  EXPECT_FLOAT_EQ(scaled.at<float>(1), 2);
  EXPECT_FLOAT_EQ(scaled.at<float>(2), 30);
  EXPECT_TRUE(scaled.equals(*scaled.not_computed()));
  EXPECT_FLOAT_EQ(scaled.not_computed()->at<float>(3), 40);
}

TEST(PackedWeights, AreFoundByOrderAndContents) {
  PackedWeights all;
  const auto a = Constant::of(Floats{1, 2}), b = Constant::of(Floats{3, 4});
  const auto packed_a = some_bytes(), packed_b = some_bytes(), packed_twice = some_bytes();
  all.add("rows", *a, packed_a, 100);
  all.add("rows", *b, packed_b, 10);
  EXPECT_EQ(all.find("rows", *Constant::of(Floats{1, 2})), packed_a);
  EXPECT_EQ(all.find("rows", *Constant::of(Floats{3, 4})), packed_b);
  EXPECT_EQ(all.find("columns", *a), nullptr);
  EXPECT_EQ(all.find("rows", *Constant::of(Floats{1, 3})), nullptr);
  all.add("columns", *a, packed_twice, 5);
  EXPECT_EQ(all.find("columns", *a), packed_twice);
  EXPECT_EQ(all.bytes(), 115);
  EXPECT_EQ(all.first_bytes(), 110);
}

TEST(Kept, MayAddAsMuchAsTheFirstPackingsTakeAndCountsAConstantOnce) {
  PackedWeights all;
  const auto a = Constant::of(Floats{1, 2}), b = Constant::of(Floats{3, 4});
  all.add("rows", *a, some_bytes(), 100);
  Kept kept(&all);
  EXPECT_TRUE(kept.may_add(*a, 60));
  EXPECT_TRUE(kept.may_add(*a, 60));  // of another copy of the node
  EXPECT_FALSE(kept.may_add(*b, 60));
  EXPECT_TRUE(kept.may_add(*b, 40));
  EXPECT_TRUE(Kept(nullptr).may_add(*a, 1e12));
}

const Target kTarget{"", "", 16, 32};
constexpr std::int64_t kOutputs = 256, kChannels = 256;

/// What a session has of one convolution's weights, packed in these ways.
struct Session {
  Session(const Shape& window, const std::vector<Packing>& packings, std::int64_t bytes = 1 << 20)
      : weights(Constant::of(Floats(static_cast<std::size_t>(kOutputs * kChannels * count(window)), 1))),
        view{{0, contiguous_strides(Shape{kOutputs, kChannels, window[0], window[1]})}, kOutputs, kChannels, window} {
    packed.add("another layer's", *Constant::of(Floats{1}), some_bytes(), 1 << 30);
    for (const Packing& p : packings) packed.add(order_text(p, 16, view), *weights, some_bytes(), bytes);
  }
  [[nodiscard]] Tile tile(std::int64_t pixels) const {
    Kept kept(&packed);
    return direct_tile({pixels, pixels, count(view.window), kChannels, kOutputs}, *weights, view, kTarget, kept);
  }
  [[nodiscard]] std::optional<WinogradPlan> winograd(std::int64_t size) const {
    Graph graph;
    const ValueId x = graph.add({"x", Element::kF32, {1, kChannels, size, size}, nullptr});
    const ValueId w = graph.add({"w", Element::kF32, {kOutputs, kChannels, 3, 3}, weights});
    const ValueId y = graph.add({"y", Element::kF32, {1, kOutputs, size, size}, nullptr});
    graph.nodes.push_back({Conv{{1, 1}, {1, 1}, {1, 1}, {1, 1}}, {x, w}, y, "conv"});
    Kept kept(&packed);
    return winograd_of(graph, graph.nodes[0], kTarget, kept);
  }
  std::shared_ptr<const Constant> weights;
  WeightView view;
  PackedWeights packed;
};

TEST(Kept, KnowsThePackingsOfAConstant) {
  const Session s({3, 3}, {{0, 4}, {4, 2}});
  Kept kept(&s.packed);
  EXPECT_THAT(kept.of(*s.weights, s.view, 16), ElementsAre(Packing{0, 4}, Packing{4, 2}));
  EXPECT_THAT(kept.of(*s.weights, s.view, 8), IsEmpty());
  EXPECT_THAT(kept.of(*Constant::of(Floats{1}), s.view, 16), IsEmpty());
  EXPECT_THAT(Kept(nullptr).of(*s.weights, s.view, 16), IsEmpty());
}

TEST(PackedWeights, AreTakenWhereAnotherPackingIsHardlyFaster) {
  const std::int64_t blocks = kOutputs / 16;
  bool kept_another = false, packed_anew = false;
  for (const std::int64_t pixels : {7, 28}) {
    const Tile best = choose_tile(pixels, blocks, kTarget);
    EXPECT_EQ(Session({1, 1}, {}).tile(pixels), best);
    for (const std::int64_t v : {1, 2, 4, 8}) {
      const Tile with_v = choose_tile(pixels, blocks, kTarget, v);
      EXPECT_EQ(with_v.vectors, v);
      const auto cost = [&](const Tile& t) { return static_cast<double>(tile_cost(pixels, blocks, t)); };
      const bool wins = cost(best) <= 0.95 * cost(with_v);
      EXPECT_EQ(Session({1, 1}, {{0, v}}).tile(pixels), wins ? best : with_v) << v;
      kept_another |= !wins && v != best.vectors;
      packed_anew |= wins;
    }
  }
  EXPECT_TRUE(packed_anew);
  EXPECT_TRUE(kept_another);
}

/// One pixel: as fast as memory gives the weights, whatever their order is.
TEST(PackedWeights, AreTakenWhereTheyAreWaitedForAnyway) {
  for (const std::int64_t v : {4, 8}) {
    const Session s({8, 8}, {{0, v}});  // a layer of 17 MB
    EXPECT_EQ(s.tile(1).vectors, v);
  }
}

TEST(PackedWeights, AreNotPackedAnewWhereMemoryIsSpent) {
  const Session s({1, 1}, {{0, 1}});
  EXPECT_NE(s.tile(7).vectors, 1);
  Session full({1, 1}, {{0, 1}});
  full.packed.add("yet another order", *Constant::of(Floats{1}), some_bytes(), (1 << 30) + (1 << 20));
  EXPECT_EQ(full.tile(7).vectors, 1);
}

TEST(PackedWeights, DecideWinogradsMethodToo) {
  const std::optional<WinogradPlan> free = Session({3, 3}, {}).winograd(28);
  ASSERT_TRUE(free);
  EXPECT_EQ(free->m, 4);
  EXPECT_EQ(free->vectors, 0);
  const std::int64_t vectors = choose_tile(free->tiles, kOutputs / 16, kTarget).vectors;
  const std::optional<WinogradPlan> same = Session({3, 3}, {{4, vectors}}).winograd(28);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->vectors, vectors);
  EXPECT_EQ(same->tiles, free->tiles);
  // What is so much slower is not kept, unless nothing more may be packed.
  EXPECT_EQ(Session({3, 3}, {{0, 4}}).winograd(28)->vectors, 0);
  Session full({3, 3}, {{0, 4}});
  full.packed.add("yet another order", *Constant::of(Floats{1}), some_bytes(), (1 << 30) + (1 << 20));
  EXPECT_FALSE(full.winograd(28));
}

/// Bytes packed for two convolutions, one behind the other, of weights that are these numbers.
std::int64_t packed_of(float first, float second) {
  TestModel m;
  m.input("x", {1, 32, 8, 8});
  m.floats("a", {32, 32, 1, 1}, Floats(32 * 32, first)).floats("b", {32, 32, 1, 1}, Floats(32 * 32, second));
  m.node("Conv", {"x", "a"}, {"c"}).node("Conv", {"c", "b"}, {"y"}).output("y");
  std::string bytes;
  return schedule(test::imported(m, {{"x", {1, 32, 8, 8}}}, bytes), kTarget, Math::kStrict).packed_bytes;
}

TEST(Plan, PacksEqualConstantsOnce) {
  EXPECT_EQ(packed_of(1, 2), 2 * 32 * 32 * 4);
  EXPECT_EQ(packed_of(1, 1), 32 * 32 * 4);
}

}  // namespace
}  // namespace assay::compiler
