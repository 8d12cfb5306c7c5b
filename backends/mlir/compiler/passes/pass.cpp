#include "compiler/passes/pass.hpp"

#include <algorithm>
#include <array>

namespace assay::compiler {
namespace {

/// A pass that needs to know nothing but the graph.
template <void (*kRun)(Graph&)>
void of_graph(Graph& graph, const Target& /*target*/, Math /*math*/) {
  kRun(graph);
}

/// One that is done as the graph is scheduled.
template <bool Planning::* kFlag>
void planned(Graph& graph, const Target& /*target*/, Math /*math*/) {
  graph.planning.*kFlag = true;
}

constexpr std::array<Pass, 11> kPasses = {{
    // Images that convolutions take and give lie in blocks of channels.
    {"layout", planned<&Planning::layout>},
    // Parts of a concatenation are computed in its place.
    {"concat", planned<&Planning::concat>},
    // What depends on constants alone is computed once, when the model is opened.
    {"constants", planned<&Planning::constants>},
    // Values share memory where none is needed while another is.
    {"memory", planned<&Planning::memory>},
    {"fold", of_graph<fold_into_weights>},
    {"fuse", of_graph<fuse_maps>},
    {"drop", of_graph<drop_unused>},
    {"split", split_batch},
    {"scale", scale_weights},
    {"bands", mark_bands},
    {"pool", of_graph<mark_sums>},
}};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t from = 0; from < list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    if (comma > from) names.push_back(list.substr(from, comma - from));
    from = comma + 1;
  }
  return names;
}

}  // namespace

std::span<const Pass> passes() { return kPasses; }

void run_passes(Graph& graph, const Target& target, Math math, const std::string& without) {
  const std::vector<std::string> left_out = split(without);
  for (const std::string& name : left_out) {
    if (std::any_of(kPasses.begin(), kPasses.end(), [&](const Pass& p) { return name == p.name; })) continue;
    std::string known;
    for (const Pass& p : kPasses) known += (known.empty() ? "" : ", ") + std::string(p.name);
    throw Unsupported("there is no pass '" + name + "' to leave out; there are " + known);
  }
  graph.planning = {.layout = false, .concat = false, .constants = false, .memory = false};
  for (const Pass& p : kPasses) {
    if (std::find(left_out.begin(), left_out.end(), p.name) == left_out.end()) p.run(graph, target, math);
  }
}

std::vector<int> uses(const Graph& graph) {
  std::vector<int> count(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) ++count[static_cast<std::size_t>(id)];
  }
  for (const ValueId id : graph.outputs) ++count[static_cast<std::size_t>(id)];
  return count;
}

std::vector<int> producers(const Graph& graph) {
  std::vector<int> by(graph.values.size(), -1);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    by[static_cast<std::size_t>(graph.nodes[n].output)] = static_cast<int>(n);
  return by;
}

void drop_unused(Graph& graph) {
  std::vector<bool> wanted(graph.values.size(), false);
  for (const ValueId id : graph.outputs) wanted[static_cast<std::size_t>(id)] = true;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!wanted[static_cast<std::size_t>(node->output)]) continue;
    for (const ValueId id : node->inputs) wanted[static_cast<std::size_t>(id)] = true;
  }
  std::erase_if(graph.nodes, [&](const Node& n) { return !wanted[static_cast<std::size_t>(n.output)]; });
}

}  // namespace assay::compiler
