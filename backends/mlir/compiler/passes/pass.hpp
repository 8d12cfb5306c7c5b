#pragma once
// Passes over the graph: each can be left out, so that its worth can be measured.

#include <span>
#include <string>

#include "kernel.hpp"

namespace assay::compiler {

struct Pass {
  const char* name;
  /// Sets a flag of Planning for what is done as the graph is scheduled.
  void (*run)(Graph& graph, const Target& target, Math math);
};
/// In the order in which they run.
std::span<const Pass> passes();

/// All but those of a comma-separated list. Throws Unsupported for a name that is none.
void run_passes(Graph& graph, const Target& target, Math math, const std::string& without);

/// Factors and summands of a convolution's channels, as a batch normalization leaves them, into its weights and bias.
void fold_into_weights(Graph& graph);
/// A map that alone takes what a map or a convolution answers, into that.
void fuse_maps(Graph& graph);
/// What nobody takes.
void drop_unused(Graph& graph);

/// A batch into chunks that caches hold, of as many samples as pays.
void split_batch(Graph& graph, const Target& target, Math math);
/// `chunks`: by node, how many samples it takes at once: each a divisor of the batch and a multiple of the one before;
/// the batch for nodes that do not compute each sample by itself.
void split_batch(Graph& graph, const std::vector<std::int64_t>& chunks);

/// A convolution with the depthwise one that alone takes it, by bands of rows, where that should take less time.
void mark_bands(Graph& graph, const Target& target, Math math);
/// Whether it can be computed so, of a value that nobody else takes: a window of one pixel. (Three by three of a
/// network's first layer was slower so.)
bool can_be_in_bands(const Graph& graph, const Node& dense, const Node& depthwise);

/// A product of an image and a factor for each channel that a convolution of one pixel alone takes, as a
/// squeeze-and-excitation ends: into that one's weights, where it should take less time.
void scale_weights(Graph& graph, const Target& target, Math math);
/// Whether it can be so, of a value that nobody else takes.
bool can_scale_weights(const Graph& graph, const Node& product, const Node& conv);

/// Convolutions of whose image somebody takes the sum over rows and columns, as a global average pool: their kernels
/// add up rows while these are in registers.
void mark_sums(Graph& graph);

/// By value: how many nodes take it, and graph outputs, as often as they name it.
std::vector<int> uses(const Graph& graph);
/// By value: the node that computes it, or -1.
std::vector<int> producers(const Graph& graph);

}  // namespace assay::compiler
