// The model: a node computes as long as algorithm.cpp says, and waits for what it moves: for the images that it takes
// and gives, in the memory that holds those of a chunk; for weights, once for each chunk, in what holds all that lies
// between two chunks. Of all ways to give nodes chunks that grow, the one that takes fewest cycles a sample is found
// exactly.

#include "chunks.hpp"

#include <algorithm>
#include <limits>

#include "algorithm.hpp"
#include "batch.hpp"

namespace assay::compiler {
namespace {

constexpr double kStep = 2000;                               // cycles to begin a kernel, and to wait for all threads
constexpr double kLeastGain = 0.02;                          // of the time: for less nothing is split
constexpr std::int64_t kMostParts = 32, kMostNodes = 20000;  // copies of a node; all nodes with their copies

double bytes_of_sample(const Graph& graph, ValueId id, std::int64_t samples) {
  const Value& v = graph.value(id);
  return static_cast<double>(count(v.shape)) * static_cast<double>(bytes_of(v.element)) / static_cast<double>(samples);
}

struct Work {
  bool apart = false;  ///< of the batch's samples
  double moved = 0;    ///< bytes of a sample
  double weights = 0;  ///< bytes
  double before = 0;   ///< bytes of weights up to this node's
};

class Choice {
 public:
  Choice(const Graph& graph, const Target& target, Math math)
      : graph_(graph), target_(target), math_(math), batch_(batch_of(graph)) {
    const std::int64_t nodes = std::max<std::int64_t>(1, static_cast<std::int64_t>(graph.nodes.size()));
    const std::int64_t most = std::min(kMostParts, std::max<std::int64_t>(1, kMostNodes / nodes));
    for (std::int64_t parts = std::min(most, batch_.samples); parts >= 1; --parts) {
      if (batch_.samples % parts == 0) sizes_.push_back(batch_.samples / parts);
    }
  }

  std::vector<std::int64_t> run() {
    if (sizes_.size() < 2) return {};
    describe();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    // best[c]: cycles a sample of the nodes so far, where the last of them has sizes_[c]; came_from: what the one
    // before has.
    std::vector<double> best(sizes_.size(), 0);
    std::vector<std::vector<std::size_t>> came_from;
    double whole = 0;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      std::vector<std::size_t>& from = came_from.emplace_back(sizes_.size(), 0);
      std::vector<double> next(sizes_.size(), kInfinity);
      for (std::size_t c = 0; c < sizes_.size(); ++c) {
        for (std::size_t before = 0; before <= c; ++before) {
          if (sizes_[c] % sizes_[before] != 0 || best[before] > next[c]) continue;
          next[c] = best[before];
          from[c] = before;
        }
        const double own = cycles(n, c);
        next[c] += own;
        if (c + 1 == sizes_.size()) whole += own;
      }
      best = std::move(next);
    }
    const auto least = std::min_element(best.begin(), best.end());
    if (*least > (1 - kLeastGain) * whole) return {};
    return back(came_from, static_cast<std::size_t>(least - best.begin()));
  }

 private:
  void describe() {
    double before = 0;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      Work w;
      w.apart = batch_.nodes[n] == Batch::Takes::kApart;
      for (const ValueId id : node.inputs) {
        if (batch_.values[static_cast<std::size_t>(id)]) w.moved += bytes_of_sample(graph_, id, batch_.samples);
      }
      w.moved += bytes_of_sample(graph_, node.output, batch_.samples);
      w.weights = cost_of(graph_, node, {1, 1}, target_, math_).weights;
      w.before = before += w.weights;
      work_.push_back(w);
    }
  }

  /// Of a sample, in chunks of sizes_[c].
  double cycles(std::size_t n, std::size_t c) {
    const Work& w = work_[n];
    const bool all = c + 1 == sizes_.size();
    if (batch_.nodes[n] == Batch::Takes::kNothing) return 0;
    if (!w.apart && !all) return std::numeric_limits<double>::infinity();
    const auto chunk = static_cast<double>(sizes_[c]);
    const Cost cost = cost_of(graph_, graph_.nodes[n], {sizes_[c], batch_.samples}, target_, math_);
    if (cost.cycles == 0) return 0;
    const double between = all ? work_.back().before : w.before;
    const double waits =
        chunk * w.moved * wait_of_byte(chunk * w.moved, target_) + cost.weights * wait_of_byte(between, target_);
    return (cost.cycles + waits + kStep) / chunk;
  }

  [[nodiscard]] std::vector<std::int64_t> back(const std::vector<std::vector<std::size_t>>& came_from,
                                               std::size_t last) const {
    std::vector<std::int64_t> chunks(came_from.size());
    for (std::size_t n = came_from.size(); n-- > 0;) {
      chunks[n] = sizes_[last];
      last = came_from[n][last];
    }
    return chunks;
  }

  const Graph& graph_;
  const Target& target_;
  Math math_;
  Batch batch_;
  std::vector<std::int64_t> sizes_;
  std::vector<Work> work_;
};

}  // namespace

std::vector<std::int64_t> chunks_of(const Graph& graph, const Target& target, Math math) {
  return Choice(graph, target, math).run();
}

}  // namespace assay::compiler
