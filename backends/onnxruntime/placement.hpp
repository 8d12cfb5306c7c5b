#pragma once
// What the library's placement of nodes means: did the model run on the GPU? Pure.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace assay::ort {

/// Nodes that the library gave to one provider, each with its name and operator.
struct PlacedNodes {
  std::string provider;
  std::vector<std::pair<std::string, std::string>> nodes;
};

/// Nodes of one kind on the provider that was asked for, and on others.
struct NodeShare {
  std::size_t here = 0, elsewhere = 0;
  void count(bool is_here) { ++(is_here ? here : elsewhere); }
  /// More than a quarter is elsewhere.
  [[nodiscard]] bool mostly_lost() const;
};

struct PlacementCount {
  NodeShare all;
  /// All but those that tell, make or rearrange shapes, scalars and indices, by their operator (Shape, Gather, Concat,
  /// Cast, Reshape …), which the library leaves to the CPU on purpose. Arithmetic on shapes is counted, since an
  /// operator does not tell it from other arithmetic.
  NodeShare computing;
  NodeShare heavy;        ///< of those: convolutions, matrix products, attention, recurrences
  std::string names;      ///< of the first ones elsewhere: "Shape /a/Shape, NonZero /b, …"
  std::string operators;  ///< of all elsewhere, the most frequent first: "Gather 3, Shape 1"

  /// A figure would be the provider's: it has nodes, and neither of those that compute nor of the heavy ones is more
  /// than a quarter elsewhere.
  [[nodiscard]] bool runs_here() const;
};
/// `provider`: here.
PlacementCount count_placement(const std::vector<PlacedNodes>& placed, const std::string& provider);

}  // namespace assay::ort
