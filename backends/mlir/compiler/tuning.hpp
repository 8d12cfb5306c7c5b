#pragma once
// How convolutions are computed where that was measured and not left to the model of algorithm.cpp.

#include <map>
#include <optional>
#include <string>

#include "layout.hpp"

namespace assay::compiler {

struct ConvSchedule {
  std::int64_t m = 0;      ///< 0: by the definition; else Winograd's F(m x m, 3 x 3)
  std::int64_t tiles = 0;  ///< of a block, of Winograd's method
  Tile tile;
  friend bool operator==(const ConvSchedule&, const ConvSchedule&) = default;
};

/// What was faster than the model's choice, and by how much; of one convolution alone.
struct Tuned {
  ConvSchedule schedule;
  std::int64_t model_ns = 0, ns = 0;
  friend bool operator==(const Tuned&, const Tuned&) = default;
};

struct Tuning {
  int problems = 0;                        ///< different convolutions that could be measured
  int measured = 0;                        ///< in the time that there was, those that should take longest first
  std::map<std::string, Tuned> schedules;  ///< by problem_text; what does not fit a convolution is not looked at
};

/// What convolutions that one schedule suits have in common: shapes, window, and how long the expression behind it is.
std::string problem_text(const Graph& graph, const Node& node);

/// The target's schedule for a convolution; nullptr: none.
const ConvSchedule* tuned(const Graph& graph, const Node& node, const Target& target);
/// The schedule's tile where there is one of this method (m) that fits, the model's otherwise.
Tile tile_of(const ConvSchedule* schedule, std::int64_t m, const Tile& model, std::int64_t columns, std::int64_t blocks,
             const Target& target);

/// How many there were, then a line for each that was changed; read back exactly. Nothing for a text that is none.
std::string to_text(const Tuning& tuning);
std::optional<Tuning> tuning_of(const std::string& text);

}  // namespace assay::compiler
