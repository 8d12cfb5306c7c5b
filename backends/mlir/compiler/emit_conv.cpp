// ConvKernel as a function: a tile of pixels times vectors of output channels is accumulated in registers, over input
// blocks, the window's rows and columns, and a block's channels; then what follows the sum is computed and stored.

#include <algorithm>
#include <tuple>

#include "emitter.hpp"
#include "kernel.hpp"

namespace assay::compiler {
namespace {

using Values = Emitter::Values;

class ConvEmitter {
 public:
  explicit ConvEmitter(const ConvKernel& kernel) : k_(kernel), width_(static_cast<int>(kernel.lanes)) {
    add_argument(input_extent());
    add_argument(weight_count());
    for (const BlockedAccess& o : k_.others) add_argument(extent(o));
    add_argument(extent(k_.output));
  }

  KernelText text() {
    e_.loop("%begin", "%end", 1, [&](const std::string& u) { unit(u); });
    return {e_.function(arguments_), k_.groups * k_.batch * k_.rows};
  }

 private:
  static constexpr std::size_t kFewTerms = 5;  // bias, residual, ReLU

  // Sizes of the buffers, as far as the kernel reaches.

  [[nodiscard]] std::int64_t extent(const BlockedAccess& a) const {
    return a.offset + (k_.groups * k_.vectors - 1) * a.block + (k_.batch - 1) * a.batch + (k_.rows - 1) * a.row +
           (k_.columns - 1) * a.column + (a.lanes ? k_.lanes : 1);
  }
  [[nodiscard]] std::int64_t input_extent() const {
    const BlockedAccess& a = k_.input;
    const std::int64_t row = (k_.rows - 1) * k_.row_stride + (k_.kernel_rows - 1) * k_.row_dilation;
    const std::int64_t column = (k_.columns - 1) * k_.column_stride + (k_.kernel_columns - 1) * k_.column_dilation;
    return a.offset + (k_.blocks - 1) * a.block + (k_.batch - 1) * a.batch + row * a.row + column * a.column +
           (k_.lanes - 1) * k_.channel + 1;
  }
  [[nodiscard]] std::int64_t window() const { return k_.kernel_rows * k_.kernel_columns; }
  [[nodiscard]] std::int64_t weight_count() const {
    const std::int64_t channels = (k_.blocks - 1) * k_.lanes + k_.last_channels;
    if (k_.plain_weights) {
      return (k_.batch - 1) * k_.weight_batch + (channels - 1) * k_.weight_channel + k_.groups * k_.vectors * k_.lanes;
    }
    return k_.depthwise ? k_.blocks * window() * k_.lanes
                        : k_.groups * k_.blocks * window() * k_.lanes * k_.vectors * k_.lanes;
  }

  void add_argument(std::int64_t size) {
    types_.push_back("memref<" + std::to_string(size) + "xf32>");
    arguments_.emplace_back("%p" + std::to_string(arguments_.size()), types_.back() + " {llvm.noalias}");
  }

  // Loops.

  void unit(const std::string& u) {
    const auto split = [&](const std::string& number, std::int64_t by) {
      const std::string size = e_.index(by);
      return std::pair(e_.let("arith.divui " + number + ", " + size + " : index"),
                       e_.let("arith.remui " + number + ", " + size + " : index"));
    };
    const auto [rest, in_stretch] = split(u, k_.together);
    const auto [stretch, group] = split(rest, k_.groups);
    std::tie(sample_, row_) = split(e_.affine(Affine().add(stretch, k_.together).add(in_stretch, 1)), k_.rows);
    group_ = group;
    const std::int64_t whole = k_.columns / k_.tile * k_.tile;
    e_.loop(e_.index(0), e_.index(whole), k_.tile, [&](const std::string& x) { tile(x); });
    if (whole < k_.columns) tile(e_.index(k_.columns - k_.tile));  // the last one overlaps: the same is stored twice
  }

  [[nodiscard]] std::string vector_type() const { return register_type(Element::kF32, width_); }

  void tile(const std::string& x) {
    column_ = x;
    const auto n = static_cast<std::size_t>(k_.tile * k_.vectors);
    const Values zeros(n, e_.number(0, Element::kF32, width_));
    const std::vector<std::string> types(n, vector_type());
    const Values sums = k_.depthwise ? over_rows(group_, zeros, types) : over_blocks(zeros, types);
    const auto for_each = [&](const auto& visit) {
      for (std::int64_t p = 0; p < k_.tile; ++p) {
        for (std::int64_t v = 0; v < k_.vectors; ++v) visit(sums[static_cast<std::size_t>(p * k_.vectors + v)], p, v);
      }
    };
    if (k_.after.terms.size() <= kFewTerms) {
      for_each([&](const std::string& sum, std::int64_t p, std::int64_t v) { finish(sum, column_, p, v); });
      return;
    }
    // All at once, so long an expression would leave no register for its numbers: sums wait where the output will be.
    for_each([&](const std::string& sum, std::int64_t p, std::int64_t v) {
      e_.store(sum, arguments_.back().first, types_.back(), place(k_.output, column_, p, v), Element::kF32, width_);
    });
    e_.loop(x, e_.affine(shifted(x, k_.tile)), 1, [&](const std::string& column) {
      for (std::int64_t v = 0; v < k_.vectors; ++v) {
        const std::string at = place(k_.output, column, 0, v);
        finish(e_.load(arguments_.back().first, types_.back(), at, Element::kF32, width_), column, 0, v);
      }
    });
  }

  static Affine shifted(const std::string& index, std::int64_t by) {
    Affine sum;
    sum.constant = by;
    return sum.add(index, 1);
  }

  Values over_blocks(const Values& zeros, const std::vector<std::string>& types) {
    const bool partial = k_.last_channels < k_.lanes;
    const std::int64_t whole = partial ? k_.blocks - 1 : k_.blocks;
    channels_ = k_.lanes;
    Values sums = zeros;
    if (whole > 0) {
      sums = e_.loop(e_.index(0), e_.index(whole), 1, sums, types,
                     [&](const std::string& block, const Values& v) { return over_rows(block, v, types); });
    }
    if (!partial) return sums;
    channels_ = k_.last_channels;
    return over_rows(e_.index(k_.blocks - 1), sums, types);
  }

  Values over_rows(const std::string& block, const Values& sums, const std::vector<std::string>& types) {
    const auto columns = [&](const std::string& kr, const Values& v) { return over_columns(block, kr, v, types); };
    if (k_.kernel_rows == 1) return columns(e_.index(0), sums);
    return e_.loop(e_.index(0), e_.index(k_.kernel_rows), 1, sums, types, columns);
  }

  Values over_columns(const std::string& block, const std::string& kr, const Values& sums,
                      const std::vector<std::string>& types) {
    if (k_.depthwise) {  // unrolled: neighbouring pixels share what they load
      Values v = sums;
      for (std::int64_t kc = 0; kc < k_.kernel_columns; ++kc) v = depthwise(block, kr, kc, v);
      return v;
    }
    const auto channels = [&](const std::string& kc, const Values& v) {
      return over_channels(block, kr, kc, v, types);
    };
    if (k_.kernel_columns == 1) return channels(e_.index(0), sums);
    return e_.loop(e_.index(0), e_.index(k_.kernel_columns), 1, sums, types, channels);
  }

  Values over_channels(const std::string& block, const std::string& kr, const std::string& kc, const Values& sums,
                       const std::vector<std::string>& types) {
    return e_.loop(e_.index(0), e_.index(channels_), 1, sums, types,
                   [&](const std::string& c, const Values& v) { return products(block, kr, kc, c, v); });
  }

  /// Place of pixel p of the tile in the window's row kr and column kc.
  [[nodiscard]] Affine pixel(const std::string& block, const std::string& kr, std::int64_t p) const {
    const BlockedAccess& a = k_.input;
    Affine at;
    at.constant = a.offset + p * k_.column_stride * a.column;
    return at.add(block, a.block)
        .add(sample_, a.batch)
        .add(row_, k_.row_stride * a.row)
        .add(column_, k_.column_stride * a.column)
        .add(kr, k_.row_dilation * a.row);
  }

  /// One input channel times the vectors of its weights, for each pixel.
  Values products(const std::string& block, const std::string& kr, const std::string& kc, const std::string& c,
                  const Values& sums) {
    const std::int64_t of_channel = k_.vectors * k_.lanes, of_tap = k_.lanes * of_channel;
    const std::int64_t of_row = k_.kernel_columns * of_tap, of_block = k_.kernel_rows * of_row;
    Values weights;
    for (std::int64_t v = 0; v < k_.vectors; ++v) {
      Affine at;
      at.constant = v * k_.lanes;
      if (k_.plain_weights) {
        at.add(sample_, k_.weight_batch).add(group_, of_channel).add(block, k_.lanes * k_.weight_channel);
        at.add(c, k_.weight_channel);
      } else {
        at.add(group_, k_.blocks * of_block).add(block, of_block).add(kr, of_row).add(kc, of_tap).add(c, of_channel);
      }
      weights.push_back(e_.load("%p1", types_[1], e_.affine(at), Element::kF32, width_));
    }
    Values next;
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      Affine at = pixel(block, kr, p);
      at.add(kc, k_.column_dilation * k_.input.column).add(c, k_.channel);
      const std::string x =
          e_.broadcast(e_.load("%p0", types_[0], e_.affine(at), Element::kF32, 1), Element::kF32, width_);
      for (std::int64_t v = 0; v < k_.vectors; ++v)
        next.push_back(fma(x, weights[static_cast<std::size_t>(v)], sums[next.size()]));
    }
    return next;
  }

  Values depthwise(const std::string& block, const std::string& kr, std::int64_t kc, const Values& sums) {
    Affine tap;
    tap.constant = kc * k_.lanes;
    tap.add(block, window() * k_.lanes).add(kr, k_.kernel_columns * k_.lanes);
    const std::string weight = e_.load("%p1", types_[1], e_.affine(tap), Element::kF32, width_);
    Values next;
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      Affine at = pixel(block, kr, p);
      at.constant += kc * k_.column_dilation * k_.input.column;
      next.push_back(fma(e_.load("%p0", types_[0], e_.affine(at), Element::kF32, width_), weight, sums[next.size()]));
    }
    return next;
  }

  std::string fma(const std::string& a, const std::string& b, const std::string& sum) {
    return e_.let("math.fma " + a + ", " + b + ", " + sum + " : " + vector_type());
  }

  void finish(const std::string& sum, const std::string& column, std::int64_t p, std::int64_t v) {
    Values inputs = {sum};
    for (std::size_t i = 0; i < k_.others.size(); ++i) {
      const BlockedAccess& o = k_.others[i];
      const std::string value =
          e_.load(arguments_[i + 2].first, types_[i + 2], place(o, column, p, v), Element::kF32, o.lanes ? width_ : 1);
      inputs.push_back(o.lanes ? value : e_.broadcast(value, Element::kF32, width_));
    }
    const std::string result = k_.after.terms.empty() ? sum : e_.evaluate(k_.after, inputs, width_);
    e_.store(result, arguments_.back().first, types_.back(), place(k_.output, column, p, v), Element::kF32, width_);
  }

  /// Of pixel p behind a column.
  std::string place(const BlockedAccess& a, const std::string& column, std::int64_t p, std::int64_t v) {
    Affine at;
    at.constant = a.offset + p * a.column + v * a.block;
    at.add(group_, k_.vectors * a.block).add(sample_, a.batch).add(row_, a.row).add(column, a.column);
    return e_.affine(at);
  }

  const ConvKernel& k_;
  int width_;  // of a vector
  Emitter e_;
  std::vector<std::pair<std::string, std::string>> arguments_;
  std::vector<std::string> types_;
  std::string row_, sample_, group_, column_;
  std::int64_t channels_ = 0;
};

}  // namespace

KernelText emit(const BorderKernel& k, const Target& /*target*/) {
  const std::int64_t width = k.left + k.columns + k.right, height = k.top + k.rows + k.bottom;
  const std::string type = "memref<" + std::to_string(k.images * height * width * k.lanes) + "xf32>";
  Emitter e;
  const int lanes = static_cast<int>(k.lanes);
  const std::string zero = e.number(0, Element::kF32, lanes);
  // Pixels from one to another, counted from an image's first one.
  const auto clear = [&](const Affine& first, std::int64_t pixels) {
    e.loop(e.index(0), e.index(pixels), 1, [&](const std::string& i) {
      Affine at = first;
      e.store(zero, "%p0", type, e.affine(at.add(i, k.lanes)), Element::kF32, lanes);
    });
  };
  e.loop("%begin", "%end", 1, [&](const std::string& image) {
    const auto place = [&](std::int64_t pixel) {
      Affine at;
      at.constant = pixel * k.lanes;
      return at.add(image, height * width * k.lanes);
    };
    // The right border of a row and the left one of the next lie beside each other.
    clear(place(0), k.top * width + k.left);
    if (k.left + k.right > 0 && k.rows > 1) {
      e.loop(e.index(1), e.index(k.rows), 1, [&](const std::string& row) {
        clear(place(k.top * width - k.right).add(row, width * k.lanes), k.left + k.right);
      });
    }
    clear(place((k.top + k.rows) * width - k.right), k.right + k.bottom * width);
  });
  return {e.function({{"%p0", type}}), k.images};
}

KernelText emit(const ConvKernel& kernel, const Target& /*target*/) { return ConvEmitter(kernel).text(); }

}  // namespace assay::compiler
