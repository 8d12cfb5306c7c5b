#pragma once
// Which nodes compute each sample of a batch by itself.

#include <vector>

#include "graph.hpp"

namespace assay::compiler {

struct Batch {
  enum class Takes {
    kNothing,   ///< no value of the batch: computed once for all
    kApart,     ///< samples of the batch, each for itself: a part of the batch gives that part of the answer
    kTogether,  ///< the batch as a whole
  };
  std::int64_t samples = 1;  ///< the first axis of the graph's first input; of 1, or none, nothing is of the batch
  std::vector<bool> values;  ///< by value: its first axis is that of the batch
  std::vector<Takes> nodes;  ///< by node
};

Batch batch_of(const Graph& graph);

}  // namespace assay::compiler
