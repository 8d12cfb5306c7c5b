// BandKernel as a function: of a band of rows and a group of channels what the dense convolution gives, into scratch
// memory with its border of zeros; then the depthwise convolution of that.

#include "conv_emitter.hpp"

namespace assay::compiler {
namespace {

class BandEmitter {
 public:
  explicit BandEmitter(const BandKernel& kernel)
      : k_(kernel),
        scratch_(pointers_.add(k_.scratch_floats() * kMostThreads)),
        dense_(k_.dense, e_, pointers_, {}, scratch_),
        depthwise_(k_.depthwise, e_, pointers_, scratch_) {}

  KernelText text() {
    clear_sides();
    e_.loop("%begin", "%end", 1, [&](const std::string& unit) { band(unit); });
    KernelText text{e_.function(pointers_.arguments()), k_.dense.batch * k_.dense.groups * k_.bands()};
    text.scratch_bytes = k_.scratch_floats() * static_cast<std::int64_t>(sizeof(float));
    return text;
  }

 private:
  static constexpr std::int64_t kMostThreads = 1024;

  // Rows are counted from the band's first one in scratch memory; `first` is that one's number in the image, which is
  // below 0 where the window reaches beyond it.
  void band(const std::string& unit) {
    const auto [rest, number] = split_index(e_, unit, k_.bands());
    const auto [sample, group] = split_index(e_, rest, k_.dense.groups);
    const std::string row = e_.affine(Affine().add(number, k_.rows));
    const std::string rows = smaller(difference(e_.index(k_.depthwise.rows), row), e_.index(k_.rows));
    const std::int64_t stride = k_.depthwise.row_stride;
    Affine before, last;
    before.constant = -k_.top;
    last.constant = k_.window_rows() - stride;
    const std::string first = e_.affine(before.add(row, stride)), all = e_.affine(last.add(rows, stride));
    const std::string kept = keep_rows(unit, number);
    const std::string begin = smaller(larger(difference(e_.index(0), first), kept), all);
    const std::string end = larger(smaller(difference(e_.index(k_.dense.rows), first), all), begin);
    clear_rows(kept, begin);
    e_.loop(begin, end, 1, [&](const std::string& r) {
      const RowPlace of{sample, e_.affine(Affine().add(r, 1).add(first, 1)), group};
      dense_.row(of, of, {"%part", r, e_.index(0)});
    });
    clear_rows(end, all);
    e_.loop(e_.index(0), e_.index(k_.dense.vectors), 1, [&](const std::string& v) {
      const std::string block = e_.affine(Affine().add(group, k_.dense.vectors).add(v, 1));
      e_.loop(e_.index(0), rows, 1, [&](const std::string& r) {
        const RowPlace of{sample, e_.affine(Affine().add(r, 1).add(row, 1)), block};
        depthwise_.row(of, {"%part", r, v}, of);
      });
    });
  }

  /// Rows that the band before this one computed, too, are moved to where this one has them; answers how many. It is
  /// the band before if this thread did it: not that of the thread's first unit, nor of another image.
  std::string keep_rows(const std::string& unit, const std::string& number) {
    const std::int64_t common = k_.window_rows() - k_.depthwise.row_stride;
    if (common <= 0 || k_.bands() == 1) return e_.index(0);
    const std::string fresh = e_.let("arith.ori " + e_.let("arith.cmpi eq, " + unit + ", %begin : index") + ", " +
                                     e_.let("arith.cmpi eq, " + number + ", " + e_.index(0) + " : index") + " : i1");
    const std::string kept =
        e_.let("arith.select " + fresh + ", " + e_.index(0) + ", " + e_.index(common) + " : index");
    const std::int64_t by = k_.rows * k_.depthwise.row_stride * row_floats();
    for_each_vector(e_.index(0), kept, k_.width, 0, [&](const std::string& at) {
      Affine from;
      from.constant = by;
      store(e_.load(scratch_.name, scratch_.type, e_.affine(from.add(at, 1)), Element::kF32, lanes()), at);
    });
    return kept;
  }

  /// Columns beyond the image are zeros for all bands.
  void clear_sides() {
    const std::int64_t right = k_.width - k_.left - k_.dense.columns;
    for (const auto& [from, columns] : {std::pair(std::int64_t{0}, k_.left), {k_.width - right, right}}) {
      if (columns > 0) clear(e_.index(0), e_.index(k_.scratch_rows()), columns, from);
    }
  }
  void clear_rows(const std::string& from, const std::string& to) { clear(from, to, k_.width, 0); }
  void clear(const std::string& from, const std::string& to, std::int64_t columns, std::int64_t first) {
    const std::string zero = e_.number(0, Element::kF32, lanes());
    for_each_vector(from, to, columns, first, [&](const std::string& at) { store(zero, at); });
  }

  /// Of scratch rows, of all blocks, so many columns from the first on.
  void for_each_vector(const std::string& from, const std::string& to, std::int64_t columns, std::int64_t first,
                       const std::function<void(const std::string&)>& visit) {
    e_.loop(e_.index(0), e_.index(k_.dense.vectors), 1, [&](const std::string& v) {
      e_.loop(from, to, 1, [&](const std::string& row) {
        e_.loop(e_.index(first), e_.index(first + columns), 1, [&](const std::string& column) {
          Affine at;
          at.add("%part", k_.scratch_floats()).add(v, k_.dense.output.block).add(row, row_floats());
          visit(e_.affine(at.add(column, k_.dense.lanes)));
        });
      });
    });
  }
  void store(const std::string& value, const std::string& at) {
    e_.store(value, scratch_.name, scratch_.type, at, Element::kF32, lanes());
  }

  [[nodiscard]] int lanes() const { return static_cast<int>(k_.dense.lanes); }
  [[nodiscard]] std::int64_t row_floats() const { return k_.width * k_.dense.lanes; }
  std::string difference(const std::string& a, const std::string& b) {
    return e_.let("arith.subi " + a + ", " + b + " : index");
  }
  std::string smaller(const std::string& a, const std::string& b) {
    return e_.let("arith.minsi " + a + ", " + b + " : index");
  }
  std::string larger(const std::string& a, const std::string& b) {
    return e_.let("arith.maxsi " + a + ", " + b + " : index");
  }

  const BandKernel& k_;
  Emitter e_;
  FloatPointers pointers_;
  FloatPointer scratch_;
  ConvEmitter dense_, depthwise_;
};

}  // namespace

KernelText emit(const BandKernel& kernel, const Target& /*target*/) { return BandEmitter(kernel).text(); }

}  // namespace assay::compiler
