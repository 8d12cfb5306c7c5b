#include <optional>

#include "compiler/passes/pass.hpp"

namespace assay::compiler {
namespace {

std::vector<float> floats_of(const Value& value) {
  std::vector<float> all(static_cast<std::size_t>(count(value.shape)));
  if (!all.empty()) std::memcpy(all.data(), value.constant->bytes().data(), all.size() * sizeof(float));
  return all;
}

/// Of a constant that broadcasts along all axes but that of channels: one number a channel.
std::optional<std::vector<float>> of_channels(const Value& value, const Shape& output) {
  if (value.constant == nullptr || value.element != Element::kF32) return std::nullopt;
  const std::size_t rank = output.size(), own = value.shape.size();
  if (own > rank) return std::nullopt;
  for (std::size_t k = 0; k < own; ++k) {
    if (k + rank - own != 1 && value.shape[k] != 1) return std::nullopt;
  }
  std::vector<float> numbers = floats_of(value);
  const auto channels = static_cast<std::size_t>(output[1]);
  if (numbers.size() == 1) numbers.assign(channels, numbers[0]);
  return numbers.size() == channels ? std::optional(numbers) : std::nullopt;
}

/// x * a + b, the inputs in this order.
bool is_affine(const Expression& e) {
  Formula f;
  const X x = f.input(0), a = f.input(1), b = f.input(2);
  const Expression wanted = f.done(x * a + b);
  return e == wanted;
}

struct Affine3 {
  std::vector<float> factor, summand;
};

std::optional<Affine3> affine_of(const Graph& graph, const Node& node) {
  const Map* map = std::get_if<Map>(&node.operation);
  if (map == nullptr || node.inputs.size() != 3 || !is_affine(map->expression)) return std::nullopt;
  const Shape& shape = graph.shape(node.output);
  if (shape.size() < 3) return std::nullopt;
  auto factor = of_channels(graph.value(node.inputs[1]), shape);
  auto summand = of_channels(graph.value(node.inputs[2]), shape);
  if (!factor || !summand) return std::nullopt;
  return Affine3{std::move(*factor), std::move(*summand)};
}

/// The convolution's weights and bias times the factors, the summands added.
void scale(Graph& graph, Node& node, Conv& conv, const Affine3& affine) {
  const Value w = graph.value(node.inputs[1]);
  const std::size_t outputs = affine.factor.size();
  std::vector<float> bias = affine.summand;
  if (conv.bias) {
    const std::vector<float> before = floats_of(graph.value(node.inputs[2]));
    for (std::size_t c = 0; c < outputs; ++c) bias[c] += before[c] * affine.factor[c];
  }
  const ValueId scaled = graph.add(
      {w.name + ".folded", Element::kF32, w.shape, std::make_shared<const Constant>(w.constant, affine.factor)});
  const ValueId shift =
      graph.add({w.name + ".bias", Element::kF32, {static_cast<std::int64_t>(outputs)}, Constant::of(std::move(bias))});
  node.inputs = {node.inputs[0], scaled, shift};
  conv.bias = true;
}

bool is_constant(const Graph& graph, ValueId id) { return graph.value(id).constant != nullptr; }

}  // namespace

void fold_into_weights(Graph& graph) {
  const std::vector<int> used = uses(graph), by = producers(graph);
  std::vector<bool> gone(graph.nodes.size(), false);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const std::optional<Affine3> affine = affine_of(graph, graph.nodes[n]);
    if (!affine) continue;
    const ValueId x = graph.nodes[n].inputs[0];
    const int before = by[static_cast<std::size_t>(x)];
    if (before < 0 || used[static_cast<std::size_t>(x)] != 1) continue;
    Node& node = graph.nodes[static_cast<std::size_t>(before)];
    Conv* conv = std::get_if<Conv>(&node.operation);
    if (conv == nullptr || !conv->after.terms.empty() || !is_constant(graph, node.inputs[1]) ||
        (conv->bias && !is_constant(graph, node.inputs[2]))) {
      continue;
    }
    scale(graph, node, *conv, *affine);
    node.output = graph.nodes[n].output;
    gone[n] = true;
  }
  std::size_t n = 0;
  std::erase_if(graph.nodes, [&](const Node&) { return gone[n++]; });
}

}  // namespace assay::compiler
