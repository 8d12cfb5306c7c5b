// Convolutions in groups.

#include <algorithm>

#include "scheduler.hpp"

namespace assay::compiler {
namespace {

/// Registers are for sums, a group's weights, a pixel, and what it becomes.
std::int64_t pick_tile(std::int64_t columns, std::int64_t inputs, const Target& target) {
  constexpr std::int64_t kOthers = 4;
  const std::int64_t weights = std::min<std::int64_t>(inputs, target.registers / 4);
  const std::int64_t most = target.registers - kOthers - weights, tiles = (columns + most - 1) / most;
  return (columns + tiles - 1) / tiles;
}

}  // namespace

void Scheduler::convolve_grouped(const Convolution& c, const GroupedPlan& plan) {
  ConvKernel k = kernel_of(c);
  flatten(c, k);
  k.parts = plan.parts;
  k.blocks = plan.blocks;
  if (plan.method == GroupedPlan::Method::kPick) {
    for (std::int64_t block = 0; block < plan.out_blocks; ++block) pick(c, k, plan, block);
    return;
  }
  k.last_channels = plan.parts == 1 ? c.x_shape[1] - (k.blocks - 1) * lanes_ : lanes_;
  const Tile tile = choose_tile(k.columns, plan.out_blocks, target_);
  k.vectors = tile.vectors;
  k.tile = tile.tile;
  k.groups = plan.parts * plan.out_blocks / k.vectors;
  const std::vector<int> buffers = buffers_of(c, packed(c, k));
  add_convolution(std::move(k), buffers, c, "groups in " + std::to_string(plan.parts) + " dense parts");
}

/// The blocks with this number in their parts.
void Scheduler::pick(const Convolution& c, ConvKernel k, const GroupedPlan& plan, std::int64_t block) {
  const std::int64_t of_part = plan.out_blocks, inputs = c.x_shape[1] / c.conv.groups;
  k.picks = picks_of(graph_, *node_, block, lanes_);
  k.groups = k.parts;
  k.tile = pick_tile(k.columns, inputs, target_);
  const auto from_block = [&](BlockedAccess& a) {
    a.offset += block * a.block;
    a.block *= of_part;
  };
  from_block(k.output);
  for (BlockedAccess& o : k.others) from_block(o);
  const std::int64_t parts = k.parts, lanes = lanes_, outputs = c.out_shape[1];
  const auto make = [=, window = c.window, weights = c.weights.access,
                     constant = plan_.buffers[static_cast<std::size_t>(c.weights.buffer)].constant](float* to) {
    const FloatView from(*constant);
    const Shape& s = weights.strides;
    for (std::int64_t part = 0; part < parts; ++part) {
      const std::int64_t first = (part * of_part + block) * lanes;
      for (std::int64_t tap = 0; tap < count(window); ++tap) {
        const std::int64_t at = weights.offset + tap / window[1] * s[2] + tap % window[1] * s[3];
        for (std::int64_t i = 0; i < inputs; ++i) {
          for (std::int64_t o = first; o < first + lanes; ++o) *to++ = o < outputs ? from[at + o * s[0] + i * s[1]] : 0;
        }
      }
    }
  };
  const std::string order = "picked block " + std::to_string(block) + " of " + std::to_string(of_part);
  const int packed = add_packed(c.weights.buffer, order_text(order, 1, lanes_, c.weight_view()),
                                parts * count(c.window) * inputs * lanes_, make);
  const std::vector<int> buffers = buffers_of(c, packed);
  const std::string schedule = "groups' channels picked, " + std::to_string(k.tile) + " pixels";
  const std::int64_t products = count(c.out_shape) * count(c.window) * inputs / of_part;
  add_step(std::move(k), buffers, schedule, static_cast<double>(products));
}

}  // namespace assay::compiler
