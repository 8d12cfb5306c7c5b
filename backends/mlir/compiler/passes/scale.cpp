// Which factors of channels are multiplied into the weights of a convolution and not into its input: the end of a
// squeeze-and-excitation, which else takes a large image through the caches once more.

#include <algorithm>

#include "compiler/algorithm.hpp"
#include "compiler/passes/pass.hpp"

namespace assay::compiler {
namespace {

/// One number a channel, the same for all samples or one each.
bool is_of_channels(const Shape& factors, const Shape& image) {
  return factors.size() == kImageAxes && (factors[0] == 1 || factors[0] == image[0]) && factors[1] == image[1] &&
         factors[2] == 1 && factors[3] == 1;
}

bool is_product_of_channels(const Graph& graph, const Node& node) {
  const Map* map = std::get_if<Map>(&node.operation);
  if (map == nullptr || node.inputs.size() != 2) return false;
  const std::vector<Term>& terms = map->expression.terms;
  const Shape& out = graph.shape(node.output);
  if (terms.size() != 3 || terms[2].op != Op::kMultiply || terms[2].element != Element::kF32 ||
      terms[0].op != Op::kInput || terms[1].op != Op::kInput || terms[0].number == terms[1].number)
    return false;
  if (out.size() != kImageAxes || out[2] * out[3] == 1) return false;
  const Shape &a = graph.shape(node.inputs[0]), &b = graph.shape(node.inputs[1]);
  return (a == out && is_of_channels(b, out)) || (b == out && is_of_channels(a, out));
}

}  // namespace

bool can_scale_weights(const Graph& graph, const Node& product, const Node& conv) {
  if (!is_dense(graph, conv) || !takes_blocks(graph, conv) || conv.inputs[0] != product.output) return false;
  const Conv& c = std::get<Conv>(conv.operation);
  const Shape &w = graph.shape(conv.inputs[1]), none = {0, 0};
  return w[2] == 1 && w[3] == 1 && c.begin == none && c.end == none && is_product_of_channels(graph, product);
}

void scale_weights(Graph& graph, const Target& target, Math /*math*/) {
  const std::vector<int> used = uses(graph), by = producers(graph);
  for (const Node& conv : graph.nodes) {
    if (!std::holds_alternative<Conv>(conv.operation)) continue;
    const auto x = static_cast<std::size_t>(conv.inputs[0]);
    if (by[x] < 0 || used[x] != 1) continue;
    Node& product = graph.nodes[static_cast<std::size_t>(by[x])];
    if (can_scale_weights(graph, product, conv) && gain_of_scaled_weights(graph, conv, target) > 0)
      std::get<Map>(product.operation).into_weights = true;
  }
}

}  // namespace assay::compiler
