// Convolutions over blocked layout.

#include <algorithm>

#include "algorithm.hpp"
#include "scheduler.hpp"
#include "tuning.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kLeastColumns = 14, kMostRows = 64;

/// Pixels that lie one behind the other, as rows of equal length: of those that tile best the shortest.
std::int64_t rows_of(std::int64_t pixels, std::int64_t blocks, const Target& target) {
  std::int64_t best = 1;
  std::int64_t least = 0;
  for (std::int64_t rows = 1; rows <= std::min(pixels, kMostRows); ++rows) {
    const std::int64_t columns = pixels / rows;
    if (pixels % rows != 0 || (rows > 1 && columns < kLeastColumns)) continue;
    const Tile t = choose_tile(columns, blocks, target);
    const std::int64_t computed = rows * ((columns + t.tile - 1) / t.tile) * t.tile;
    if (least != 0 && computed > least) continue;
    least = computed;
    best = rows;
  }
  return best;
}

/// Rows whose input a part of the second cache holds, while the groups of outputs are computed of it.
std::int64_t rows_together(const ConvKernel& k, const Target& target) {
  constexpr double kShare = 0.4;  // the rest is for weights and outputs
  const std::int64_t all = k.weight_batch == 0 ? k.batch * k.rows : k.rows;
  const auto of_row =
      static_cast<double>(k.blocks * k.lanes * k.columns * k.column_stride * k.row_stride) * sizeof(float);
  const double most = kShare * static_cast<double>(target.l2_bytes) / of_row;
  std::int64_t best = 1;
  for (std::int64_t n = 1; n <= all && static_cast<double>(n) <= most; ++n) {
    if (all % n == 0) best = n;
  }
  return best;
}

}  // namespace

bool Scheduler::blocked(const Conv& conv) {
  const ValueId out = node_->output;
  if (conv.in_bands) {
    waiting_[out] = node_;
    return true;
  }
  std::optional<Convolution> c = convolution(conv);
  if (!c) return false;
  c->out = new_blocked(out);
  const auto dense = c->depthwise ? waiting_.find(node_->inputs[0]) : waiting_.end();
  const auto winograd = layouts_.winograd.find(out);
  const auto grouped = layouts_.grouped.find(out);
  if (dense != waiting_.end()) {
    convolve_in_bands(*dense->second, *c);
  } else if (grouped != layouts_.grouped.end()) {
    convolve_grouped(*c, grouped->second);
  } else if (winograd != layouts_.winograd.end()) {
    convolve_winograd(*c, winograd->second);
  } else {
    convolve(*c);
  }
  return true;
}

std::optional<Scheduler::Convolution> Scheduler::convolution(const Conv& conv) {
  const bool depthwise = is_depthwise(graph_, *node_);
  const bool in_groups = layouts_.grouped.contains(node_->output);
  if (!depthwise && !in_groups && !is_dense(graph_, *node_)) return std::nullopt;
  if (!takes_blocks(graph_, *node_)) return std::nullopt;
  ValueId x = node_->inputs[0];
  const ValueId out = node_->output;
  std::optional<BlockedView> factors;
  if (const auto scaled = scaled_.find(x); scaled != scaled_.end()) {
    const std::vector<ValueId>& operands = scaled->second->inputs;
    const std::size_t image = shape(operands[0]) == shape(x) ? 0 : 1;
    factors = blocked_operand(operands[1 - image], shape(x));
    x = operands[image];
  }
  const std::size_t first = conv.bias ? 3 : 2;
  const std::optional<View> plain = depthwise || in_groups || factors ? std::nullopt : plain_input(conv);
  BlockedView from;
  if (plain) {
    const Shape& s = plain->access.strides;
    from = {plain->buffer, {plain->access.offset, 0, s[0], s[2], s[3]}};
  } else if (!waiting_.contains(x)) {
    from = blocked_view(x);
  }
  std::vector<BlockedView> others;
  Formula f;
  if (conv.bias) {
    const View bias = view(node_->inputs[2]);
    std::vector<float> padded(static_cast<std::size_t>(blocks_of(shape(out)[1]) * lanes_), 0);
    const Constant& values = *plan_.buffers[static_cast<std::size_t>(bias.buffer)].constant;
    for (std::int64_t c = 0; c < shape(out)[1]; ++c) {
      padded[static_cast<std::size_t>(c)] =
          values.at<float>(static_cast<std::size_t>(bias.access.offset + c * bias.access.strides[0]));
    }
    others.push_back({add_constant(std::move(padded)), {0, lanes_, 0, 0, 0, true}});
  }
  for (std::size_t i = first; i < node_->inputs.size(); ++i)
    others.push_back(blocked_operand(node_->inputs[i], shape(out)));
  Expression after = conv.after;
  if (conv.bias) {
    const X sum = f.input(0), bias = f.input(1);
    after = after_bias(conv, f.done(sum + bias));
  }
  return Convolution{conv,
                     from,
                     {},
                     shape(x),
                     shape(out),
                     view(node_->inputs[1]),
                     Shape(shape(node_->inputs[1]).begin() + 2, shape(node_->inputs[1]).end()),
                     depthwise,
                     plain ? plain->access.strides[1] : 1,
                     std::move(others),
                     std::move(after),
                     factors};
}

std::optional<View> Scheduler::plain_input(const Conv& conv) {
  constexpr std::int64_t kMostChannels = 4;
  const ValueId x = node_->inputs[0];
  if (blocked_.contains(x) || shape(x)[1] > kMostChannels || layouts_.winograd.contains(node_->output))
    return std::nullopt;
  const Shape& strides = view(x).access.strides;
  if (std::any_of(strides.begin(), strides.end(), [](std::int64_t s) { return s < 0; })) return std::nullopt;
  Shape padded;
  View seen = bordered(x, conv.begin, conv.end, 0, &padded);
  for (std::size_t k = 0; k < conv.begin.size(); ++k) seen.access.offset += conv.begin[k] * seen.access.strides[k + 2];
  return seen;
}

/// A window of one pixel over images without gaps: all pixels are one row.
bool Scheduler::flattens(const Convolution& c) {
  const Shape& w = c.conv.strides;
  const auto ones = [](const Shape& s) {
    return std::all_of(s.begin(), s.end(), [](std::int64_t v) { return v == 1; });
  };
  const auto gapless = [&](const BlockedAccess& a) {
    return a.row == c.out_shape[3] * a.column && a.batch == c.out_shape[2] * a.row;
  };
  const auto still = [](const BlockedAccess& a) { return a.batch == 0 && a.row == 0 && a.column == 0; };
  return ones(w) && c.x_shape[2] == c.out_shape[2] && c.x_shape[3] == c.out_shape[3] && gapless(c.x.access) &&
         gapless(c.out.access) && std::all_of(c.others.begin(), c.others.end(), [&](const BlockedView& o) {
           return still(o.access) || gapless(o.access);
         });
}

ConvKernel Scheduler::kernel_of(const Convolution& c) const {
  const Shape& window = c.window;
  ConvKernel k;
  k.batch = c.out_shape[0];
  k.rows = c.out_shape[2];
  k.columns = c.out_shape[3];
  k.blocks = blocks_of(c.x_shape[1]);
  k.last_channels = c.x_shape[1] - (k.blocks - 1) * lanes_;
  k.kernel_rows = window[0];
  k.kernel_columns = window[1];
  k.row_stride = c.conv.strides[0];
  k.column_stride = c.conv.strides[1];
  k.row_dilation = c.conv.dilations[0];
  k.column_dilation = c.conv.dilations[1];
  k.depthwise = c.depthwise;
  k.lanes = lanes_;
  k.input = c.x.access;
  k.channel = c.channel;
  k.input.offset -= c.conv.begin[0] * k.input.row + c.conv.begin[1] * k.input.column;
  k.output = c.out.access;
  k.after = c.after;
  for (const BlockedView& o : c.others) k.others.push_back(o.access);
  return k;
}

/// A window of one pixel takes all pixels as one row, which is cut as tiles like it best, where they lie so.
void Scheduler::flatten(const Convolution& c, ConvKernel& k) const {
  if (c.window == Shape{1, 1} && !c.depthwise && flattens(c)) {
    if (!c.factors) k.rows *= std::exchange(k.batch, 1);
    const std::int64_t pixels = k.rows * k.columns;
    k.rows = rows_of(pixels, blocks_of(c.out_shape[1]), target_);
    k.columns = pixels / k.rows;
    const auto lengthen = [&](BlockedAccess& a) { a.row = k.columns * a.column; };
    lengthen(k.input);
    lengthen(k.output);
    for (BlockedAccess& o : k.others) lengthen(o);
  }
}

/// Rows are the kernel's, which may be longer or shorter than the image's, but none may be of two samples.
void Scheduler::add_sums(const Convolution& c, ConvKernel& k, std::vector<int>& buffers) {
  // Sums of single pixels would be the image once more.
  if (!c.conv.with_sums || k.batch != c.out_shape[0] || k.columns == 1) return;
  const std::int64_t of_batch = k.rows * lanes_, of_block = k.batch * of_batch;
  k.sums = BlockedAccess{0, of_block, of_batch, lanes_, 0};
  const std::int64_t floats = k.groups * k.vectors * of_block;
  const int made = add_buffer(floats * static_cast<std::int64_t>(sizeof(float)), Buffer::Place::kArena);
  buffers.insert(buffers.end() - 1, made);
  sums_[node_->output] = {made, *k.sums};
}

std::vector<int> Scheduler::buffers_of(const Convolution& c, int weights) {
  std::vector<int> buffers = {c.x.buffer, weights};
  for (const BlockedView& o : c.others) buffers.push_back(o.buffer);
  buffers.push_back(c.out.buffer);
  return buffers;
}

void Scheduler::convolve(const Convolution& c) {
  ConvKernel k = kernel_of(c);
  flatten(c, k);
  const std::int64_t out_blocks = blocks_of(c.out_shape[1]);
  const Tile tile = c.depthwise ? Tile{1, depthwise_tile(k.columns, k.kernel_columns, target_)} : tile_of(c, k);
  k.vectors = tile.vectors;
  k.tile = tile.tile;
  k.groups = out_blocks / k.vectors;
  std::vector<int> buffers = buffers_of(c, weights_of(c, k));
  add_sums(c, k, buffers);
  k.together = c.depthwise ? 1 : rows_together(k, target_);
  const char* method = c.depthwise ? "depthwise" : k.kernel_rows * k.kernel_columns == 1 ? "product" : "direct";
  add_convolution(std::move(k), buffers, c, method);
}

/// As weights that are packed allow, or as the model thinks best.
Tile Scheduler::model_tile(const Convolution& c, const ConvKernel& k) {
  const Constant& weights = *plan_.buffers[static_cast<std::size_t>(c.weights.buffer)].constant;
  const DirectProblem problem{k.batch * k.rows * k.columns, k.columns, count(c.window), c.x_shape[1], c.out_shape[1]};
  return direct_tile(problem, weights, c.weight_view(), target_, kept_);
}

/// As it was measured, or by the model.
Tile Scheduler::tile_of(const Convolution& c, const ConvKernel& k) {
  return compiler::tile_of(tuned(graph_, *node_, target_), 0, model_tile(c, k), k.columns, blocks_of(c.out_shape[1]),
                           target_);
}

int Scheduler::weights_of(const Convolution& c, ConvKernel& k) {
  const int weights = packed(c, k);
  if (!c.factors) return weights;
  const BlockedAccess& f = c.factors->access;
  const std::int64_t of_channel = k.vectors * lanes_, of_block = lanes_ * of_channel, of_group = k.blocks * of_block;
  const std::int64_t samples = f.batch == 0 ? 1 : k.batch;
  k.weight_batch = samples == 1 ? 0 : k.groups * of_group;
  StridedKernel product;
  product.sizes = {samples, k.groups, k.blocks, lanes_, of_channel};
  product.expression = times_share();
  product.inputs = {{Element::kF32, {0, {0, of_group, of_block, of_channel, 1}}},
                    {Element::kF32, {f.offset, {f.batch, 0, f.block, 1, 0}}}};
  product.output = {Element::kF32, {0, {k.weight_batch, of_group, of_block, of_channel, 1}}};
  const std::int64_t floats = samples * k.groups * of_group;
  const int scaled = add_buffer(floats * static_cast<std::int64_t>(sizeof(float)), Buffer::Place::kArena);
  add_step(std::move(product), {weights, c.factors->buffer, scaled});
  return scaled;
}

/// Weights in the order in which the kernel reads them; zeros where channels are filled up.
int Scheduler::packed(const Convolution& c, const ConvKernel& k) {
  const std::int64_t of_group = k.vectors * lanes_, blocks = c.depthwise ? 1 : k.blocks,
                     of_block = c.depthwise ? 1 : lanes_;
  const std::int64_t outputs = c.out_shape[1], channels = c.depthwise ? 1 : c.x_shape[1];
  const std::int64_t own_outputs = c.depthwise ? outputs : outputs / c.conv.groups,
                     own_channels = c.depthwise ? 1 : channels / c.conv.groups;  // of a group of the convolution
  const auto make = [=, weights = c.weights.access,
                     constant = plan_.buffers[static_cast<std::size_t>(c.weights.buffer)].constant](float* to) {
    const FloatView from(*constant);
    const Shape& s = weights.strides;
    const auto value = [&](std::int64_t o, std::int64_t i, std::int64_t r, std::int64_t q) {
      const bool is_there = o < outputs && i < channels && o / own_outputs == i / own_channels;
      return is_there ? from[weights.offset + o * s[0] + i % own_channels * s[1] + r * s[2] + q * s[3]] : 0;
    };
    for (std::int64_t g = 0; g < k.groups; ++g) {
      const std::int64_t first = g / (k.groups / k.parts) * blocks * of_block;  // channel of the part
      for (std::int64_t b = 0; b < blocks; ++b) {
        for (std::int64_t r = 0; r < k.kernel_rows; ++r) {
          for (std::int64_t q = 0; q < k.kernel_columns; ++q) {
            for (std::int64_t i = 0; i < of_block; ++i) {
              for (std::int64_t o = 0; o < of_group; ++o)
                *to++ = value(g * of_group + o, first + b * of_block + i, r, q);
            }
          }
        }
      }
    }
  };
  const std::string groups = "groups " + std::to_string(c.conv.groups) + " in parts " + std::to_string(k.parts);
  std::string order = c.depthwise         ? order_text("depthwise", 1, lanes_, c.weight_view())
                      : c.conv.groups > 1 ? order_text(groups, k.vectors, lanes_, c.weight_view())
                                          : order_text(Packing{0, k.vectors}, lanes_, c.weight_view());
  return add_packed(c.weights.buffer, std::move(order),
                    k.groups * blocks * k.kernel_rows * k.kernel_columns * of_block * of_group, make);
}

}  // namespace assay::compiler
