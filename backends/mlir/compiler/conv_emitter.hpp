#pragma once
// The loops of a ConvKernel: a tile of pixels times vectors of output channels is accumulated in registers, over input
// blocks, the window's rows and columns, and a block's channels; then what follows the sum is computed and stored.

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "emitter.hpp"
#include "kernel.hpp"

namespace assay::compiler {

/// One of a function's arguments: memory that no other of them overlaps.
struct FloatPointer {
  std::string name, type;
};

/// The pointers of a function that is being written.
class FloatPointers {
 public:
  FloatPointer add(std::int64_t floats) {
    FloatPointer made{"%p" + std::to_string(arguments_.size()), "memref<" + std::to_string(floats) + "xf32>"};
    arguments_.emplace_back(made.name, made.type + " {llvm.noalias}");
    return made;
  }
  /// For Emitter::function.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& arguments() const { return arguments_; }

 private:
  std::vector<std::pair<std::string, std::string>> arguments_;
};

/// Indices of a row, each a name.
struct RowPlace {
  std::string sample, row, group;
};

/// A number in mixed radix: what is left of it, and its last digit.
inline std::pair<std::string, std::string> split_index(Emitter& e, const std::string& number, std::int64_t by) {
  const std::string size = e.index(by);
  return {e.let("arith.divui " + number + ", " + size + " : index"),
          e.let("arith.remui " + number + ", " + size + " : index")};
}

/// Writes a kernel's rows into a function.
class ConvEmitter {
  using Values = Emitter::Values;

 public:
  /// Adds pointers for input, weights, others, sums, output, but for input and output only where they are not given.
  ConvEmitter(const ConvKernel& kernel, Emitter& emitter, FloatPointers& pointers,
              const std::optional<FloatPointer>& input = {}, const std::optional<FloatPointer>& output = {})
      : k_(kernel), width_(static_cast<int>(kernel.lanes)), e_(emitter) {
    pointers_.push_back(input ? *input : pointers.add(input_extent()));
    pointers_.push_back(pointers.add(weight_count()));
    for (const BlockedAccess& o : k_.others) pointers_.push_back(pointers.add(extent(o)));
    if (k_.sums) sums_ = pointers.add(extent(*k_.sums));
    pointers_.push_back(output ? *output : pointers.add(extent(k_.output)));
  }

  /// A row of one group: which of all, and where it is read and written.
  void row(const RowPlace& of, const RowPlace& read, const RowPlace& written) {
    of_ = of;
    read_ = read;
    written_ = written;
    if (k_.parts > 1) part_ = e_.let("arith.divui " + read_.group + ", " + e_.index(k_.groups / k_.parts) + " : index");
    const std::int64_t whole = k_.columns / k_.tile * k_.tile, rest = k_.columns - whole;
    Values sums(k_.sums ? static_cast<std::size_t>(k_.vectors) : 0);
    for (std::string& sum : sums) sum = e_.number(0, Element::kF32, width_);
    const std::vector<std::string> types(sums.size(), vector_type());
    sums = e_.loop(e_.index(0), e_.index(whole), k_.tile, sums, types,
                   [&](const std::string& x, const Values& v) { return tile(x, 0, v); });
    // The last one overlaps: the same is stored twice, but where it is summed once.
    if (rest > 0) sums = tile(e_.index(k_.columns - k_.tile), k_.sums ? k_.tile - rest : 0, sums);
    if (!k_.sums) return;
    for (std::size_t v = 0; v < sums.size(); ++v) {
      const std::string at = place(*k_.sums, of_, column_, 0, static_cast<std::int64_t>(v));
      e_.store(sums[v], sums_.name, sums_.type, at, Element::kF32, width_);
    }
  }

 private:
  static constexpr std::size_t kFewTerms = 5;  // bias, residual, ReLU

  // Floats of the buffers, as far as the kernel reaches.

  [[nodiscard]] std::int64_t extent(const BlockedAccess& a) const {
    return a.offset + (k_.groups * k_.vectors - 1) * a.block + (k_.batch - 1) * a.batch + (k_.rows - 1) * a.row +
           (k_.columns - 1) * a.column + (a.lanes ? k_.lanes : 1);
  }
  [[nodiscard]] std::int64_t input_extent() const {
    const BlockedAccess& a = k_.input;
    const std::int64_t row = (k_.rows - 1) * k_.row_stride + (k_.kernel_rows - 1) * k_.row_dilation;
    const std::int64_t column = (k_.columns - 1) * k_.column_stride + (k_.kernel_columns - 1) * k_.column_dilation;
    return a.offset + (k_.parts * k_.blocks - 1) * a.block + (k_.batch - 1) * a.batch + row * a.row +
           column * a.column + (k_.lanes - 1) * k_.channel + 1;
  }
  [[nodiscard]] std::int64_t window() const { return k_.kernel_rows * k_.kernel_columns; }
  [[nodiscard]] std::int64_t weight_count() const {
    const std::int64_t channels = (k_.blocks - 1) * k_.lanes + k_.last_channels;
    if (k_.plain_weights) {
      return (k_.batch - 1) * k_.weight_batch + (channels - 1) * k_.weight_channel + k_.groups * k_.vectors * k_.lanes;
    }
    if (!k_.picks.empty()) return k_.groups * window() * static_cast<std::int64_t>(k_.picks.size()) * k_.lanes;
    return k_.depthwise
               ? k_.blocks * window() * k_.lanes
               : (k_.batch - 1) * k_.weight_batch + k_.groups * k_.blocks * window() * k_.lanes * k_.vectors * k_.lanes;
  }

  [[nodiscard]] std::string vector_type() const { return register_type(Element::kF32, width_); }

  /// Pixels from `first` on are stored. Answers the row's sums, where there are some, with these.
  Values tile(const std::string& x, std::int64_t first, Values row_sums) {
    column_ = x;
    const auto n = static_cast<std::size_t>(k_.tile * k_.vectors);
    const Values zeros(n, e_.number(0, Element::kF32, width_));
    const std::vector<std::string> types(n, vector_type());
    const bool by_blocks = !k_.depthwise && k_.picks.empty();
    const Values sums = by_blocks ? over_blocks(zeros, types) : over_rows(read_.group, zeros, types);
    const auto for_each = [&](const auto& visit) {
      for (std::int64_t p = first; p < k_.tile; ++p) {
        for (std::int64_t v = 0; v < k_.vectors; ++v) visit(sums[static_cast<std::size_t>(p * k_.vectors + v)], p, v);
      }
    };
    if (k_.after.terms.size() <= kFewTerms) {
      std::vector<Values> results(static_cast<std::size_t>(k_.vectors));
      for_each([&](const std::string& sum, std::int64_t p, std::int64_t v) {
        results[static_cast<std::size_t>(v)].push_back(finish(sum, column_, p, v));
      });
      for (std::size_t v = 0; v < row_sums.size(); ++v) row_sums[v] = add(row_sums[v], total(results[v]));
      return row_sums;
    }
    // All at once, so long an expression would leave no register for its numbers: sums wait where the output will be.
    for_each([&](const std::string& sum, std::int64_t p, std::int64_t v) {
      e_.store(sum, pointers_.back().name, pointers_.back().type, place(k_.output, written_, column_, p, v),
               Element::kF32, width_);
    });
    const std::vector<std::string> of_row(row_sums.size(), vector_type());
    return e_.loop(first == 0 ? x : e_.affine(shifted(x, first)), e_.affine(shifted(x, k_.tile)), 1, row_sums, of_row,
                   [&](const std::string& column, const Values& before) { return finish_column(column, before); });
  }

  /// Of sums that were stored: a pixel. Answers the row's sums with it.
  Values finish_column(const std::string& column, Values row_sums) {
    for (std::int64_t v = 0; v < k_.vectors; ++v) {
      const std::string at = place(k_.output, written_, column, 0, v);
      const std::string sum = e_.load(pointers_.back().name, pointers_.back().type, at, Element::kF32, width_);
      const std::string result = finish(sum, column, 0, v);
      if (!row_sums.empty()) row_sums[static_cast<std::size_t>(v)] = add(row_sums[static_cast<std::size_t>(v)], result);
    }
    return row_sums;
  }

  std::string add(const std::string& a, const std::string& b) {
    return e_.let("arith.addf " + a + ", " + b + " : " + vector_type());
  }
  /// By pairs, which wait less for one another than a running sum.
  std::string total(Values values) {
    for (; values.size() > 1; values.resize((values.size() + 1) / 2)) {
      const std::size_t half = (values.size() + 1) / 2;
      for (std::size_t i = half; i < values.size(); ++i) values[i - half] = add(values[i - half], values[i]);
    }
    return values[0];
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
    if (k_.depthwise) return depthwise(block, kr, sums);
    const auto channels = [&](const std::string& kc, const Values& v) {
      return k_.picks.empty() ? over_channels(block, kr, kc, v, types) : picked(kr, kc, v);
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
    if (k_.parts > 1) at.add(part_, k_.blocks * a.block);
    return at.add(block, a.block)
        .add(read_.sample, a.batch)
        .add(read_.row, k_.row_stride * a.row)
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
        at.add(of_.sample, k_.weight_batch).add(of_.group, of_channel).add(block, k_.lanes * k_.weight_channel);
        at.add(c, k_.weight_channel);
      } else {
        at.add(of_.sample, k_.weight_batch)
            .add(of_.group, k_.blocks * of_block)
            .add(block, of_block)
            .add(kr, of_row)
            .add(kc, of_tap)
            .add(c, of_channel);
      }
      weights.push_back(e_.load(pointers_[1].name, pointers_[1].type, e_.affine(at), Element::kF32, width_));
    }
    Values next;
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      Affine at = pixel(block, kr, p);
      at.add(kc, k_.column_dilation * k_.input.column).add(c, k_.channel);
      const std::string x = e_.broadcast(e_.load(pointers_[0].name, pointers_[0].type, e_.affine(at), Element::kF32, 1),
                                         Element::kF32, width_);
      for (std::int64_t v = 0; v < k_.vectors; ++v)
        next.push_back(fma(x, weights[static_cast<std::size_t>(v)], sums[next.size()]));
    }
    return next;
  }

  /// A row of the window, unrolled: a row's weights stay in registers, and a pixel is loaded once for all that take it.
  Values depthwise(const std::string& block, const std::string& kr, const Values& sums) {
    Values weights, next = sums;
    for (std::int64_t kc = 0; kc < k_.kernel_columns; ++kc) {
      Affine tap;
      tap.constant = kc * k_.lanes;
      tap.add(of_.group, window() * k_.lanes).add(kr, k_.kernel_columns * k_.lanes);
      weights.push_back(e_.load(pointers_[1].name, pointers_[1].type, e_.affine(tap), Element::kF32, width_));
    }
    std::map<std::int64_t, std::vector<std::pair<std::size_t, std::size_t>>> takers;  // by column: sum and weight
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      for (std::int64_t kc = 0; kc < k_.kernel_columns; ++kc)
        takers[p * k_.column_stride + kc * k_.column_dilation].emplace_back(p, kc);
    }
    for (const auto& [column, products] : takers) {
      Affine at = pixel(block, kr, 0);
      at.constant += column * k_.input.column;
      const std::string x = e_.load(pointers_[0].name, pointers_[0].type, e_.affine(at), Element::kF32, width_);
      for (const auto& [sum, weight] : products) next[sum] = fma(x, weights[weight], next[sum]);
    }
    return next;
  }

  /// The sums' channels by their numbers, for one pixel after another, so that few of them wait in registers.
  Values picked(const std::string& kr, const std::string& kc, const Values& sums) {
    const auto numbers = static_cast<std::int64_t>(k_.picks.size()), of_tap = numbers * k_.lanes;
    Values weights;
    for (std::int64_t i = 0; i < numbers; ++i) {
      Affine at;
      at.constant = i * k_.lanes;
      at.add(of_.group, window() * of_tap).add(kr, k_.kernel_columns * of_tap).add(kc, of_tap);
      weights.push_back(e_.load(pointers_[1].name, pointers_[1].type, e_.affine(at), Element::kF32, width_));
    }
    Values next;
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      std::map<std::int64_t, std::string> blocks;  // of this pixel
      const auto block = [&](std::int64_t number) {
        std::string& x = blocks[number];
        if (!x.empty()) return x;
        Affine at = pixel(e_.index(number), kr, p);
        at.add(kc, k_.column_dilation * k_.input.column);
        return x = e_.load(pointers_[0].name, pointers_[0].type, e_.affine(at), Element::kF32, width_);
      };
      std::string sum = sums[next.size()];
      for (std::size_t i = 0; i < weights.size(); ++i) sum = fma(pick(k_.picks[i], block), weights[i], sum);
      next.push_back(sum);
    }
    return next;
  }

  /// Each lane's channel, of the blocks in which they are.
  template <class Block>
  std::string pick(const Shape& channels, const Block& block) {
    std::string x;
    std::set<std::int64_t> numbers;
    for (const std::int64_t c : channels) numbers.insert(c / k_.lanes);
    for (const std::int64_t number : numbers) {
      const std::string from = block(number);
      std::string lanes;
      for (std::int64_t l = 0; l < k_.lanes; ++l) {
        const std::int64_t c = channels[static_cast<std::size_t>(l)];
        const std::int64_t lane = c / k_.lanes != number ? l : c % k_.lanes + (x.empty() ? 0 : k_.lanes);
        lanes += (l > 0 ? ", " : "") + std::to_string(lane);
      }
      x = e_.let("vector.shuffle " + (x.empty() ? from : x) + ", " + from + " [" + lanes + "] : " + vector_type() +
                 ", " + vector_type());
    }
    return x;
  }

  std::string fma(const std::string& a, const std::string& b, const std::string& sum) {
    return e_.let("math.fma " + a + ", " + b + ", " + sum + " : " + vector_type());
  }

  /// Computes what follows the sum, and stores it.
  std::string finish(const std::string& sum, const std::string& column, std::int64_t p, std::int64_t v) {
    Values inputs = {sum};
    for (std::size_t i = 0; i < k_.others.size(); ++i) {
      const BlockedAccess& o = k_.others[i];
      const std::string value = e_.load(pointers_[i + 2].name, pointers_[i + 2].type, place(o, of_, column, p, v),
                                        Element::kF32, o.lanes ? width_ : 1);
      inputs.push_back(o.lanes ? value : e_.broadcast(value, Element::kF32, width_));
    }
    const std::string result = k_.after.terms.empty() ? sum : e_.evaluate(k_.after, inputs, width_);
    e_.store(result, pointers_.back().name, pointers_.back().type, place(k_.output, written_, column, p, v),
             Element::kF32, width_);
    return result;
  }

  /// Of pixel p behind a column.
  std::string place(const BlockedAccess& a, const RowPlace& row, const std::string& column, std::int64_t p,
                    std::int64_t v) {
    Affine at;
    at.constant = a.offset + p * a.column + v * a.block;
    at.add(row.group, k_.vectors * a.block).add(row.sample, a.batch).add(row.row, a.row).add(column, a.column);
    return e_.affine(at);
  }

  const ConvKernel& k_;
  int width_;  // of a vector
  Emitter& e_;
  std::vector<FloatPointer> pointers_;
  FloatPointer sums_;
  RowPlace of_, read_, written_;
  std::string column_, part_;
  std::int64_t channels_ = 0;
};

}  // namespace assay::compiler
