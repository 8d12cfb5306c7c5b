// By which way convolutions in groups are computed.
#include "compiler/grouped.hpp"

#include <gmock/gmock.h>

#include "compiler/layout.hpp"

namespace assay::compiler {
namespace {

using testing::ElementsAre;

struct Sizes {
  std::int64_t channels, outputs, groups, side, window;
};

Graph graph_of(const Sizes& s) {
  Graph graph;
  const Shape w = {s.outputs, s.channels / s.groups, s.window, s.window};
  const std::int64_t pad = s.window / 2;
  const ValueId x = graph.add({"x", Element::kF32, {1, s.channels, s.side, s.side}, nullptr});
  const ValueId weights =
      graph.add({"w", Element::kF32, w, Constant::of(std::vector<float>(static_cast<std::size_t>(count(w)), 1))});
  const ValueId y = graph.add({"y", Element::kF32, {1, s.outputs, s.side, s.side}, nullptr});
  graph.nodes.push_back({Conv{{1, 1}, {1, 1}, {pad, pad}, {pad, pad}, s.groups}, {x, weights}, y, "conv"});
  return graph;
}

const Target kSixteenLanes{"", "", 16, 32}, kEightLanes{"", "", 8, 16};

std::string way(const Sizes& s, const Target& target, Math math) {
  const Graph graph = graph_of(s);
  const auto plan = grouped_of(graph, graph.nodes[0], {1, 1}, target, math);
  if (!plan) return "general";
  return (plan->method == GroupedPlan::Method::kPick ? "pick " : "part ") + std::to_string(plan->parts) + " of " +
         std::to_string(plan->blocks) + " to " + std::to_string(plan->out_blocks);
}

TEST(Grouped, OfWholeBlocksAreDenseParts) {
  for (const Math math : {Math::kStrict, Math::kFast}) {
    EXPECT_EQ(way({1024, 1024, 32, 7, 3}, kSixteenLanes, math), "part 32 of 2 to 2");
    EXPECT_EQ(way({512, 512, 32, 14, 3}, kSixteenLanes, math), "part 32 of 1 to 1");
    EXPECT_EQ(way({256, 512, 32, 14, 3}, kEightLanes, math), "part 32 of 1 to 2");
  }
}

TEST(Grouped, OfFewChannelsArePicked) {
  for (const Math math : {Math::kStrict, Math::kFast}) {
    EXPECT_EQ(way({128, 128, 32, 56, 3}, kSixteenLanes, math), "pick 8 of 1 to 1");
    EXPECT_EQ(way({128, 128, 32, 56, 3}, kEightLanes, math), "pick 16 of 1 to 1");
    EXPECT_EQ(way({24, 24, 6, 28, 3}, kSixteenLanes, math), "pick 2 of 1 to 1");  // the last block is half full
    EXPECT_EQ(way({96, 96, 8, 28, 3}, kSixteenLanes, math), "pick 2 of 3 to 3");
    EXPECT_EQ(way({48, 96, 48, 28, 3}, kSixteenLanes, math), "pick 3 of 1 to 2");
    EXPECT_EQ(way({108, 108, 9, 6, 3}, kSixteenLanes, math), "pick 1 of 7 to 7");
  }
}

/// What is infinite in one group would be no number in another: not where sums are as they are defined.
TEST(Grouped, HaveZerosBetweenThemWhereMathMayBeFast) {
  EXPECT_EQ(way({170, 170, 2, 14, 3}, kSixteenLanes, Math::kFast), "part 1 of 11 to 11");
  EXPECT_EQ(way({170, 170, 2, 14, 3}, kSixteenLanes, Math::kStrict), "general");
}

TEST(Grouped, StayWithTheGeneralKernelsWhereZerosAreTooMany) {
  EXPECT_EQ(way({1530, 1530, 18, 56, 3}, kSixteenLanes, Math::kFast), "general");
}

/// A lane each from another block is a shuffle each, which takes longer than what it saves, to compile, too.
TEST(Grouped, StayWithTheGeneralKernelsWhereLanesTakeOfManyBlocks) {
  EXPECT_EQ(way({256, 128, 128, 28, 3}, kSixteenLanes, Math::kFast), "pick 8 of 2 to 1");
  EXPECT_EQ(way({1024, 128, 128, 28, 3}, kSixteenLanes, Math::kFast), "general");
  EXPECT_EQ(way({64 * 127, 127, 127, 28, 3}, kSixteenLanes, Math::kFast), "general");
}

TEST(Grouped, AreNeitherDenseNorDepthwise) {
  EXPECT_EQ(way({64, 64, 1, 14, 3}, kSixteenLanes, Math::kFast), "general");
  EXPECT_EQ(way({64, 64, 64, 14, 3}, kSixteenLanes, Math::kFast), "general");
}

TEST(Grouped, AreLookedForAmongNodesOfAnyShape) {
  Graph graph;
  const ValueId x = graph.add({"x", Element::kF32, {}, nullptr}), y = graph.add({"y", Element::kF32, {}, nullptr});
  Formula f;
  graph.nodes.push_back({Map{f.done(f.input(0))}, {x}, y, "scalar"});
  Kept kept(nullptr);
  EXPECT_TRUE(layouts_of(graph, kSixteenLanes, Math::kFast, kept).grouped.empty());
}

TEST(Grouped, LanesPickTheirOwnGroupsChannels) {
  const Graph graph = graph_of({6, 12, 3, 5, 1});  // 2 channels to 4
  EXPECT_THAT(picks_of(graph, graph.nodes[0], 0, 8),
              ElementsAre(ElementsAre(0, 0, 0, 0, 2, 2, 2, 2), ElementsAre(1, 1, 1, 1, 3, 3, 3, 3)));
  EXPECT_THAT(picks_of(graph, graph.nodes[0], 1, 8),  // the last four have no channel
              ElementsAre(ElementsAre(4, 4, 4, 4, 4, 4, 4, 4), ElementsAre(5, 5, 5, 5, 5, 5, 5, 5)));
}

}  // namespace
}  // namespace assay::compiler
