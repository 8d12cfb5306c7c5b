// Convolutions by Winograd's method.

#include <array>

#include "scheduler.hpp"
#include "tuning.hpp"
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
  k.lanes = lanes_;
  const std::int64_t out_blocks = blocks_of(c.out_shape[1]);
  const Tile model = choose_tile(k.tiles, out_blocks, target_, plan.vectors);
  const Tile tile = compiler::tile_of(tuned(graph_, *node_, target_), k.m, model, k.tiles, out_blocks, target_);
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
  const std::string m = std::to_string(k.m);
  const std::string method = "Winograd F(" + m + "x" + m + ") of " + std::to_string(k.tiles) + " tiles";
  add_convolution(std::move(k), buffers, c, method);
}

namespace {

/// G g G^T of one filter, in double; `to`: of its first point, the others `stride` apart.
void transform_filter(const std::vector<std::array<double, 3>>& g, const std::array<std::array<double, 3>, 3>& filter,
                      float* to, std::int64_t stride) {
  for (const auto& row : g) {
    std::array<double, 3> half{};  // a row of G g
    for (std::size_t j = 0; j < 3; ++j) half[j] = row[0] * filter[0][j] + row[1] * filter[1][j] + row[2] * filter[2][j];
    for (const auto& column : g) {
      *to = static_cast<float>(half[0] * column[0] + half[1] * column[1] + half[2] * column[2]);
      to += stride;
    }
  }
}

}  // namespace

/// Transformed filters in the order in which the kernel reads them.
int Scheduler::packed_winograd(const Convolution& c, const WinogradKernel& k) {
  const std::int64_t of_channel = k.vectors * lanes_, of_point = k.blocks * lanes_ * of_channel;
  const std::int64_t outputs = c.out_shape[1], channels = c.x_shape[1];
  const auto make = [=, weights = c.weights.access,
                     constant = plan_.buffers[static_cast<std::size_t>(c.weights.buffer)].constant](float* to) {
    const FloatView from(*constant);
    const auto g = filter_transform(k.m);
    const Shape& s = weights.strides;
    std::array<std::array<double, 3>, 3> filter{};
    for (std::int64_t o = 0; o < outputs; ++o) {
      float* of_output = to + o / of_channel * k.points() * of_point + o % of_channel;
      for (std::int64_t i = 0; i < channels; ++i) {
        const std::int64_t at = weights.offset + o * s[0] + i * s[1];
        for (std::int64_t r = 0; r < 3; ++r) {
          for (std::int64_t q = 0; q < 3; ++q)
            filter[static_cast<std::size_t>(r)][static_cast<std::size_t>(q)] = from[at + r * s[2] + q * s[3]];
        }
        transform_filter(g, filter, of_output + i * of_channel, of_point);
      }
    }
  };
  return add_packed(c.weights.buffer, order_text(Packing{k.m, k.vectors}, lanes_, c.weight_view()),
                    k.groups * k.points() * of_point, make);
}

}  // namespace assay::compiler
