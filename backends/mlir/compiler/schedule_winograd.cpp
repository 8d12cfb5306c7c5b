// Convolutions by Winograd's method.

#include <array>

#include "scheduler.hpp"
#include "winograd.hpp"

namespace assay::compiler {

void Scheduler::convolve_winograd(const Convolution& c, const WinogradPlan& plan) {
  WinogradKernel k;
  k.m = plan.m;
  k.batch = c.out_shape[0];
  k.rows = c.out_shape[2];
  k.columns = c.out_shape[3];
  k.tile_rows = plan.tile_rows;
  k.tile_columns = plan.tile_columns;
  k.tiles = plan.tiles;
  k.blocks = blocks_of(c.x_shape[1]);
  k.last_channels = c.x_shape[1] - (k.blocks - 1) * lanes_;
  k.lanes = static_cast<int>(lanes_);
  const std::int64_t out_blocks = blocks_of(c.out_shape[1]);
  const Tile tile = choose_tile(k.tiles, out_blocks, target_);
  k.vectors = tile.vectors;
  k.tile = tile.tile;
  k.groups = out_blocks / k.vectors;
  k.input = c.x.access;
  k.input.offset -= c.conv.begin[0] * k.input.row + c.conv.begin[1] * k.input.column;
  k.output = c.out.access;
  k.after = c.after;
  for (const BlockedView& o : c.others) k.others.push_back(o.access);
  std::vector<int> buffers = {add_buffer(0, Buffer::Place::kScratch), c.x.buffer, packed_winograd(c, k)};
  for (const BlockedView& o : c.others) buffers.push_back(o.buffer);
  buffers.push_back(c.out.buffer);
  add_step(emit(k), std::move(buffers));
}

/// G g G^T of each filter, in double, in the order in which the kernel reads them.
int Scheduler::packed_winograd(const Convolution& c, const WinogradKernel& k) {
  const Constant& from = *plan_.buffers[static_cast<std::size_t>(c.weights.buffer)].constant;
  const Shape& s = c.weights.access.strides;
  const auto g = filter_transform(k.m);
  const auto side = static_cast<std::size_t>(k.side());
  const std::int64_t of_channel = k.vectors * lanes_, of_point = k.blocks * lanes_ * of_channel;
  AlignedFloats to(static_cast<std::size_t>(k.groups * k.points() * of_point), 0);
  for (std::int64_t o = 0; o < c.out_shape[1]; ++o) {
    const std::int64_t group = o / of_channel, place = group * k.points() * of_point + o % of_channel;
    for (std::int64_t i = 0; i < c.x_shape[1]; ++i) {
      std::array<std::array<double, 3>, 6> half{};  // G g
      const std::int64_t at = c.weights.access.offset + o * s[0] + i * s[1];
      for (std::size_t a = 0; a < side; ++a) {
        for (std::size_t j = 0; j < 3; ++j) {
          for (std::size_t r = 0; r < 3; ++r) {
            half[a][j] += g[a][r] * from.at<float>(static_cast<std::size_t>(
                                       at + static_cast<std::int64_t>(r) * s[2] + static_cast<std::int64_t>(j) * s[3]));
          }
        }
      }
      for (std::size_t a = 0; a < side; ++a) {
        for (std::size_t b = 0; b < side; ++b) {
          double sum = 0;
          for (std::size_t j = 0; j < 3; ++j) sum += half[a][j] * g[b][j];
          const auto point = static_cast<std::int64_t>(a * side + b);
          to[static_cast<std::size_t>(place + point * of_point + i * of_channel)] = static_cast<float>(sum);
        }
      }
    }
  }
  return add_constant(std::move(to));
}

}  // namespace assay::compiler
