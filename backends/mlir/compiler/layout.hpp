#pragma once
// Which values lie in blocked layout, with how wide a border, and which are part of another's memory.

#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "grouped.hpp"
#include "packed_weights.hpp"
#include "plan.hpp"

namespace assay::compiler {

/// Batch, channels, rows, columns.
constexpr std::size_t kImageAxes = 4;

/// Zeros around an image: what windows reach beyond it.
struct Border {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
  void widen(const Border& other);
  [[nodiscard]] bool empty() const { return top == 0 && left == 0 && bottom == 0 && right == 0; }
};

/// A value that is computed where a concatenation has it.
struct Part {
  ValueId whole = -1;
  std::int64_t first_channel = 0, first_sample = 0;
};

/// How a convolution is computed by Winograd's method.
struct WinogradPlan {
  std::int64_t m = 0;                            ///< rows and columns of an output tile
  std::int64_t tile_rows = 0, tile_columns = 0;  ///< of an image
  std::int64_t tiles = 0;                        ///< of a block
  std::int64_t vectors = 0;                      ///< as its weights lie packed already; 0: they do not
};

struct Layouts {
  std::unordered_map<ValueId, Border> borders;
  std::unordered_map<ValueId, Part> parts;
  std::unordered_map<ValueId, WinogradPlan> winograd;  ///< by the convolution's output
  std::unordered_map<ValueId, GroupedPlan> grouped;    ///< likewise
  std::unordered_set<ValueId> pools;  ///< outputs of pools whose input's border of zeros is right for them
};

/// Over images of f32, with weights that are known: they can be arranged when the model is opened. None is without the
/// pass `layout`.
bool is_known_conv(const Graph& graph, const Node& node);
/// The same, of one group; of a channel each. Of other groups: grouped.hpp.
bool is_dense(const Graph& graph, const Node& node);
bool is_depthwise(const Graph& graph, const Node& node);
/// Of such a convolution: bias and others are there as the blocked kernels want them: the bias known, others images, or
/// of one channel.
bool takes_blocks(const Graph& graph, const Node& node);
/// Along channels, each part of whole blocks but the last.
bool joins_blocks(const Graph& graph, const Node& node, std::int64_t lanes);

/// Along the batch, of images.
bool joins_samples(const Graph& graph, const Node& node);

Layouts layouts_of(const Graph& graph, const Target& target, Math math, Kept& kept);

constexpr std::int64_t kMostVectors = 8;  ///< of a tile

/// How the output's pixels and blocks are divided among registers.
struct Tile {
  std::int64_t vectors = 1, tile = 1;
  friend bool operator==(const Tile&, const Tile&) = default;
};
/// Those that registers hold, the one that should take least time first (see layout.cpp for the model).
std::vector<Tile> tiles_by_cost(std::int64_t columns, std::int64_t blocks, const Target& target);
/// The first of them, or of those of so many vectors.
Tile choose_tile(std::int64_t columns, std::int64_t blocks, const Target& target, std::int64_t vectors = 0);
/// What a tile takes of that time.
std::int64_t tile_cost(std::int64_t columns, std::int64_t blocks, const Tile& tile);

/// Of the second cache, what lies between two convolutions in a band of rows; the rest is for inputs, weights and
/// outputs.
constexpr double kShareOfBand = 0.4;
/// Pixels of a row that a depthwise convolution computes at once: their sums and a row of weights are in registers.
std::int64_t depthwise_tile(std::int64_t columns, std::int64_t window_columns, const Target& target);

}  // namespace assay::compiler
