// By which method a convolution is computed: a model of the cycles that each takes on one core.
//
// Products: one a cycle and vector, less what loads and tails cost. Weights come from memory once for each block of
// tiles, as fast as the level that holds all of them; so does what has been transformed, for each group of outputs.
// What moves and what multiplies go side by side, but not wholly. The constants are of a core of some years around
// 2023, and only have to tell methods apart.

#include "algorithm.hpp"

#include <algorithm>
#include <cmath>

namespace assay::compiler {
namespace {

constexpr double kDirectShare = 0.92, kProductShare = 0.85;  // of the peak that the kernels reach
constexpr double kDepthwiseShare = 0.4;                      // likewise: a load for each product
constexpr double kOverlap = 0.2;                             // of the shorter of computing and moving is not hidden
constexpr double kTerm = 2;                                  // cycles of a vector and term of an expression

double bytes_a_cycle(double bytes, const Target& target) {
  constexpr double kNear = 32, kFar = 10, kMemory = 4;
  return at_level(bytes, target, kNear, kFar, kMemory);
}

/// What computes and what moves go side by side, but not wholly.
double together(double computing, double moving) {
  return std::max(computing, moving) + kOverlap * std::min(computing, moving);
}

std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Of a convolution, dense or depthwise.
struct Problem {
  std::int64_t batch, channels, outputs, rows, columns, window;
  bool is_3x3 = false;  ///< and in steps of 1, with channels enough for Winograd's method

  [[nodiscard]] std::int64_t pixels() const { return batch * rows * columns; }
  /// Pixels of which tiles are made: of a row, or of all where a window of one pixel makes them one row.
  [[nodiscard]] std::int64_t row() const { return window == 1 ? pixels() : columns; }
  [[nodiscard]] DirectProblem direct() const { return {pixels(), row(), window, channels, outputs}; }
};

Problem problem_of(const Graph& graph, const Node& node, std::int64_t samples) {
  constexpr std::int64_t kLeastChannels = 8;
  const Conv& conv = std::get<Conv>(node.operation);
  const Shape &x = graph.shape(node.inputs[0]), &w = graph.shape(node.inputs[1]), &y = graph.shape(node.output);
  const Shape one = {1, 1};
  return {samples,
          x[1],
          y[1],
          y[2],
          y[3],
          w[2] * w[3],
          w[2] == 3 && w[3] == 3 && conv.strides == one && conv.dilations == one && x[1] >= kLeastChannels};
}

/// Of vectors, those of tails too.
double direct_products(const DirectProblem& p, const Target& target) {
  const std::int64_t blocks = up(p.outputs, target.vector_floats);
  const Tile tile = choose_tile(p.row, blocks, target);
  const auto computed = static_cast<double>(up(p.row, tile.tile) * tile.tile);
  return static_cast<double>(p.window * p.channels * blocks * p.pixels) * (computed / static_cast<double>(p.row));
}

}  // namespace

Cost direct_cost(const DirectProblem& p, const Target& target, std::int64_t vectors) {
  const std::int64_t lanes = target.vector_floats, blocks = up(p.outputs, lanes);
  double products = direct_products(p, target);
  if (vectors != 0)
    products *= static_cast<double>(tile_cost(p.row, blocks, choose_tile(p.row, blocks, target, vectors))) /
                static_cast<double>(tile_cost(p.row, blocks, choose_tile(p.row, blocks, target)));
  const auto weights = static_cast<double>(p.window * p.channels * blocks * lanes) * sizeof(float);
  return {together(products / kDirectShare, weights / bytes_a_cycle(weights, target)), weights};
}

namespace {

/// With blocks of so many tiles.
Cost winograd_cost(const Problem& p, const WinogradPlan& plan, const Target& target) {
  constexpr double kIn4 = 180, kOut4 = 150, kIn2 = 70, kOut2 = 50;  // a tile and block of channels
  const std::int64_t lanes = target.vector_floats;
  const auto side = static_cast<double>(plan.m + 2), points = side * side;
  const std::int64_t blocks = up(p.channels, lanes), out_blocks = up(p.outputs, lanes);
  const std::int64_t tile_blocks = p.batch * plan.tile_rows * plan.tile_columns / plan.tiles;
  const Tile tile = choose_tile(plan.tiles, out_blocks, target, plan.vectors);
  const std::int64_t group_count = out_blocks / tile.vectors;
  const auto groups = static_cast<double>(group_count);
  const double all_weights = points * static_cast<double>(p.channels * out_blocks * lanes) * sizeof(float);
  const double transformed = points * static_cast<double>(blocks * lanes * plan.tiles) * sizeof(float);
  const double products = points * static_cast<double>(p.channels * tile.vectors * up(plan.tiles, tile.tile) *
                                                       std::max<std::int64_t>(tile.tile, 1 + tile.tile / tile.vectors));
  const double moving =
      all_weights / groups / bytes_a_cycle(all_weights, target) + transformed / bytes_a_cycle(transformed, target);
  const bool four = plan.m == 4;
  const double transforms =
      static_cast<double>(plan.tiles) *
      (static_cast<double>(blocks) * (four ? kIn4 : kIn2) + static_cast<double>(out_blocks) * (four ? kOut4 : kOut2));
  return {static_cast<double>(tile_blocks) * (groups * together(products / kProductShare, moving) + transforms),
          all_weights};
}

struct Method {
  Cost cost;
  std::optional<WinogradPlan> winograd;
};

/// What F(4x4)'s answers err by, of the largest one: as the direct sums', with the square root of what is summed, and
/// up to four times as much (winograd_error_test). F(2x2) errs less than they.
double rounding_of_four(std::int64_t channels) { return 2.2e-7 * std::sqrt(static_cast<double>(channels)); }
constexpr double kMostRounding = 1e-5;  // of one layer: a tenth of what `fast` allows a network

/// All that Winograd's method may do, nothing where it does not fit: for m = 2 and 4, blocks of as many tiles as divide
/// all.
std::vector<WinogradPlan> winograd_plans(const Problem& p, const Target& target) {
  constexpr std::int64_t kMostTiles = 256;
  constexpr std::int64_t kMostScratch = std::int64_t{24} << 20;  // bytes of a thread
  std::vector<WinogradPlan> plans;
  if (!p.is_3x3) return plans;
  for (const std::int64_t m : {2, 4}) {
    if (m == 4 && rounding_of_four(p.channels) > kMostRounding) continue;
    WinogradPlan plan{m, up(p.rows, m), up(p.columns, m), 0};
    const std::int64_t all = p.batch * plan.tile_rows * plan.tile_columns;
    for (plan.tiles = 1; plan.tiles <= std::min(all, kMostTiles); ++plan.tiles) {
      const std::int64_t scratch =
          (m + 2) * (m + 2) * plan.tiles * (p.channels + std::int64_t{8} * target.vector_floats) * 4;
      if (all % plan.tiles == 0 && scratch <= kMostScratch) plans.push_back(plan);
    }
  }
  return plans;
}

Method best_method(const Problem& p, const Target& target, Math math) {
  Method best{direct_cost(p.direct(), target), std::nullopt};
  if (math == Math::kStrict) return best;
  for (const WinogradPlan& plan : winograd_plans(p, target)) {
    const Cost cost = winograd_cost(p, plan, target);
    if (cost.cycles < best.cost.cycles) best = {cost, plan};
  }
  return best;
}

/// Enough for weights to be packed a second time: of this layer, whatever its share of the network is. Many small gains
/// would otherwise never be had, and what a packing costs is its own layer's, too.
bool wins(const Cost& cost, const Cost& packed) {
  constexpr double kLeastGain = 0.05;
  return cost.cycles <= (1 - kLeastGain) * packed.cycles;
}

/// The fastest with weights as they lie packed already.
std::optional<Method> best_packed(const Problem& p, const std::vector<Packing>& there, const Target& target) {
  std::optional<Method> best;
  if (there.empty()) return best;
  const auto take = [&](const Cost& cost, std::optional<WinogradPlan> plan) {
    if (!best || cost.cycles < best->cost.cycles) best = {cost, plan};
  };
  const std::vector<WinogradPlan> plans = winograd_plans(p, target);
  for (const Packing& packing : there) {
    if (packing.m == 0) take(direct_cost(p.direct(), target, packing.vectors), std::nullopt);
    for (WinogradPlan plan : plans) {
      if (plan.m != packing.m) continue;
      plan.vectors = packing.vectors;
      take(winograd_cost(p, plan, target), plan);
    }
  }
  return best;
}

Cost depthwise_cost(const Problem& p, const Target& target) {
  const auto blocks = static_cast<double>(up(p.channels, target.vector_floats));
  return {blocks * static_cast<double>(p.batch * p.rows * p.columns * p.window) / kDepthwiseShare,
          blocks * static_cast<double>(p.window * target.vector_floats) * sizeof(float)};
}

/// Terms for each element that is taken or given, whichever are more.
double elementwise_cycles(const Graph& graph, const Node& node, std::size_t terms, const Target& target) {
  std::int64_t most = count(graph.shape(node.output));
  for (const ValueId id : node.inputs) most = std::max(most, count(graph.shape(id)));
  return static_cast<double>(most * static_cast<std::int64_t>(terms)) * kTerm / target.vector_floats;
}

}  // namespace

double at_level(double bytes, const Target& target, double near, double far, double memory) {
  constexpr double kShareOfL2 = 0.67, kShareOfL3 = 0.375;  // what others leave: of L3 a core's part
  if (bytes <= kShareOfL2 * static_cast<double>(target.l2_bytes)) return near;
  return bytes <= kShareOfL3 * static_cast<double>(target.l3_bytes) ? far : memory;
}

/// Seen on a core of 2022 (ResNet50's layers at batch 1 and 8).
double wait_of_byte(double bytes, const Target& target) {
  constexpr double kNear = 0, kFar = 0.02, kMemory = 0.2;
  return at_level(bytes, target, kNear, kFar, kMemory);
}

double gain_of_bands(const Graph& graph, const Node& dense, const Node& depthwise, const Target& target) {
  constexpr double kMove = 2;  // cycles of a vector
  const Problem p = problem_of(graph, dense, graph.shape(dense.inputs[0])[0]);
  const Conv& conv = std::get<Conv>(depthwise.operation);
  const std::int64_t blocks = up(p.outputs, target.vector_floats);
  // A row of the answer at least has its window's rows in the cache, however far that reaches.
  const double reach =
      static_cast<double>(graph.shape(depthwise.inputs[1])[2] - 1) * static_cast<double>(conv.dilations[0]) + 1;
  const double width =
      static_cast<double>(conv.begin[1]) + static_cast<double>(p.columns) + static_cast<double>(conv.end[1]);
  if (reach * width * target.vector_floats * sizeof(float) > static_cast<double>(target.l2_bytes)) return 0;
  const auto row = static_cast<double>(blocks * p.batch * p.columns);
  const double image = row * static_cast<double>(p.rows * target.vector_floats) * sizeof(float);
  const auto bands =
      std::ceil(image / static_cast<double>(p.batch * blocks) / (kShareOfBand * static_cast<double>(target.l2_bytes)));
  const double moved = row * std::max(0.0, reach - static_cast<double>(conv.strides[0])) * (bands - 1);
  Problem by_rows = p;
  by_rows.batch = by_rows.rows = 1;
  const double rows = static_cast<double>(p.batch * p.rows);
  const double tails = direct_products(by_rows.direct(), target) * rows - direct_products(p.direct(), target);
  return 2 * image * wait_of_byte(image, target) - tails / kDirectShare - moved * kMove;
}

double gain_of_scaled_weights(const Graph& graph, const Node& conv, const Target& target) {
  const Problem p = problem_of(graph, conv, graph.shape(conv.inputs[0])[0]);
  const auto floats = static_cast<double>(count(graph.shape(conv.inputs[0]))), bytes = floats * sizeof(float);
  const auto weights =
      static_cast<double>(p.batch * p.channels * up(p.outputs, target.vector_floats) * target.vector_floats);
  const double weight_bytes = weights * sizeof(float);
  Problem by_sample = p;
  by_sample.batch = 1;
  const double tails =
      direct_products(by_sample.direct(), target) * static_cast<double>(p.batch) - direct_products(p.direct(), target);
  return (floats - weights) * kTerm / target.vector_floats +
         2 * (bytes * wait_of_byte(bytes, target) - weight_bytes * wait_of_byte(weight_bytes, target)) -
         tails / kDirectShare;
}

std::optional<WinogradPlan> winograd_of(const Graph& graph, const Node& node, const Target& target, Kept& kept) {
  const Problem p = problem_of(graph, node, graph.shape(node.inputs[0])[0]);
  if (const ConvSchedule* schedule = tuned(graph, node, target)) {
    if (schedule->m == 0) return std::nullopt;
    for (const WinogradPlan& plan : winograd_plans(p, target)) {
      if (plan.m == schedule->m && plan.tiles == schedule->tiles) return plan;
    }
  }
  const Method best = best_method(p, target, Math::kFast);
  const Shape& w = graph.shape(node.inputs[1]);
  const Constant& weights = *graph.value(node.inputs[1]).constant;
  const std::vector<Packing> there =
      kept.of(weights, {{0, contiguous_strides(w)}, w[0], w[1], {w[2], w[3]}}, target.vector_floats);
  const std::optional<Method> packed = best_packed(p, there, target);
  if (!packed) return best.winograd;
  if (!wins(best.cost, packed->cost)) return packed->winograd;
  const bool is_direct = std::any_of(there.begin(), there.end(), [](const Packing& t) { return t.m == 0; });
  if (!best.winograd && is_direct) return std::nullopt;  // direct_tile decides
  return kept.may_add(weights, best.cost.weights) ? best.winograd : packed->winograd;
}

Tile direct_tile(const DirectProblem& problem, const Constant& weights, const WeightView& view, const Target& target,
                 Kept& kept) {
  const std::int64_t blocks = up(problem.outputs, target.vector_floats);
  const Tile best = choose_tile(problem.row, blocks, target);
  std::int64_t vectors = 0;
  Cost least;
  for (const Packing& packing : kept.of(weights, view, target.vector_floats)) {
    if (packing.m != 0) continue;
    if (packing.vectors == best.vectors) return best;
    const Cost cost = direct_cost(problem, target, packing.vectors);
    if (vectors != 0 && cost.cycles >= least.cycles) continue;
    vectors = packing.vectors;
    least = cost;
  }
  if (vectors == 0) return best;
  const Cost own = direct_cost(problem, target);
  if (wins(own, least) && kept.may_add(weights, own.weights)) return best;
  return choose_tile(problem.row, blocks, target, vectors);
}

std::vector<ConvSchedule> schedules_of(const Graph& graph, const Node& node, const Target& target, Math math) {
  constexpr std::size_t kMostTiles = 3, kMostOfMethod = 4;
  const Problem p = problem_of(graph, node, graph.shape(node.inputs[0])[0]);
  const std::int64_t blocks = up(p.outputs, target.vector_floats);
  std::vector<std::pair<double, ConvSchedule>> found;
  const auto add = [&](double cycles, std::int64_t m, std::int64_t tiles, std::int64_t columns) {
    constexpr double kNextTile = 1.02;  // so that the best tile of each comes first
    std::size_t number = 0;
    for (const Tile& tile : tiles_by_cost(columns, blocks, target)) {
      if (number++ == kMostTiles) break;
      found.push_back({cycles, {m, tiles, tile}});
      cycles *= kNextTile;
    }
  };
  add(direct_cost(p.direct(), target).cycles, 0, 0, p.row());
  if (math == Math::kFast) {
    for (const WinogradPlan& plan : winograd_plans(p, target))
      add(winograd_cost(p, plan, target).cycles, plan.m, plan.tiles, plan.tiles);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ConvSchedule> schedules;
  std::map<std::int64_t, std::size_t> of_method;
  for (const auto& [cycles, schedule] : found) {
    if (of_method[schedule.m]++ < kMostOfMethod) schedules.push_back(schedule);
  }
  return schedules;
}

Cost cost_of(const Graph& graph, const Node& node, Share part, const Target& target, Math math) {
  const double share = static_cast<double>(part.samples) / static_cast<double>(part.of);
  if (std::holds_alternative<Conv>(node.operation)) {
    const Conv& conv = std::get<Conv>(node.operation);
    const std::int64_t samples = graph.shape(node.inputs[0])[0] * part.samples / part.of;
    Cost cost;
    if (is_dense(graph, node)) {
      cost = best_method(problem_of(graph, node, samples), target, math).cost;
    } else if (is_depthwise(graph, node)) {
      cost = depthwise_cost(problem_of(graph, node, samples), target);
    } else if (const auto plan = grouped_of(graph, node, part, target, math)) {
      cost = plan->cost;
    } else {
      cost = general_cost(graph, node, part, target);
    }
    cost.cycles += elementwise_cycles(graph, node, conv.after.terms.size(), target) * share;
    return cost;
  }
  if (std::holds_alternative<MatMul>(node.operation)) {
    const Shape &a = graph.shape(node.inputs[0]), &y = graph.shape(node.output);
    if (graph.value(node.inputs[1]).constant == nullptr || a.size() != 2)
      return {elementwise_cycles(graph, node, 1, target) * static_cast<double>(a.back()) * share, 0};
    const std::int64_t rows = a[0] * part.samples / part.of;
    return direct_cost({rows, rows, 1, a[1], y[1]}, target);
  }
  if (const Map* map = std::get_if<Map>(&node.operation))
    return {elementwise_cycles(graph, node, map->expression.terms.size(), target) * share, 0};
  if (const Pool* pool = std::get_if<Pool>(&node.operation))
    return {elementwise_cycles(graph, node, static_cast<std::size_t>(count(pool->kernel)), target) * share, 0};
  if (std::holds_alternative<Reduce>(node.operation)) return {elementwise_cycles(graph, node, 1, target) * share, 0};
  return {};
}

}  // namespace assay::compiler
