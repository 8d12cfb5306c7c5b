// The model is algorithm.cpp's, with what a pick and a product of the general kernels cost.

#include "grouped.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <span>

#include "algorithm.hpp"

namespace assay::compiler {
namespace {

struct Groups {
  std::int64_t count, inputs, outputs;  ///< channels of each
};

Groups groups_in(const Graph& graph, const Node& node) {
  const std::int64_t count = std::get<Conv>(node.operation).groups;
  return {count, graph.shape(node.inputs[1])[1], graph.shape(node.output)[1] / count};
}

std::int64_t whole_blocks(std::int64_t channels, std::int64_t lanes) { return (channels + lanes - 1) / lanes; }

/// The fewest groups that are whole blocks, or all.
GroupedPlan parts_of(const Groups& g, std::int64_t lanes) {
  const std::int64_t together = lanes / std::gcd(lanes, std::gcd(g.inputs, g.outputs));
  GroupedPlan plan;
  if (g.count % together == 0) {
    plan.parts = g.count / together;
    plan.blocks = together * g.inputs / lanes;
    plan.out_blocks = together * g.outputs / lanes;
  } else if (g.inputs == g.outputs && lanes % g.inputs == 0) {  // a block takes itself alone, the last one, too
    plan.parts = whole_blocks(g.count * g.inputs, lanes);
  } else {
    plan.blocks = whole_blocks(g.count * g.inputs, lanes);
    plan.out_blocks = whole_blocks(g.count * g.outputs, lanes);
  }
  return plan;
}

/// Blocks that the lanes of a part's picks take their channels of, counted for each pick: a shuffle each. Nothing where
/// they are too many: picks are written out, for each block of a part as a kernel of its own.
std::optional<std::int64_t> shuffles_of(const Graph& graph, const Node& node, const Groups& g, const GroupedPlan& plan,
                                        std::int64_t lanes) {
  constexpr std::int64_t kMostChannels = 64, kMostShuffles = 256;
  if (g.inputs > kMostChannels || g.inputs * plan.out_blocks > kMostShuffles) return std::nullopt;
  std::int64_t shuffles = 0;
  for (std::int64_t block = 0; block < plan.out_blocks; ++block) {
    for (const Shape& pick : picks_of(graph, node, block, lanes)) {
      std::set<std::int64_t> blocks;
      for (const std::int64_t channel : pick) blocks.insert(channel / lanes);
      shuffles += static_cast<std::int64_t>(blocks.size());
    }
  }
  return shuffles <= kMostShuffles ? std::optional(shuffles) : std::nullopt;
}

/// And the product with it, of a vector: seen on a core of 2022 with vectors of 16 and of 8 floats.
double cycles_of_pick(const Groups& g, const GroupedPlan& plan, std::int64_t shuffles, const Target& target) {
  constexpr double kProduct = 1, kShuffle = 0.5, kWithoutRegisters = 1;
  const double of_weights = g.inputs > target.registers ? kWithoutRegisters : 0;  // loaded again for each pixel
  return kProduct + of_weights +
         kShuffle * static_cast<double>(shuffles) / static_cast<double>(g.inputs * plan.out_blocks);
}

/// What a zero is multiplied by may be infinite, or be no number: then the answer is none.
bool can_be_parts(const Groups& g, const GroupedPlan& plan, std::int64_t lanes, Math math) {
  const std::int64_t all = g.count * g.inputs;
  const bool reads_whole_blocks = plan.parts == 1 || plan.parts * plan.blocks * lanes == all;
  return reads_whole_blocks && (plan.parts == g.count || math == Math::kFast);
}

}  // namespace

Cost general_cost(const Graph& graph, const Node& node, Share part, const Target& target) {
  constexpr double kVector = 3, kAlone = 1;  // cycles of a vector of neighbouring pixels' products, and of one product
  const Shape &w = graph.shape(node.inputs[1]), &y = graph.shape(node.output);
  const std::int64_t pixels = y[0] * part.samples / part.of * count(std::span(y).subspan(2)),
                     window = count(std::span(w).subspan(2));
  const std::int64_t row = window == 1 ? pixels : y.back();
  const bool in_vectors = std::get<Conv>(node.operation).strides.back() == 1 && row >= target.vector_floats;
  const double of_product = in_vectors ? kVector / target.vector_floats : kAlone;
  return {of_product * static_cast<double>(pixels) * static_cast<double>(window * y[1] * w[1]), 0};
}

std::optional<GroupedPlan> grouped_of(const Graph& graph, const Node& node, Share part, const Target& target,
                                      Math math) {
  if (!is_known_conv(graph, node) || is_dense(graph, node) || is_depthwise(graph, node)) return std::nullopt;
  const Groups g = groups_in(graph, node);
  const Shape &w = graph.shape(node.inputs[1]), &y = graph.shape(node.output);
  const std::int64_t lanes = target.vector_floats, window = w[2] * w[3],
                     pixels = y[0] * part.samples / part.of * y[2] * y[3];
  GroupedPlan plan = parts_of(g, lanes);
  std::optional<GroupedPlan> best;
  plan.cost = general_cost(graph, node, part, target);
  const auto take = [&](GroupedPlan::Method method, const Cost& cost) {
    if (cost.cycles >= plan.cost.cycles) return;
    plan.method = method;
    plan.cost = cost;
    best = plan;
  };
  if (const auto shuffles = shuffles_of(graph, node, g, plan, lanes)) {
    const auto products = static_cast<double>(window * whole_blocks(y[1], lanes) * g.inputs);
    take(GroupedPlan::Method::kPick,
         {cycles_of_pick(g, plan, *shuffles, target) * products * static_cast<double>(pixels),
          products * static_cast<double>(lanes) * sizeof(float)});
  }
  if (can_be_parts(g, plan, lanes, math)) {
    const std::int64_t channels = plan.parts == 1 ? g.count * g.inputs : plan.blocks * lanes;
    const std::int64_t row = window == 1 ? pixels : y[3];
    const Cost one = direct_cost({pixels, row, window, channels, plan.out_blocks * lanes}, target);
    const auto parts = static_cast<double>(plan.parts);
    take(GroupedPlan::Method::kPart, {one.cycles * parts, one.weights * parts});
  }
  return best;
}

std::vector<Shape> picks_of(const Graph& graph, const Node& node, std::int64_t block, std::int64_t lanes) {
  const Groups g = groups_in(graph, node);
  std::vector<Shape> picks(static_cast<std::size_t>(g.inputs));
  for (std::int64_t i = 0; i < g.inputs; ++i) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      // Lanes behind the last channel, which nobody reads, take what is there.
      const std::int64_t group = std::min((block * lanes + lane) / g.outputs, g.count - 1);
      picks[static_cast<std::size_t>(i)].push_back(group * g.inputs + i);
    }
  }
  return picks;
}

}  // namespace assay::compiler
