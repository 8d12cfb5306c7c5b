// By which method a convolution is computed: a model of the cycles that each takes on one core.
//
// Products: one a cycle and vector, less what loads and tails cost. Weights come from memory once for each block of
// tiles, as fast as the level that holds all of them; so does what has been transformed, for each group of outputs.
// What moves and what multiplies go side by side, but not wholly. The constants are of a core of some years around
// 2023, and only have to tell methods apart.

#include <algorithm>
#include <cmath>

#include "layout.hpp"

namespace assay::compiler {
namespace {

constexpr double kDirectShare = 0.92, kProductShare = 0.85;  // of the peak that the kernels reach
constexpr double kOverlap = 0.2;                             // of the shorter of computing and moving is not hidden

/// Bytes a cycle of what is as large.
double bytes_a_cycle(double bytes) {
  constexpr double kL2 = 700e3, kL3 = 12e6, kNear = 32, kFar = 10, kMemory = 4;
  return bytes <= kL2 ? kNear : bytes <= kL3 ? kFar : kMemory;
}

double together(double computing, double moving) {
  return std::max(computing, moving) + kOverlap * std::min(computing, moving);
}

struct Problem {
  std::int64_t batch, channels, outputs, rows, columns, lanes;
};

double direct_cycles(const Problem& p) {
  const double weights = 9.0 * static_cast<double>(p.channels * p.outputs) * sizeof(float);
  const double products =
      9.0 * static_cast<double>(p.channels * p.outputs * p.batch * p.rows * p.columns) / static_cast<double>(p.lanes);
  return together(products / kDirectShare, weights / bytes_a_cycle(weights));
}

std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// With blocks of so many tiles.
double winograd_cycles(const Problem& p, const WinogradPlan& plan, const Target& target) {
  constexpr double kIn4 = 180, kOut4 = 150, kIn2 = 70, kOut2 = 50;  // a tile and block of channels
  const auto side = static_cast<double>(plan.m + 2), points = side * side;
  const std::int64_t blocks = up(p.channels, p.lanes), out_blocks = up(p.outputs, p.lanes);
  const std::int64_t tile_blocks = p.batch * plan.tile_rows * plan.tile_columns / plan.tiles;
  const Tile tile = choose_tile(plan.tiles, out_blocks, target);
  const std::int64_t group_count = out_blocks / tile.vectors;
  const auto groups = static_cast<double>(group_count);
  const double all_weights = points * static_cast<double>(p.channels * out_blocks * p.lanes) * sizeof(float);
  const double transformed = points * static_cast<double>(blocks * p.lanes * plan.tiles) * sizeof(float);
  const double products = points * static_cast<double>(p.channels * tile.vectors * up(plan.tiles, tile.tile) *
                                                       std::max<std::int64_t>(tile.tile, 1 + tile.tile / tile.vectors));
  const double moving = all_weights / groups / bytes_a_cycle(all_weights) + transformed / bytes_a_cycle(transformed);
  const bool four = plan.m == 4;
  const double transforms =
      static_cast<double>(plan.tiles) *
      (static_cast<double>(blocks) * (four ? kIn4 : kIn2) + static_cast<double>(out_blocks) * (four ? kOut4 : kOut2));
  return static_cast<double>(tile_blocks) * (groups * together(products / kProductShare, moving) + transforms);
}

}  // namespace

std::optional<WinogradPlan> winograd_of(const Graph& graph, const Node& node, const Target& target) {
  constexpr std::int64_t kLeastChannels = 8, kMostTiles = 256;
  constexpr std::int64_t kMostScratch = std::int64_t{24} << 20;  // bytes of a thread
  const Conv& conv = std::get<Conv>(node.operation);
  const Shape &x = graph.shape(node.inputs[0]), &w = graph.shape(node.inputs[1]), &y = graph.shape(node.output);
  const Shape one = {1, 1};
  if (w[2] != 3 || w[3] != 3 || conv.strides != one || conv.dilations != one || x[1] < kLeastChannels)
    return std::nullopt;
  const Problem problem{x[0], x[1], y[1], y[2], y[3], target.vector_floats};
  double least = direct_cycles(problem);
  std::optional<WinogradPlan> best;
  for (const std::int64_t m : {2, 4}) {
    WinogradPlan plan{m, up(y[2], m), up(y[3], m), 0};
    const std::int64_t all = x[0] * plan.tile_rows * plan.tile_columns;
    for (plan.tiles = 1; plan.tiles <= std::min(all, kMostTiles); ++plan.tiles) {
      const std::int64_t scratch = (m + 2) * (m + 2) * plan.tiles * (x[1] + std::int64_t{8} * target.vector_floats) * 4;
      if (all % plan.tiles != 0 || scratch > kMostScratch) continue;
      const double cycles = winograd_cycles(problem, plan, target);
      if (cycles >= least) continue;
      least = cycles;
      best = plan;
    }
  }
  return best;
}

}  // namespace assay::compiler
