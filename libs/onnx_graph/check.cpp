// Names, edges and order: what makes a list of nodes a graph.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "onnx_graph/reader.hpp"

namespace assay::onnx_graph {
namespace {

/// Where a value of the graph comes from.
constexpr std::size_t kGiven = SIZE_MAX;  // an input or initializer
/// Nodes of a cycle that a message names.
constexpr std::size_t kShown = 6;

class GraphCheck {
 public:
  GraphCheck(Reading& reading, Graph& graph) : reading_(reading), graph_(graph) {}

  /// Who uses a value from around the graph first; "" where nobody does.
  std::string run() {
    define_given();
    define_outputs();
    find_dependencies();
    check_results();
    sort();
    return first_capture_;
  }

 private:
  void define_given() {
    for (const ValueInfo& input : graph_.inputs) {
      if (input.name.empty()) reading_.fail("an input of the graph has no name");
      if (!origin_.emplace(input.name, kGiven).second) {
        reading_.fail(fmt::format("two inputs of the graph are called {}", quote(input.name)));
      }
    }
    std::unordered_set<std::string_view> seen;
    for (const Tensor& t : graph_.initializers) {
      if (t.name.empty()) reading_.fail("an initializer has no name");
      if (!seen.insert(t.name).second) reading_.fail(fmt::format("two initializers are called {}", quote(t.name)));
      origin_.emplace(t.name, kGiven);
    }
    for (const Tensor& t : graph_.sparse_initializers) {
      if (t.name.empty()) reading_.fail("a sparse initializer has no name");
      if (!seen.insert(t.name).second) reading_.fail(fmt::format("two initializers are called {}", quote(t.name)));
      origin_.emplace(t.name, kGiven);
    }
  }

  void define_outputs() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (node.op_type.empty()) reading_.fail(fmt::format("{} has no operator", label(node)));
      check_attributes(node);
      for (const std::string& output : node.outputs) {
        if (output.empty()) continue;
        const auto [found, fresh] = origin_.emplace(output, i);
        if (!fresh) {
          reading_.fail(fmt::format("value {} is defined twice: by {} and {}", quote(output),
                                    found->second == kGiven ? "the graph's inputs" : label(graph_.nodes[found->second]),
                                    label(node)));
        }
      }
    }
  }

  void check_attributes(const Node& node) {
    std::vector<std::string_view> names;
    for (const Attribute& a : node.attributes) names.push_back(a.name);
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
      reading_.fail(fmt::format("{} has the attribute {} twice", label(node), quote(*twice)));
    }
  }

  void capture(const std::string& name, const std::string& user) {
    if (!captured_.insert(name).second) return;
    if (graph_.captured.empty()) first_capture_ = user;
    reading_.charge(name.size() + sizeof(std::string));
    graph_.captured.push_back(name);
  }

  void use(std::size_t node, const std::string& name) {
    if (const auto found = origin_.find(name); found == origin_.end()) {
      capture(name, label(graph_.nodes[node]));
    } else if (found->second != kGiven) {
      dependencies_[node].push_back(found->second);
    }
  }

  void find_dependencies() {
    dependencies_.resize(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      for (const std::string& input : node.inputs) {
        if (!input.empty()) use(i, input);
      }
      for (const Attribute& a : node.attributes) {
        if (const auto* one = std::get_if<std::shared_ptr<const Graph>>(&a.value)) use_subgraph(i, **one);
        if (const auto* many = std::get_if<std::vector<std::shared_ptr<const Graph>>>(&a.value)) {
          for (const auto& each : *many) use_subgraph(i, *each);
        }
      }
    }
  }

  void use_subgraph(std::size_t node, const Graph& subgraph) {
    for (const std::string& name : subgraph.captured) use(node, name);
  }

  void check_results() {
    for (const ValueInfo& output : graph_.outputs) {
      if (!origin_.contains(output.name)) capture(output.name, "the graph's list of outputs");
    }
  }

  void sort() {
    bool sorted = true;
    for (std::size_t i = 0; i < dependencies_.size(); ++i) {
      for (const std::size_t d : dependencies_[i]) sorted = sorted && d < i;
    }
    if (sorted) return;
    std::vector<std::vector<std::size_t>> users(dependencies_.size());
    std::vector<std::size_t> missing(dependencies_.size());
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>
        ready;  // keeps the file's order where it can
    for (std::size_t i = 0; i < dependencies_.size(); ++i) {
      missing[i] = dependencies_[i].size();
      for (const std::size_t d : dependencies_[i]) users[d].push_back(i);
      if (missing[i] == 0) ready.push(i);
    }
    std::vector<Node> ordered;
    ordered.reserve(graph_.nodes.size());
    std::vector<bool> done(dependencies_.size());
    while (!ready.empty()) {
      const std::size_t i = ready.top();
      ready.pop();
      done[i] = true;
      ordered.push_back(std::move(graph_.nodes[i]));
      for (const std::size_t user : users[i]) {
        if (--missing[user] == 0) ready.push(user);
      }
    }
    if (ordered.size() != graph_.nodes.size()) fail_cycle(done);
    graph_.nodes = std::move(ordered);
  }

  [[noreturn]] void fail_cycle(const std::vector<bool>& done) {
    auto i = static_cast<std::size_t>(std::find(done.begin(), done.end(), false) - done.begin());
    // A node that waits has one that it waits for; looked for once, since it may have a million that are done.
    std::vector<std::size_t> next(done.size(), kGiven);
    const auto step = [&] {
      if (next[i] == kGiven) {
        next[i] =
            *std::find_if(dependencies_[i].begin(), dependencies_[i].end(), [&](std::size_t d) { return !done[d]; });
      }
      i = next[i];
    };
    for (std::size_t n = 0; n < done.size(); ++n) step();  // now surely within the cycle
    std::string path = label(graph_.nodes[i]);
    const std::size_t first = i;
    std::size_t length = 0;
    do {
      step();
      if (++length < kShown) path += " ← " + label(graph_.nodes[i]);
    } while (i != first);
    reading_.fail(fmt::format("the graph has a cycle of {} nodes: {}{}", length, path, length >= kShown ? " …" : ""));
  }

  Reading& reading_;
  Graph& graph_;
  std::unordered_map<std::string, std::size_t> origin_;
  std::vector<std::vector<std::size_t>> dependencies_;
  std::unordered_set<std::string> captured_;
  std::string first_capture_;
};

}  // namespace

void check_and_sort(Reading& reading, Graph& graph, bool outermost) {
  const std::string user = GraphCheck(reading, graph).run();
  if (!outermost || graph.captured.empty()) return;
  const std::size_t more = graph.captured.size() - 1;
  reading.fail(fmt::format("{} uses value {}, which no input, initializer or node defines{}", user,
                           quote(graph.captured[0]), more > 0 ? fmt::format(" (nor {} more)", more) : ""));
}

}  // namespace assay::onnx_graph
