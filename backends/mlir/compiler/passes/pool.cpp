// Whose image is summed over rows and columns, as the global average pool of a squeeze-and-excitation does: the
// convolution adds up its rows while it computes them, and the image is not read once more for that.

#include "compiler/layout.hpp"
#include "compiler/passes/pass.hpp"

namespace assay::compiler {

void mark_sums(Graph& graph) {
  const std::vector<int> by = producers(graph);
  for (const Node& node : graph.nodes) {
    const Reduce* reduce = std::get_if<Reduce>(&node.operation);
    if (reduce == nullptr || reduce->combine != Reduce::Combine::kSum || reduce->axes != std::vector<std::size_t>{2, 3})
      continue;
    const int producer = by[static_cast<std::size_t>(node.inputs[0])];
    if (producer < 0) continue;
    Node& conv = graph.nodes[static_cast<std::size_t>(producer)];
    if (is_dense(graph, conv) || is_depthwise(graph, conv)) std::get<Conv>(conv.operation).with_sums = true;
  }
}

}  // namespace assay::compiler
