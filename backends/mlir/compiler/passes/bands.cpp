// Which convolutions are computed by bands of rows with the depthwise convolution that takes them: the first half of an
// inverted bottleneck, whose widest image then never leaves a core's cache.

#include "compiler/algorithm.hpp"
#include "compiler/passes/pass.hpp"

namespace assay::compiler {

bool can_be_in_bands(const Graph& graph, const Node& dense, const Node& depthwise) {
  return is_dense(graph, dense) && is_depthwise(graph, depthwise) && depthwise.inputs[0] == dense.output &&
         takes_blocks(graph, dense) && takes_blocks(graph, depthwise) && graph.shape(dense.inputs[1])[2] == 1 &&
         graph.shape(dense.inputs[1])[3] == 1;
}

void mark_bands(Graph& graph, const Target& target, Math /*math*/) {
  const std::vector<int> used = uses(graph), by = producers(graph);
  for (const Node& taker : graph.nodes) {
    if (!is_depthwise(graph, taker)) continue;
    const auto x = static_cast<std::size_t>(taker.inputs[0]);
    if (by[x] < 0 || used[x] != 1) continue;
    Node& dense = graph.nodes[static_cast<std::size_t>(by[x])];
    if (can_be_in_bands(graph, dense, taker) && gain_of_bands(graph, dense, taker, target) > 0)
      std::get<Conv>(dense.operation).in_bands = true;
  }
}

}  // namespace assay::compiler
