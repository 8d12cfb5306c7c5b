#pragma once
// Convolutions in groups that are not depthwise, over blocked layout.

#include <optional>
#include <vector>

#include "kernel.hpp"

namespace assay::compiler {

/// So many samples of a batch.
struct Share {
  std::int64_t samples = 1, of = 1;
};

struct Cost {
  double cycles = 0;   ///< 0: of a node that only says how values are seen
  double weights = 0;  ///< bytes of what lies packed
  friend bool operator==(const Cost&, const Cost&) = default;
};

/// Groups that together are whole blocks of input and of output channels are a part; parts are computed alike.
struct GroupedPlan {
  enum class Method {
    kPick,  ///< for each number of a group's channels, lanes pick their own group's: as many products as are defined
    kPart   ///< a dense convolution a part, where the part's groups are several with weights of zero between them
  };
  Method method = Method::kPick;
  std::int64_t parts = 1;
  std::int64_t blocks = 1, out_blocks = 1;  ///< of a part; the last part may have fewer of kPick
  Cost cost{};
  friend bool operator==(const GroupedPlan&, const GroupedPlan&) = default;
};

/// A convolution by the general kernels.
Cost general_cost(const Graph& graph, const Node& node, Share part, const Target& target);
/// The fastest way by a model of cycles, of a part of the batch; nothing: the general kernels, or it has one group or
/// is depthwise.
std::optional<GroupedPlan> grouped_of(const Graph& graph, const Node& node, Share part, const Target& target,
                                      Math math);

/// The picks of ConvKernel for the output block with this number in its part.
std::vector<Shape> picks_of(const Graph& graph, const Node& node, std::int64_t block, std::int64_t lanes);

}  // namespace assay::compiler
