#include <algorithm>

#include "compiler/passes/pass.hpp"

namespace assay::compiler {
namespace {

constexpr std::size_t kMostTerms = 64;  // of one expression: beyond, registers run out

/// Where the value is in the list, to which it is added where it is not.
int place(std::vector<ValueId>& all, ValueId id) {
  const auto found = std::find(all.begin(), all.end(), id);
  if (found != all.end()) return static_cast<int>(found - all.begin());
  all.push_back(id);
  return static_cast<int>(all.size()) - 1;
}

/// Where `inner`'s answer is input `at` of the map `outer`.
void into_map(Node& inner, const Node& outer, int at) {
  Map& map = std::get<Map>(inner.operation);
  const Expression& taker = std::get<Map>(outer.operation).expression;
  std::vector<ValueId> all;
  std::vector<int> before, after;
  for (const ValueId id : inner.inputs) before.push_back(place(all, id));
  for (std::size_t i = 0; i < outer.inputs.size(); ++i) {
    after.push_back(static_cast<int>(i) == at ? -1 : place(all, outer.inputs[i]));
  }
  map.expression = composed(taker, at, map.expression, after, before);
  inner.inputs = all;
}

void into_conv(Node& inner, const Node& outer, int at) {
  Conv& conv = std::get<Conv>(inner.operation);
  const std::size_t own = conv.bias ? 3 : 2;
  std::vector<ValueId> others(inner.inputs.begin() + static_cast<std::ptrdiff_t>(own), inner.inputs.end());
  const Expression& taker = std::get<Map>(outer.operation).expression;
  std::vector<int> before = {0}, after;
  for (std::size_t i = 0; i < others.size(); ++i) before.push_back(static_cast<int>(i) + 1);
  for (std::size_t i = 0; i < outer.inputs.size(); ++i) {
    after.push_back(static_cast<int>(i) == at ? -1 : place(others, outer.inputs[i]) + 1);
  }
  Formula as_it_is;
  const Expression first = conv.after.terms.empty() ? as_it_is.done(as_it_is.input(0)) : conv.after;
  conv.after = composed(taker, at, first, after, before);
  inner.inputs.resize(own);
  inner.inputs.insert(inner.inputs.end(), others.begin(), others.end());
}

std::size_t terms_of(const Operation& operation) {
  if (const Map* map = std::get_if<Map>(&operation)) return map->expression.terms.size();
  if (const Conv* conv = std::get_if<Conv>(&operation)) return conv->after.terms.size();
  return kMostTerms;
}

class Fusion {
 public:
  explicit Fusion(Graph& graph)
      : graph_(graph), used_(uses(graph)), by_(producers(graph)), gone_(graph.nodes.size(), false) {}

  void run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      while (std::holds_alternative<Map>(graph_.nodes[n].operation) && fuse(n)) {
      }
    }
    std::size_t n = 0;
    std::erase_if(graph_.nodes, [&](const Node&) { return gone_[n++]; });
  }

 private:
  /// Node n, a map, with what computes one of its inputs. The later node stays: all that both take is there by then.
  bool fuse(std::size_t n) {
    Node& outer = graph_.nodes[n];
    for (std::size_t i = 0; i < outer.inputs.size(); ++i) {
      const ValueId x = outer.inputs[i];
      const int before = by_[static_cast<std::size_t>(x)];
      if (before < 0 || gone_[static_cast<std::size_t>(before)] || !fits(x, outer, static_cast<std::size_t>(before)))
        continue;
      Node inner = graph_.nodes[static_cast<std::size_t>(before)];
      count(inner.inputs, -1);
      count(outer.inputs, -1);
      std::holds_alternative<Map>(inner.operation) ? into_map(inner, outer, static_cast<int>(i))
                                                   : into_conv(inner, outer, static_cast<int>(i));
      inner.output = outer.output;
      outer = std::move(inner);
      count(outer.inputs, 1);
      gone_[static_cast<std::size_t>(before)] = true;
      return true;
    }
    return false;
  }

  void count(const std::vector<ValueId>& values, int times) {
    for (const ValueId id : values) used_[static_cast<std::size_t>(id)] += times;
  }

  /// Nobody else takes x, and it is as large as the answer.
  [[nodiscard]] bool fits(ValueId x, const Node& outer, std::size_t before) const {
    const Node& inner = graph_.nodes[before];
    const bool map = std::holds_alternative<Map>(inner.operation), conv = std::holds_alternative<Conv>(inner.operation);
    return (map || conv) && used_[static_cast<std::size_t>(x)] == 1 && graph_.shape(x) == graph_.shape(outer.output) &&
           terms_of(inner.operation) + terms_of(outer.operation) <= kMostTerms &&
           (map || graph_.value(outer.output).element == Element::kF32);
  }

  Graph& graph_;
  std::vector<int> used_, by_;
  std::vector<bool> gone_;
};

}  // namespace

void fuse_maps(Graph& graph) { Fusion(graph).run(); }

}  // namespace assay::compiler
