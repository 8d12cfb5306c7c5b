#include "layout.hpp"

#include <algorithm>

#include "algorithm.hpp"
#include "compiler/passes/pass.hpp"

namespace assay::compiler {
namespace {

bool is_image(const Graph& graph, ValueId id) {
  const Value& v = graph.value(id);
  return v.shape.size() == kImageAxes && v.element == Element::kF32 && count(v.shape) > 0;
}

Border border_of(const Conv& conv) { return {conv.begin[0], conv.begin[1], conv.end[0], conv.end[1]}; }

/// Whole tiles reach beyond the image.
Border border_of(const Conv& conv, const WinogradPlan& plan, const Shape& x) {
  return {conv.begin[0], conv.begin[1], std::max<std::int64_t>(0, plan.tile_rows * plan.m + 2 - conv.begin[0] - x[2]),
          std::max<std::int64_t>(0, plan.tile_columns * plan.m + 2 - conv.begin[1] - x[3])};
}

/// The last thing that is done to it is max(…, 0).
bool is_never_negative(const Graph& graph, int producer) {
  if (producer < 0) return false;
  const Operation& operation = graph.nodes[static_cast<std::size_t>(producer)].operation;
  const Map* map = std::get_if<Map>(&operation);
  const Conv* conv = std::get_if<Conv>(&operation);
  const Expression* e = map != nullptr ? &map->expression : conv != nullptr ? &conv->after : nullptr;
  if (e == nullptr || e->terms.empty() || e->result().op != Op::kMaximum) return false;
  const Term& bound = e->terms[static_cast<std::size_t>(e->result().arguments[1])];
  return bound.op == Op::kNumber && bound.number >= 0;
}

/// Zeros around the input are as good as nothing there: for a sum, and for the largest of what is never negative.
bool takes_zeros(const Graph& graph, const Pool& pool, const Node& node, const std::vector<int>& by) {
  return is_image(graph, node.inputs[0]) &&
         (pool.kind == Pool::Kind::kAverage || is_never_negative(graph, by[static_cast<std::size_t>(node.inputs[0])]));
}

}  // namespace

void Border::widen(const Border& other) {
  top = std::max(top, other.top);
  left = std::max(left, other.left);
  bottom = std::max(bottom, other.bottom);
  right = std::max(right, other.right);
}

bool is_known_conv(const Graph& graph, const Node& node) {
  const Conv* conv = std::get_if<Conv>(&node.operation);
  if (!graph.planning.layout || conv == nullptr || !is_image(graph, node.inputs[0]) || !is_image(graph, node.output))
    return false;
  return graph.value(node.inputs[1]).constant != nullptr &&
         std::all_of(conv->begin.begin(), conv->begin.end(), [](std::int64_t p) { return p >= 0; }) &&
         std::all_of(conv->end.begin(), conv->end.end(), [](std::int64_t p) { return p >= 0; });
}

bool is_dense(const Graph& graph, const Node& node) {
  return is_known_conv(graph, node) && std::get<Conv>(node.operation).groups == 1;
}

bool is_depthwise(const Graph& graph, const Node& node) {
  if (!is_known_conv(graph, node)) return false;
  const std::int64_t groups = std::get<Conv>(node.operation).groups;
  constexpr std::int64_t kMostColumns = 16;  // the window's columns are unrolled
  if (graph.shape(node.inputs[1])[3] > kMostColumns) return false;
  return groups > 1 && groups == graph.shape(node.inputs[0])[1] && groups == graph.shape(node.output)[1];
}

bool takes_blocks(const Graph& graph, const Node& node) {
  const bool bias = std::get<Conv>(node.operation).bias;
  if (bias && graph.value(node.inputs[2]).constant == nullptr) return false;
  return std::all_of(node.inputs.begin() + (bias ? 3 : 2), node.inputs.end(), [&](ValueId id) {
    const Value& v = graph.value(id);
    constexpr std::size_t kFromChannels = kImageAxes - 1;
    const std::int64_t channels = v.shape.size() < kFromChannels ? 1 : v.shape[v.shape.size() - kFromChannels];
    return v.element == Element::kF32 && v.shape.size() <= kImageAxes &&
           (channels == 1 || channels == graph.shape(node.output)[1]);
  });
}

bool joins_blocks(const Graph& graph, const Node& node, std::int64_t lanes) {
  const Concat* concat = std::get_if<Concat>(&node.operation);
  if (concat == nullptr || concat->axis != 1 || !is_image(graph, node.output)) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end() - 1,
                     [&](ValueId id) { return graph.shape(id)[1] % lanes == 0; });
}

bool joins_samples(const Graph& graph, const Node& node) {
  const Concat* concat = std::get_if<Concat>(&node.operation);
  return concat != nullptr && concat->axis == 0 && is_image(graph, node.output);
}

namespace {

/// The method of each convolution: found once for the copies of a node, which share weights and problem.
class Methods {
 public:
  Methods(const Graph& graph, const Target& target, Kept& kept) : graph_(graph), target_(target), kept_(kept) {}
  const std::optional<WinogradPlan>& of(const Node& node) {
    const auto [at, is_new] = found_.try_emplace({node.inputs[1], problem_text(graph_, node)});
    if (is_new) at->second = winograd_of(graph_, node, target_, kept_);
    return at->second;
  }

 private:
  const Graph& graph_;
  const Target& target_;
  Kept& kept_;
  std::map<std::pair<ValueId, std::string>, std::optional<WinogradPlan>> found_;
};

}  // namespace

Layouts layouts_of(const Graph& graph, const Target& target, Math math, Kept& kept) {
  const std::int64_t lanes = target.vector_floats;
  Layouts layouts;
  Methods methods(graph, target, kept);
  const std::vector<int> by = producers(graph);
  for (const Node& node : graph.nodes) {
    if (const auto plan = grouped_of(graph, node, {1, 1}, target, math)) layouts.grouped[node.output] = *plan;
    if (is_dense(graph, node) || is_depthwise(graph, node) || layouts.grouped.contains(node.output)) {
      layouts.borders[node.inputs[0]].widen(border_of(std::get<Conv>(node.operation)));
    }
    if (math == Math::kFast && is_dense(graph, node)) {
      if (const auto& plan = methods.of(node)) {
        layouts.borders[node.inputs[0]].widen(
            border_of(std::get<Conv>(node.operation), *plan, graph.shape(node.inputs[0])));
        layouts.winograd[node.output] = *plan;
      }
    }
    if (const Pool* pool = std::get_if<Pool>(&node.operation); pool != nullptr && takes_zeros(graph, *pool, node, by)) {
      layouts.borders[node.inputs[0]].widen({pool->begin[0], pool->begin[1], pool->end[0], pool->end[1]});
      layouts.pools.insert(node.output);
    }
    const bool samples = joins_samples(graph, node);
    if (!graph.planning.concat) continue;
    if (!samples && !joins_blocks(graph, node, lanes)) continue;
    Part part{node.output, 0, 0};
    for (const ValueId id : node.inputs) {
      if (by[static_cast<std::size_t>(id)] >= 0) layouts.parts.try_emplace(id, part);
      (samples ? part.first_sample : part.first_channel) += graph.shape(id)[samples ? 0 : 1];
    }
  }
  // A part has its whole's border. Parts are computed before their wholes, so each knows its own by then.
  for (const Node& node : graph.nodes) {
    const auto part = layouts.parts.find(node.output);
    if (part != layouts.parts.end()) layouts.borders[part->second.whole].widen(layouts.borders[node.output]);
  }
  return layouts;
}

namespace {

template <class Visit>
void for_each_tile(std::int64_t columns, std::int64_t blocks, const Target& target, const Visit& visit) {
  for (std::int64_t v = 1; v <= kMostVectors; ++v) {
    if (blocks % v != 0) continue;
    for (std::int64_t p = 1; p * v + v + 1 <= target.registers && p <= columns; ++p)
      visit(tile_cost(columns, blocks, {v, p}), Tile{v, p});
  }
}

}  // namespace

/// A tile of p pixels and v vectors takes, for each input channel and tap, p * v multiplications, v loads of weights
/// and p of pixels; the two last go beside the multiplications, of which there must be enough to hide how long one
/// takes.
std::int64_t tile_cost(std::int64_t columns, std::int64_t blocks, const Tile& tile) {
  constexpr std::int64_t kLatency = 8, kOverhead = 1;
  const std::int64_t p = tile.tile, v = tile.vectors, tiles = (columns + p - 1) / p;
  return tiles * (blocks / v) * (std::max({p * v, p + v, kLatency}) + kOverhead);
}

std::vector<Tile> tiles_by_cost(std::int64_t columns, std::int64_t blocks, const Target& target) {
  std::vector<std::pair<std::int64_t, Tile>> found;
  for_each_tile(columns, blocks, target, [&](std::int64_t cost, const Tile& tile) { found.emplace_back(cost, tile); });
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Tile> tiles;
  for (const auto& [cost, tile] : found) tiles.push_back(tile);
  return tiles;
}

Tile choose_tile(std::int64_t columns, std::int64_t blocks, const Target& target, std::int64_t vectors) {
  Tile best;
  std::int64_t least = 0;
  for_each_tile(columns, blocks, target, [&](std::int64_t cost, const Tile& tile) {
    if ((least != 0 && cost >= least) || (vectors != 0 && tile.vectors != vectors)) return;
    least = cost;
    best = tile;
  });
  return best;
}

std::int64_t depthwise_tile(std::int64_t columns, std::int64_t window_columns, const Target& target) {
  constexpr std::int64_t kLeast = 4, kOthers = 2;  // registers for a pixel and the next one
  const std::int64_t most = std::max(kLeast, target.registers - window_columns - kOthers);
  const std::int64_t tiles = (columns + most - 1) / most;
  return (columns + tiles - 1) / tiles;
}

}  // namespace assay::compiler
