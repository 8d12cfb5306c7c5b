// WinogradKernel as a function: of a block of tiles, the input's transforms, then for each group of output channels the
// products at each point and the transforms back.

#include <algorithm>

#include "emitter.hpp"
#include "kernel.hpp"
#include "winograd.hpp"

namespace assay::compiler {
namespace {

using Values = Emitter::Values;

/// The transforms of one row or column of vectors.
class Transforms {
 public:
  Transforms(Emitter& emitter, int lanes) : e_(emitter), lanes_(lanes) {}

  /// B^T d.
  Values input(std::int64_t m, const Values& d) {
    if (m == 2) return {sub(d[0], d[2]), add(d[1], d[2]), sub(d[2], d[1]), sub(d[1], d[3])};
    const double a = kPointA, b = kPointB, a2 = a * a, b2 = b * b;
    const std::string e1 = fma(-b2, d[2], d[4]), q1 = fma(-b2, d[1], d[3]);
    const std::string e2 = fma(-a2, d[2], d[4]), q2 = fma(-a2, d[1], d[3]);
    return {fma(a2 * b2, d[0], fma(-(a2 + b2), d[2], d[4])),
            fma(a, q1, e1),
            fma(-a, q1, e1),
            fma(b, q2, e2),
            fma(-b, q2, e2),
            fma(a2 * b2, d[1], fma(-(a2 + b2), d[3], d[5]))};
  }

  /// A^T p.
  Values output(std::int64_t m, const Values& p) {
    if (m == 2) return {add(add(p[0], p[1]), p[2]), sub(sub(p[1], p[2]), p[3])};
    const double a = kPointA, b = kPointB, a2 = a * a, b2 = b * b;
    const std::string s1 = add(p[1], p[2]), d1 = sub(p[1], p[2]), s2 = add(p[3], p[4]), d2 = sub(p[3], p[4]);
    return {add(add(p[0], s1), s2), fma(a, d1, scaled(b, d2)), fma(a2, s1, scaled(b2, s2)),
            fma(a2 * a, d1, fma(b2 * b, d2, p[5]))};
  }

 private:
  std::string type() const { return register_type(Element::kF32, lanes_); }
  std::string add(const std::string& x, const std::string& y) {
    return e_.let("arith.addf " + x + ", " + y + " : " + type());
  }
  std::string sub(const std::string& x, const std::string& y) {
    return e_.let("arith.subf " + x + ", " + y + " : " + type());
  }
  std::string scaled(double factor, const std::string& x) {
    return e_.let("arith.mulf " + x + ", " + e_.number(factor, Element::kF32, lanes_) + " : " + type());
  }
  std::string fma(double factor, const std::string& x, const std::string& y) {
    return e_.let("math.fma " + x + ", " + e_.number(factor, Element::kF32, lanes_) + ", " + y + " : " + type());
  }

  Emitter& e_;
  int lanes_;
};

class WinogradEmitter {
 public:
  explicit WinogradEmitter(const WinogradKernel& kernel)
      : k_(kernel), width_(static_cast<int>(kernel.lanes)), transforms_(e_, width_) {
    constexpr std::int64_t kMostThreads = 1024;
    add_argument(k_.scratch_floats() * kMostThreads);
    add_argument(extent(k_.input, k_.blocks, k_.tile_rows * k_.m + 2, k_.tile_columns * k_.m + 2));
    add_argument(k_.groups * k_.points() * k_.blocks * k_.lanes * k_.vectors * k_.lanes);
    for (const BlockedAccess& o : k_.others) add_argument(extent(o, k_.groups * k_.vectors, k_.rows, k_.columns));
    add_argument(extent(k_.output, k_.groups * k_.vectors, k_.rows, k_.columns));
  }

  KernelText text() {
    const std::string groups = e_.index(k_.groups), zero = e_.index(0);
    const std::string first = e_.let("arith.divui %begin, " + groups + " : index");
    const std::string last = e_.let("arith.ceildivui %end, " + groups + " : index");
    e_.loop(first, last, 1, [&](const std::string& block) {
      const std::string before = e_.affine(Affine().add(block, k_.groups));
      const std::string from =
          e_.let("arith.maxsi " + e_.let("arith.subi %begin, " + before + " : index") + ", " + zero + " : index");
      const std::string to =
          e_.let("arith.minsi " + e_.let("arith.subi %end, " + before + " : index") + ", " + groups + " : index");
      e_.loop(zero, e_.index(k_.tiles), 1, [&](const std::string& t) { transform_input(block, t); });
      e_.loop(from, to, 1, [&](const std::string& group) {
        e_.loop(zero, e_.index(k_.points()), 1, [&](const std::string& point) { multiply(group, point); });
        e_.loop(zero, e_.index(k_.tiles), 1, [&](const std::string& t) { transform_output(block, group, t); });
      });
    });
    KernelText text{e_.function(arguments_), block_count() * k_.groups};
    text.scratch_bytes = k_.scratch_floats() * static_cast<std::int64_t>(sizeof(float));
    return text;
  }

 private:
  static constexpr std::size_t kScratch = 0, kInput = 1, kWeights = 2, kOthers = 3;

  [[nodiscard]] std::int64_t block_count() const { return k_.batch * k_.tile_rows * k_.tile_columns / k_.tiles; }
  [[nodiscard]] std::int64_t extent(const BlockedAccess& a, std::int64_t blocks, std::int64_t rows,
                                    std::int64_t columns) const {
    return a.offset + (blocks - 1) * a.block + (k_.batch - 1) * a.batch + (rows - 1) * a.row +
           (columns - 1) * a.column + k_.lanes;
  }
  void add_argument(std::int64_t size) {
    types_.push_back("memref<" + std::to_string(size) + "xf32>");
    arguments_.emplace_back("%p" + std::to_string(arguments_.size()), types_.back() + " {llvm.noalias}");
  }
  std::string load(std::size_t argument, const Affine& at, int width) {
    return e_.load(arguments_[argument].first, types_[argument], e_.affine(at), Element::kF32, width);
  }
  void store(const std::string& value, std::size_t argument, const Affine& at) {
    e_.store(value, arguments_[argument].first, types_[argument], e_.affine(at), Element::kF32, width_);
  }

  // Where things are.

  struct TilePlace {
    std::string sample, row, column;
  };
  TilePlace place_of(const std::string& block, const std::string& t) {
    const std::string number = e_.affine(Affine().add(block, k_.tiles).add(t, 1));
    const std::string columns = e_.index(k_.tile_columns), rows = e_.index(k_.tile_rows);
    const std::string rest = e_.let("arith.divui " + number + ", " + columns + " : index");
    return {e_.let("arith.divui " + rest + ", " + rows + " : index"),
            e_.let("arith.remui " + rest + ", " + rows + " : index"),
            e_.let("arith.remui " + number + ", " + columns + " : index")};
  }
  [[nodiscard]] Affine pixel(const BlockedAccess& a, const TilePlace& tile, std::int64_t y, std::int64_t x) const {
    Affine at;
    at.constant = a.offset + y * a.row + x * a.column;
    return at.add(tile.sample, a.batch).add(tile.row, k_.m * a.row).add(tile.column, k_.m * a.column);
  }
  [[nodiscard]] Affine transformed(std::int64_t constant) const {
    Affine at;
    at.constant = constant;
    return at.add("%part", k_.scratch_floats());
  }
  [[nodiscard]] Affine product(std::int64_t constant) const {
    return transformed(k_.points() * k_.input_stride() + constant);
  }

  // The three phases.

  void transform_input(const std::string& block, const std::string& t) {
    const TilePlace tile = place_of(block, t);
    e_.loop(e_.index(0), e_.index(k_.blocks), 1, [&](const std::string& channels) {
      const std::int64_t side = k_.side();
      std::vector<Values> columns;
      for (std::int64_t x = 0; x < side; ++x) {
        Values d;
        for (std::int64_t y = 0; y < side; ++y)
          d.push_back(load(kInput, pixel(k_.input, tile, y, x).add(channels, k_.input.block), width_));
        columns.push_back(transforms_.input(k_.m, d));
      }
      for (std::int64_t y = 0; y < side; ++y) {
        Values row;
        for (const Values& column : columns) row.push_back(column[static_cast<std::size_t>(y)]);
        const Values points = transforms_.input(k_.m, row);
        for (std::int64_t x = 0; x < side; ++x) {
          Affine at = transformed((y * side + x) * k_.input_stride());
          at.add(channels, k_.tiles * k_.lanes).add(t, k_.lanes);
          store(points[static_cast<std::size_t>(x)], kScratch, at);
        }
      }
    });
  }

  void multiply(const std::string& group, const std::string& point) {
    const std::int64_t whole = k_.tiles / k_.tile * k_.tile;
    e_.loop(e_.index(0), e_.index(whole), k_.tile, [&](const std::string& t) { products(group, point, t); });
    if (whole < k_.tiles) products(group, point, e_.index(k_.tiles - k_.tile));
  }

  void products(const std::string& group, const std::string& point, const std::string& t) {
    const auto n = static_cast<std::size_t>(k_.tile * k_.vectors);
    const Values zeros(n, e_.number(0, Element::kF32, width_));
    const std::vector<std::string> types(n, register_type(Element::kF32, width_));
    const auto channels = [&](const std::string& block, std::int64_t count, const Values& sums) {
      return e_.loop(e_.index(0), e_.index(count), 1, sums, types,
                     [&](const std::string& c, const Values& v) { return accumulate(group, point, t, block, c, v); });
    };
    const bool partial = k_.last_channels < k_.lanes;
    const std::int64_t whole = partial ? k_.blocks - 1 : k_.blocks;
    Values sums = zeros;
    if (whole > 0) {
      sums = e_.loop(e_.index(0), e_.index(whole), 1, sums, types,
                     [&](const std::string& block, const Values& v) { return channels(block, k_.lanes, v); });
    }
    if (partial) sums = channels(e_.index(k_.blocks - 1), k_.last_channels, sums);
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      for (std::int64_t v = 0; v < k_.vectors; ++v) {
        Affine at = product((p * k_.vectors + v) * k_.lanes);
        at.add(point, k_.product_stride()).add(t, k_.vectors * k_.lanes);
        store(sums[static_cast<std::size_t>(p * k_.vectors + v)], kScratch, at);
      }
    }
  }

  Values accumulate(const std::string& group, const std::string& point, const std::string& t, const std::string& block,
                    const std::string& c, const Values& sums) {
    const std::int64_t of_channel = k_.vectors * k_.lanes, of_block = k_.lanes * of_channel,
                       of_point = k_.blocks * of_block;
    Values weights, next;
    for (std::int64_t v = 0; v < k_.vectors; ++v) {
      Affine at;
      at.constant = v * k_.lanes;
      at.add(group, k_.points() * of_point).add(point, of_point).add(block, of_block).add(c, of_channel);
      weights.push_back(load(kWeights, at, width_));
    }
    for (std::int64_t p = 0; p < k_.tile; ++p) {
      Affine at = transformed(p * k_.lanes);
      at.add(point, k_.input_stride()).add(block, k_.tiles * k_.lanes).add(t, k_.lanes).add(c, 1);
      const std::string x = e_.broadcast(load(kScratch, at, 1), Element::kF32, width_);
      for (std::int64_t v = 0; v < k_.vectors; ++v) {
        next.push_back(e_.let("math.fma " + x + ", " + weights[static_cast<std::size_t>(v)] + ", " + sums[next.size()] +
                              " : " + register_type(Element::kF32, width_)));
      }
    }
    return next;
  }

  void transform_output(const std::string& block, const std::string& group, const std::string& t) {
    const TilePlace tile = place_of(block, t);
    e_.loop(e_.index(0), e_.index(k_.vectors), 1, [&](const std::string& v) {
      std::vector<Values> columns;
      for (std::int64_t x = 0; x < k_.side(); ++x) {
        Values p;
        for (std::int64_t y = 0; y < k_.side(); ++y) {
          Affine at = product((y * k_.side() + x) * k_.product_stride());
          p.push_back(load(kScratch, at.add(t, k_.vectors * k_.lanes).add(v, k_.lanes), width_));
        }
        columns.push_back(transforms_.output(k_.m, p));
      }
      for (std::int64_t y = 0; y < k_.m; ++y) {
        Values row;
        for (const Values& column : columns) row.push_back(column[static_cast<std::size_t>(y)]);
        const Values pixels = transforms_.output(k_.m, row);
        for (std::int64_t x = 0; x < k_.m; ++x) {
          guarded(tile, y, x, [&] { finish(pixels[static_cast<std::size_t>(x)], tile, group, v, y, x); });
        }
      }
    });
  }

  /// The last tiles may reach beyond the image.
  void guarded(const TilePlace& tile, std::int64_t y, std::int64_t x, const std::function<void()>& body) {
    const auto inside = [&](const std::string& number, std::int64_t place, std::int64_t size,
                            const std::function<void()>& then) {
      if (size % k_.m == 0 || place < size % k_.m) return then();
      Affine at;
      at.constant = place;
      const std::string pixel = e_.affine(at.add(number, k_.m));
      e_.when(e_.let("arith.cmpi ult, " + pixel + ", " + e_.index(size) + " : index"), then);
    };
    inside(tile.row, y, k_.rows, [&] { inside(tile.column, x, k_.columns, body); });
  }

  void finish(const std::string& sum, const TilePlace& tile, const std::string& group, const std::string& v,
              std::int64_t y, std::int64_t x) {
    const auto place = [&](const BlockedAccess& a) {
      return pixel(a, tile, y, x).add(group, k_.vectors * a.block).add(v, a.block);
    };
    Values inputs = {sum};
    for (std::size_t i = 0; i < k_.others.size(); ++i) {
      const BlockedAccess& o = k_.others[i];
      const std::string value = load(kOthers + i, place(o), o.lanes ? width_ : 1);
      inputs.push_back(o.lanes ? value : e_.broadcast(value, Element::kF32, width_));
    }
    store(k_.after.terms.empty() ? sum : e_.evaluate(k_.after, inputs, width_), types_.size() - 1, place(k_.output));
  }

  const WinogradKernel& k_;
  int width_;  // of a vector
  Emitter e_;
  Transforms transforms_;
  std::vector<std::pair<std::string, std::string>> arguments_;
  std::vector<std::string> types_;
};

}  // namespace

KernelText emit(const WinogradKernel& kernel, const Target& /*target*/) { return WinogradEmitter(kernel).text(); }

}  // namespace assay::compiler
