// A dense convolution with the depthwise one that takes it, by bands of rows.

#include <stdexcept>
#include <utility>

#include "scheduler.hpp"

namespace assay::compiler {
namespace {

/// Rows of a band, all alike but the last: as many as a part of the second cache holds with what they are computed of.
std::int64_t rows_of_band(BandKernel k, const Target& target) {
  const double most = kShareOfBand * static_cast<double>(target.l2_bytes) / sizeof(float);
  const std::int64_t all = k.depthwise.rows;
  for (std::int64_t bands = 1; bands < all; ++bands) {
    k.rows = (all + bands - 1) / bands;
    if (static_cast<double>(k.scratch_floats()) <= most) return k.rows;
  }
  return 1;
}

}  // namespace

void Scheduler::convolve_in_bands(const Node& dense, const Convolution& depthwise) {
  const Node* const taker = std::exchange(node_, &dense);
  const std::optional<Convolution> first = convolution(std::get<Conv>(dense.operation));
  node_ = taker;
  if (!first) throw std::logic_error("not to be computed in bands: " + dense.label);
  BandKernel k;
  k.dense = kernel_of(*first);
  k.depthwise = kernel_of(depthwise);
  const std::int64_t blocks = blocks_of(first->out_shape[1]);
  const Tile tile = model_tile(*first, k.dense);
  k.dense.vectors = tile.vectors;
  k.dense.tile = tile.tile;
  k.dense.groups = blocks / tile.vectors;
  k.depthwise.groups = blocks;
  k.depthwise.tile = depthwise_tile(k.depthwise.columns, k.depthwise.kernel_columns, target_);
  const Conv& conv = depthwise.conv;
  k.top = conv.begin[0];
  k.left = conv.begin[1];
  k.width = conv.begin[1] + k.dense.columns + conv.end[1];
  k.rows = rows_of_band(k, target_);
  const BlockedAccess scratch{0, k.block_floats(), k.scratch_floats(), k.width * lanes_, lanes_};
  k.dense.output = k.depthwise.input = scratch;
  k.dense.output.offset = k.left * lanes_;
  std::vector<int> buffers = {add_buffer(0, Buffer::Place::kScratch), first->x.buffer, weights_of(*first, k.dense)};
  for (const BlockedView& o : first->others) buffers.push_back(o.buffer);
  buffers.push_back(packed(depthwise, k.depthwise));
  for (const BlockedView& o : depthwise.others) buffers.push_back(o.buffer);
  buffers.push_back(depthwise.out.buffer);
  add_sums(depthwise, k.depthwise, buffers);
  const std::string schedule = "bands of " + std::to_string(k.rows) + " rows, " + std::to_string(tile.tile) +
                               " pixels x " + std::to_string(tile.vectors) + " vectors, " +
                               std::to_string(k.dense.groups) + " groups";
  const std::int64_t products = count(first->out_shape) * count(first->window) * first->x_shape[1] +
                                count(depthwise.out_shape) * count(depthwise.window);
  add_step(std::move(k), buffers, schedule, static_cast<double>(products));
}

}  // namespace assay::compiler
