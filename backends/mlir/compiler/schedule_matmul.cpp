// Products of matrices by the kernel of convolutions: a row of the left matrix is a pixel, its columns are channels.

#include <algorithm>
#include <span>

#include "scheduler.hpp"
#include "tuning.hpp"

namespace assay::compiler {
namespace {

/// The most lanes, of at most so many, that rows of n floats are made of; 0: none.
std::int64_t lanes_of(std::int64_t n, std::int64_t most) {
  for (const std::int64_t lanes : {16, 8, 4}) {
    if (lanes <= most && n % lanes == 0) return lanes;
  }
  return 0;
}

bool runs_forwards(const View& view) {
  return std::all_of(view.access.strides.begin(), view.access.strides.end(), [](std::int64_t s) { return s >= 0; });
}

}  // namespace

bool Scheduler::blocked(const MatMul& /*matmul*/) {
  const ValueId a = node_->inputs[0], b = node_->inputs[1];
  if (element(a) != Element::kF32 || shape(a).size() < 2 || shape(b).size() < 2 || shape(a).back() == 0 ||
      count(shape(node_->output)) == 0)
    return false;
  if (shape(b).size() == 2 && is_constant(view(b).buffer)) {
    multiply_by_constant(a, b);
    return true;
  }
  constexpr std::int64_t kMostSteps = 64;  // one each for all but the last axis of a stack
  const Shape& out = shape(node_->output);
  const std::int64_t lanes = lanes_of(shape(b).back(), lanes_);
  if (lanes == 0 || (out.size() > 3 && count(std::span(out).first(out.size() - 3)) > kMostSteps)) return false;
  multiply_computed(a, b, lanes);
  return true;
}

/// All rows of a as pixels of one image, in blocks; the answer where it belongs if it is made of whole blocks.
void Scheduler::multiply_by_constant(ValueId a, ValueId b) {
  const std::int64_t channels = shape(a).back(), outputs = shape(b).back(), rows = count(shape(a)) / channels;
  const View from = shape(a).size() == 2 ? view(a) : contiguous(a), weights = view(b);
  const std::int64_t row = shape(a).size() == 2 ? from.access.strides[0] : channels;
  const Shape x_shape = {rows, channels, 1, 1}, out_shape = {rows, outputs, 1, 1};
  const BlockedView x = new_blocked(x_shape, {});
  to_blocked({from.buffer, {from.access.offset, {row, from.access.strides.back(), 0, 0}}}, x, x_shape);
  const Conv one{{1, 1}, {1, 1}, {0, 0}, {0, 0}};
  const View turned{weights.buffer,
                    {weights.access.offset, {weights.access.strides[1], weights.access.strides[0], 0, 0}}};
  const bool whole = outputs % lanes_ == 0;
  BlockedView y;
  if (whole) {
    y = {new_output().buffer, {0, lanes_, outputs, outputs, outputs}};
  } else {
    y = new_blocked(out_shape, {});
  }
  convolve({one, x, y, x_shape, out_shape, turned, {1, 1}, false});
  if (!whole) to_plain(y, {new_output().buffer, {0, {outputs, 1, 0, 0}}}, out_shape);
}

/// Each matrix of the stacks by its other: rows of b are read as they lie, so they are copied where they lie otherwise.
void Scheduler::multiply_computed(ValueId a, ValueId b, std::int64_t lanes) {
  const Shape& out_shape = shape(node_->output);
  const std::size_t rank = out_shape.size();
  const View right = runs_forwards(view(b)) && view(b).access.strides.back() == 1 ? view(b) : contiguous(b);
  const View left = runs_forwards(view(a)) ? view(a) : contiguous(a);
  const View out = new_output();
  const Access from = broadcast_access(left, shape(a), rank), by = broadcast_access(right, shape(b), rank);
  const std::size_t stack = rank - 2, inner = rank - 1;  // the axis of rows, and of columns
  ConvKernel k;
  k.lanes = lanes;
  k.columns = out_shape[stack];
  k.batch = rank > 2 ? out_shape[stack - 1] : 1;
  const std::int64_t channels = shape(a).back(), blocks = out_shape[inner] / lanes;
  k.blocks = (channels + lanes - 1) / lanes;
  k.last_channels = channels - (k.blocks - 1) * lanes;
  const Tile tile = choose_tile(k.columns, blocks, target_);
  k.vectors = tile.vectors;
  k.tile = tile.tile;
  k.groups = blocks / tile.vectors;
  k.channel = left.access.strides.back();
  k.plain_weights = true;
  k.weight_channel = right.access.strides[shape(b).size() - 2];
  k.weight_batch = rank > 2 ? by.strides[stack - 1] : 0;
  k.input = {0, lanes * k.channel, rank > 2 ? from.strides[stack - 1] : 0, 0, from.strides[stack]};
  k.output = {0, lanes, out_shape[stack] * out_shape[inner], 0, out_shape[inner]};
  // One step for all matrices of the last axis of the stack; of those before it, one each.
  const Shape outer(out_shape.begin(), out_shape.begin() + static_cast<std::ptrdiff_t>(rank > 2 ? stack - 1 : 0));
  const Shape places = contiguous_strides(outer);
  const auto offset_of = [&](const Access& access, std::int64_t number) {
    std::int64_t offset = access.offset;
    for (std::size_t d = 0; d < outer.size(); ++d) offset += number / places[d] % outer[d] * access.strides[d];
    return offset;
  };
  const std::string schedule = "product of computed matrices, " + std::to_string(k.tile) + " rows x " +
                               std::to_string(k.vectors) + " vectors of " + std::to_string(lanes);
  const std::int64_t products = k.batch * out_shape[stack] * out_shape[inner] * channels;
  for (std::int64_t number = 0; number < count(outer); ++number) {
    ConvKernel one = k;
    one.input.offset = offset_of(from, number);
    one.weight_offset = offset_of(by, number);
    one.output.offset = offset_of(out.access, number);
    add_step(std::move(one), {left.buffer, right.buffer, out.buffer}, schedule, static_cast<double>(products));
  }
}

}  // namespace assay::compiler
