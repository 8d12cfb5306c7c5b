// Nodes over blocked layout, but convolutions.

#include <algorithm>

#include "scheduler.hpp"

namespace assay::compiler {
namespace {

/// Over the loops blocks, batch, rows, columns, lanes.
Operand over_lanes(const BlockedAccess& a) {
  return {Element::kF32, {a.offset, {a.block, a.batch, a.row, a.column, a.lanes ? 1 : 0}}};
}

}  // namespace

/// Where an operand of the output's shape lies blocked.
bool Scheduler::blocked(const Map& map) {
  const ValueId out = node_->output;
  if (map.into_weights) {
    scaled_[out] = node_;
    return true;
  }
  if (shape(out).size() != kImageAxes || element(out) != Element::kF32) return false;
  const auto lies = [&](ValueId id) { return shape(id) == shape(out) && blocked_.contains(id); };
  const auto fits = [&](ValueId id) { return can_be_operand(id, shape(out)); };
  if (std::none_of(node_->inputs.begin(), node_->inputs.end(), lies)) return false;
  if (!std::all_of(node_->inputs.begin(), node_->inputs.end(), fits)) return false;
  StridedKernel kernel;
  kernel.sizes = loops_of(shape(out));
  kernel.expression = map.expression;
  std::vector<int> buffers;
  for (const ValueId id : node_->inputs) {
    const BlockedView seen = blocked_operand(id, shape(out));
    kernel.inputs.push_back(over_lanes(seen.access));
    buffers.push_back(seen.buffer);
  }
  const BlockedView made = new_blocked(out);
  kernel.output = over_lanes(made.access);
  buffers.push_back(made.buffer);
  add_step(std::move(kernel), buffers);
  return true;
}

/// Over rows and columns; of sums of rows where they are there.
bool Scheduler::blocked(const Reduce& reduce) {
  const ValueId x = node_->inputs[0];
  const auto from = blocked_.find(x);
  if (from == blocked_.end() || reduce.axes != std::vector<std::size_t>{2, 3} || shape(x).size() != kImageAxes)
    return false;
  const auto sums = reduce.combine == Reduce::Combine::kSum ? sums_.find(x) : sums_.end();
  const bool summed = sums != sums_.end();
  const BlockedView seen = summed ? sums->second : from->second;
  const BlockedAccess& a = seen.access;
  const std::int64_t rows = summed ? a.batch / a.row : shape(x)[2], columns = summed ? 1 : shape(x)[3];
  const BlockedView made = new_blocked(node_->output);
  const BlockedAccess& o = made.access;
  Formula f;
  StridedKernel kernel;
  kernel.sizes = {blocks_of(shape(x)[1]), shape(x)[0], lanes_, rows, columns};
  kernel.reduced = 2;
  kernel.combine = reduce.combine;
  kernel.expression = f.done(f.input(0));
  kernel.inputs = {{Element::kF32, {a.offset, {a.block, a.batch, 1, a.row, a.column}}}};
  kernel.output = {Element::kF32, {o.offset, {o.block, o.batch, 1, 0, 0}}};
  add_step(std::move(kernel), {seen.buffer, made.buffer});
  return true;
}

/// Where x lies blocked, with a border as wide as the padding (layout.cpp gives it one where zeros are right).
bool Scheduler::blocked(const Pool& pool) {
  const ValueId x = node_->inputs[0];
  if (!blocked_.contains(x) || shape(x).size() != kImageAxes) return false;
  const Border padding{pool.begin[0], pool.begin[1], pool.end[0], pool.end[1]};
  if (!padding.empty() && !layouts_.pools.contains(node_->output)) return false;
  const BlockedView from = blocked_view(x);
  const BlockedView made = new_blocked(node_->output);
  const BlockedAccess &a = from.access, &o = made.access;
  const Shape& os = shape(node_->output);
  const bool average = pool.kind == Pool::Kind::kAverage;
  Formula f;
  StridedKernel kernel;
  kernel.sizes = loops_of(os);
  kernel.sizes.insert(kernel.sizes.end(), pool.kernel.begin(), pool.kernel.end());
  kernel.reduced = 2;
  kernel.combine = average ? Reduce::Combine::kSum : Reduce::Combine::kMaximum;
  kernel.expression = f.done(f.input(0));
  kernel.inputs = {{Element::kF32,
                    {a.offset - padding.top * a.row - padding.left * a.column,
                     {a.block, a.batch, pool.strides[0] * a.row, pool.strides[1] * a.column, 1,
                      pool.dilations[0] * a.row, pool.dilations[1] * a.column}}}};
  kernel.output = {Element::kF32, {o.offset, {o.block, o.batch, o.row, o.column, 1, 0, 0}}};
  std::vector<int> buffers = {from.buffer};
  if (average) {
    buffers.push_back(add_constant(shares(pool, shape(x), {os[2], os[3]})));
    kernel.others = {{Element::kF32, {0, {0, 0, os[3], 1, 0, 0, 0}}}};
    kernel.after = times_share();
  }
  buffers.push_back(made.buffer);
  add_step(std::move(kernel), buffers);
  return true;
}

/// Parts that were computed in their place are there already.
bool Scheduler::blocked(const Concat& concat) {
  const auto lies = [&](ValueId id) { return blocked_.contains(id); };
  if (!joins_samples(graph_, *node_) && !joins_blocks(graph_, *node_, lanes_)) return false;
  if (std::none_of(node_->inputs.begin(), node_->inputs.end(), lies)) return false;
  const BlockedView all = lies(node_->output) ? blocked_[node_->output] : new_blocked(node_->output);
  BlockedView place = all;
  for (const ValueId id : node_->inputs) {
    const auto part = blocked_.find(id);
    if (part == blocked_.end()) {
      to_blocked(aligned(id), place, shape(id));
    } else if (part->second.buffer != place.buffer || part->second.access.offset != place.access.offset) {
      Formula f;
      StridedKernel kernel;
      kernel.sizes = loops_of(shape(id));
      kernel.expression = f.done(f.input(0));
      kernel.inputs = {over_lanes(part->second.access)};
      kernel.output = over_lanes(place.access);
      add_step(std::move(kernel), {part->second.buffer, place.buffer});
    }
    place.access.offset +=
        concat.axis == 0 ? shape(id)[0] * all.access.batch : shape(id)[1] / lanes_ * all.access.block;
  }
  return true;
}

}  // namespace assay::compiler
