#pragma once
// How many samples of a batch are computed at once.

#include <vector>

#include "kernel.hpp"

namespace assay::compiler {

/// By node: how many samples it should take at once, each a divisor of the batch and a multiple of the one before, so
/// that what a chunk needs stays in a cache as far as that pays (see chunks.cpp for the model). Nothing: the batch as
/// it is.
std::vector<std::int64_t> chunks_of(const Graph& graph, const Target& target, Math math);

}  // namespace assay::compiler
