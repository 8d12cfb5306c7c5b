// A batch in chunks: the first nodes are computed for a few samples, which a cache holds, before those for the next;
// later nodes, whose weights are large and whose images are small, for more samples or all.

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "compiler/batch.hpp"
#include "compiler/chunks.hpp"
#include "compiler/passes/pass.hpp"

namespace assay::compiler {
namespace {

/// Nodes that follow one another and take as many samples at once.
struct Level {
  std::int64_t chunk = 1;
  std::vector<Node> nodes;
  std::vector<ValueId> handed_on;  ///< values of this level and those before it that later ones take
};

class Splitter {
 public:
  Splitter(Graph& graph, Batch batch, const std::vector<std::int64_t>& chunks)
      : graph_(graph), batch_(std::move(batch)), level_of_(graph.values.size(), 0) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      Node& node = graph.nodes[n];
      if (batch_.nodes[n] == Batch::Takes::kNothing) {
        done_.push_back(std::move(node));
        continue;
      }
      if (levels_.empty() || levels_.back().chunk != chunks[n]) add_level(chunks[n]);
      level_of_[static_cast<std::size_t>(node.output)] = levels_.size() - 1;
      levels_.back().nodes.push_back(std::move(node));
    }
    if (levels_.empty() || levels_.back().chunk != batch_.samples) add_level(batch_.samples);
    find_handed_on();
    now_.resize(levels_.size());
    first_.resize(levels_.size());
  }

  void run() {
    compute(levels_.size() - 1, 0);
    for (ValueId& id : graph_.outputs) id = at(levels_.size() - 1, id);
    graph_.nodes = std::move(done_);
  }

 private:
  void add_level(std::int64_t chunk) {
    if (chunk < 1 || batch_.samples % chunk != 0 || (!levels_.empty() && chunk % levels_.back().chunk != 0))
      throw std::logic_error("chunks that do not divide the batch, or one another");
    levels_.push_back({chunk, {}, {}});
  }
  [[nodiscard]] bool is_of_batch(ValueId id) const { return batch_.values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }

  void find_handed_on() {
    std::map<ValueId, std::size_t> last;  // level that takes it
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      for (const Node& node : levels_[l].nodes) {
        for (const ValueId id : node.inputs) last[id] = l;
      }
    }
    for (const ValueId id : graph_.outputs) last[id] = levels_.size() - 1;
    for (const auto& [id, taken] : last) {
      if (!is_of_batch(id) || is_input(id)) continue;
      for (std::size_t l = level_of_[static_cast<std::size_t>(id)]; l < taken; ++l) levels_[l].handed_on.push_back(id);
    }
  }

  /// The nodes up to this level's, for its chunk of samples from `sample` on.
  void compute(std::size_t l, std::int64_t sample) {
    now_[l].clear();
    first_[l] = sample;
    const Level& level = levels_[l];
    if (l > 0) {
      std::map<ValueId, std::vector<ValueId>> parts;
      for (std::int64_t s = 0; s < level.chunk; s += levels_[l - 1].chunk) {
        compute(l - 1, sample + s);
        for (const ValueId id : levels_[l - 1].handed_on) parts[id].push_back(at(l - 1, id));
      }
      for (auto& [id, list] : parts) now_[l][id] = joined(id, std::move(list), level.chunk);
    }
    for (const Node& node : level.nodes) {
      Node copy = node;
      for (ValueId& id : copy.inputs) id = at(l, id);
      copy.output = now_[l][node.output] = part_of(node.output, level.chunk);
      done_.push_back(std::move(copy));
    }
  }

  /// What stands for a value in the chunk that a level is at.
  ValueId at(std::size_t l, ValueId id) {
    if (!is_of_batch(id)) return id;
    const auto found = now_[l].find(id);
    if (found != now_[l].end()) return found->second;
    const std::int64_t chunk = levels_[l].chunk;  // of an input
    if (chunk == batch_.samples) return id;
    const Shape strides = contiguous_strides(graph_.shape(id));
    const ValueId slice = part_of(id, chunk);
    done_.push_back({Strided{first_[l] * strides[0], strides}, {id}, slice, "part of the batch"});
    return now_[l][id] = slice;
  }

  ValueId part_of(ValueId id, std::int64_t chunk) {
    if (chunk == batch_.samples) return id;
    Value part = graph_.value(id);
    part.shape[0] = chunk;
    return graph_.add(std::move(part));
  }

  ValueId joined(ValueId id, std::vector<ValueId> parts, std::int64_t chunk) {
    if (parts.size() == 1) return parts[0];
    const ValueId whole = part_of(id, chunk);
    done_.push_back({Concat{0}, std::move(parts), whole, "parts of the batch"});
    return whole;
  }

  Graph& graph_;
  Batch batch_;
  std::vector<std::size_t> level_of_;  // by value
  std::vector<Level> levels_;
  std::vector<Node> done_;
  // By level: what stands for a value, and the first sample, of the chunk under way.
  std::vector<std::unordered_map<ValueId, ValueId>> now_;
  std::vector<std::int64_t> first_;
};

}  // namespace

void split_batch(Graph& graph, const std::vector<std::int64_t>& chunks) {
  Splitter(graph, batch_of(graph), chunks).run();
}

void split_batch(Graph& graph, const Target& target, Math math) {
  const std::vector<std::int64_t> chunks = chunks_of(graph, target, math);
  if (!chunks.empty()) split_batch(graph, chunks);
}

}  // namespace assay::compiler
