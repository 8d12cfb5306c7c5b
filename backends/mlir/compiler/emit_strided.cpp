// StridedKernel as a function. The parallel loops but the innermost are flattened to units; the innermost is cut into
// chunks where it is long, and computed in vectors where its operands lie beside each other.

#include <algorithm>
#include <limits>

#include "emitter.hpp"
#include "kernel.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kChunk = 1024;  // elements of a unit: some microseconds of work

using Values = Emitter::Values;
using Combine = Reduce::Combine;

double identity_of(Combine combine, Element element) {
  const bool real = is_float(element);
  const double infinity = std::numeric_limits<double>::infinity();
  const bool narrow = bytes_of(element) == 1, is_i32 = element == Element::kI32;
  const bool is_unsigned = element == Element::kU8 || element == Element::kBool;
  const double most = is_unsigned ? 255 : narrow ? 127 : is_i32 ? 2147483647.0 : 9223372036854775807.0;
  const double least = is_unsigned ? 0 : -most - (narrow || is_i32 ? 1 : 0);
  switch (combine) {
    case Combine::kSum:
      return 0;
    case Combine::kProduct:
      return 1;
    case Combine::kMaximum:
      return real ? -infinity : least;
    case Combine::kMinimum:
      return real ? infinity : most;
  }
  return 0;
}

Op op_of(Combine combine) {
  switch (combine) {
    case Combine::kSum:
      return Op::kAdd;
    case Combine::kProduct:
      return Op::kMultiply;
    case Combine::kMaximum:
      return Op::kMaximum;
    default:
      return Op::kMinimum;
  }
}

const char* reduction_name(Combine combine) {
  constexpr const char* kNames[] = {"add", "mul", "maximumf", "minimumf"};
  return kNames[static_cast<std::size_t>(combine)];
}

class StridedEmitter {
 public:
  StridedEmitter(StridedKernel kernel, int vector_floats) : k_(std::move(kernel)), lanes_(vector_floats) {
    if (k_.sizes.size() == k_.reduced) add_loop();
    parallel_ = k_.sizes.size() - k_.reduced;
    for (const Operand& o : k_.inputs) add_argument(o);
    for (const Operand& o : k_.others) add_argument(o);
    add_argument(k_.output);
  }

  KernelText text() {
    const std::int64_t inner = k_.sizes[parallel_ - 1];
    chunk_ = inner > 2 * kChunk ? kChunk : std::max<std::int64_t>(inner, 1);
    chunks_ = (inner + chunk_ - 1) / chunk_;
    std::int64_t units = chunks_;
    for (std::size_t k = 0; k + 1 < parallel_; ++k) units *= k_.sizes[k];
    e_.loop("%begin", "%end", 1, [&](const std::string& unit) { this->unit(unit); });
    return {e_.function(arguments_), units};
  }

 private:
  /// A scalar has one point.
  void add_loop() {
    k_.sizes.insert(k_.sizes.begin(), 1);
    for (auto* list : {&k_.inputs, &k_.others}) {
      for (Operand& o : *list) o.access.strides.insert(o.access.strides.begin(), 0);
    }
    k_.output.access.strides.insert(k_.output.access.strides.begin(), 0);
  }

  void add_argument(const Operand& o) {
    std::int64_t last = o.access.offset;
    for (std::size_t k = 0; k < k_.sizes.size(); ++k) {
      last += std::max<std::int64_t>(0, o.access.strides[k]) * std::max<std::int64_t>(0, k_.sizes[k] - 1);
    }
    types_.push_back("memref<" + std::to_string(last + 1) + "x" + memory_type(o.element, 1) + ">");
    arguments_.emplace_back("%p" + std::to_string(arguments_.size()), types_.back() + " {llvm.noalias}");
  }

  void unit(const std::string& number) {
    std::string rest = number;
    const auto digit = [&](std::int64_t size, bool last) {
      if (last) return rest;
      const std::string base = e_.index(size);
      std::string value = e_.let("arith.remui " + rest + ", " + base + " : index");
      rest = e_.let("arith.divui " + rest + ", " + base + " : index");
      return value;
    };
    const std::string chunk = chunks_ == 1 ? e_.index(0) : digit(chunks_, parallel_ == 1);
    place_.assign(k_.sizes.size(), "");
    for (std::size_t k = parallel_ - 1; k-- > 0;) place_[k] = digit(k_.sizes[k], k == 0);
    row(chunk);
  }

  void row(const std::string& chunk) {
    const std::int64_t inner = k_.sizes[parallel_ - 1];
    const std::string from = chunks_ == 1 ? e_.index(0) : e_.affine(Affine().add(chunk, chunk_));
    std::string to = e_.index(inner);
    if (chunks_ > 1) {
      Affine end;
      end.constant = chunk_;
      to = e_.let("arith.minui " + e_.affine(end.add(chunk, chunk_)) + ", " + to + " : index");
    }
    if (!vectors_along(parallel_ - 1, true)) {
      e_.loop(from, to, 1, [&](const std::string& x) { point(x, 1); });
      return;
    }
    if (inner % chunk_ == 0 && chunk_ % lanes_ == 0) {
      e_.loop(from, to, lanes_, [&](const std::string& x) { point(x, lanes_); });
      return;
    }
    const std::string length = e_.let("arith.subi " + to + ", " + from + " : index");
    const std::string vectors = e_.let("arith.divui " + length + ", " + e_.index(lanes_) + " : index");
    const std::string whole = e_.let("arith.muli " + vectors + ", " + e_.index(lanes_) + " : index");
    const std::string middle = e_.let("arith.addi " + from + ", " + whole + " : index");
    e_.loop(from, middle, lanes_, [&](const std::string& x) { point(x, lanes_); });
    e_.loop(middle, to, 1, [&](const std::string& x) { point(x, 1); });
  }

  /// Whether every operand lies still or element beside element along the loop, which is as long as a vector.
  [[nodiscard]] bool vectors_along(std::size_t loop, bool with_output) const {
    if (k_.sizes[loop] < lanes_) return false;
    const auto fits = [&](const Operand& o) { return o.access.strides[loop] == 0 || o.access.strides[loop] == 1; };
    return std::all_of(k_.inputs.begin(), k_.inputs.end(), fits) &&
           std::all_of(k_.others.begin(), k_.others.end(), fits) &&
           (!with_output || k_.output.access.strides[loop] == 1);
  }

  void point(const std::string& x, int width) {
    place_[parallel_ - 1] = x;
    const std::size_t along = parallel_ - 1;
    std::string value =
        k_.reduced == 0 ? e_.evaluate(k_.expression, loads(0, k_.inputs, along, width), width) : reduction(width);
    if (!k_.after.terms.empty()) {
      Values inputs = {value};
      for (const std::string& v : loads(k_.inputs.size(), k_.others, along, width)) inputs.push_back(v);
      value = e_.evaluate(k_.after, inputs, width);
    }
    e_.store(value, arguments_.back().first, types_.back(), address(k_.output), k_.output.element, width);
  }

  [[nodiscard]] std::string address(const Operand& o) {
    Affine sum;
    sum.constant = o.access.offset;
    for (std::size_t k = 0; k < k_.sizes.size(); ++k) {
      if (!place_[k].empty()) sum.add(place_[k], o.access.strides[k]);
    }
    return e_.affine(sum);
  }

  /// Operands from argument `first` on; a vector of those that move along the loop, the others in every lane.
  Values loads(std::size_t first, const std::vector<Operand>& operands, std::size_t along, int width) {
    Values values;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const Operand& o = operands[i];
      const bool still = width > 1 && o.access.strides[along] == 0;
      const std::string value =
          e_.load(arguments_[first + i].first, types_[first + i], address(o), o.element, still ? 1 : width);
      values.push_back(still ? e_.broadcast(value, o.element, width) : value);
    }
    return values;
  }

  [[nodiscard]] Element accumulated() const { return k_.expression.result().element; }

  /// The accumulated value, in a vector along the innermost parallel loop or alone.
  std::string reduction(int width) {
    const std::size_t last = k_.sizes.size() - 1;
    if (width == 1 && is_float(accumulated()) && vectors_along(last, false)) return along_reduction();
    const std::string start = e_.number(identity_of(k_.combine, accumulated()), accumulated(), width);
    return nest(parallel_, last + 1, start, width,
                [&](const std::string& v) { return accumulate(v, parallel_ - 1, width); });
  }

  using Leaf = std::function<std::string(const std::string& carried)>;

  /// Loops over the reduced axes k … end - 1, carrying the accumulator, with `leaf` in the innermost.
  std::string nest(std::size_t k, std::size_t end, const std::string& carried, int width, const Leaf& leaf) {
    return k == end ? leaf(carried) : loop_over(k, 0, k_.sizes[k], 1, carried, width, [&](const std::string& v) {
      return nest(k + 1, end, v, width, leaf);
    });
  }

  std::string loop_over(std::size_t k, std::int64_t from, std::int64_t to, std::int64_t step,
                        const std::string& carried, int width, const Leaf& leaf) {
    return e_.loop(e_.index(from), e_.index(to), step, {carried}, {register_type(accumulated(), width)},
                   [&](const std::string& i, const Values& v) {
                     place_[k] = i;
                     return Values{leaf(v[0])};
                   })[0];
  }

  std::string accumulate(const std::string& carried, std::size_t along, int width) {
    const Values inputs = loads(0, k_.inputs, along, width);
    const Values terms = e_.evaluate_terms(k_.expression, inputs, width);
    const std::string type = register_type(accumulated(), width);
    const Term& t = k_.expression.result();
    if (k_.combine == Combine::kSum && t.op == Op::kMultiply && is_float(t.element)) {
      return e_.let("math.fma " + terms[static_cast<std::size_t>(t.arguments[0])] + ", " +
                    terms[static_cast<std::size_t>(t.arguments[1])] + ", " + carried + " : " + type);
    }
    Formula f;
    const X a = f.input(0, accumulated()), b = f.input(1, accumulated());
    return e_.evaluate(f.done(f.apply(op_of(k_.combine), accumulated(), a, b)), {carried, terms.back()}, width);
  }

  /// In vectors along the innermost reduced loop, whose lanes are joined at the end; what is left of it one by one.
  std::string along_reduction() {
    const std::size_t last = k_.sizes.size() - 1;
    const std::int64_t size = k_.sizes[last], whole = size / lanes_ * lanes_;
    const std::string type = register_type(accumulated(), lanes_);
    const std::string first = e_.number(identity_of(k_.combine, accumulated()), accumulated(), lanes_);
    const auto stretch = [&](const std::string& start, std::int64_t from, std::int64_t to, int width) {
      return nest(parallel_, last, start, width, [&](const std::string& v) {
        return loop_over(last, from, to, width, v, width,
                         [&](const std::string& w) { return accumulate(w, last, width); });
      });
    };
    const std::string lanes = stretch(first, 0, whole, lanes_);
    const std::string joined = e_.let(std::string("vector.reduction <") + reduction_name(k_.combine) + ">, " + lanes +
                                      " : " + type + " into f32");
    return whole == size ? joined : stretch(joined, whole, size, 1);
  }

  StridedKernel k_;
  int lanes_;
  std::size_t parallel_ = 1;
  std::int64_t chunk_ = 1, chunks_ = 1;
  Emitter e_;
  std::vector<std::pair<std::string, std::string>> arguments_;
  std::vector<std::string> types_;
  Values place_;  // of each loop's index
};

}  // namespace

KernelText emit(const StridedKernel& kernel, const Target& target) {
  return StridedEmitter(kernel, target.vector_floats).text();
}

KernelText emit(const GatherKernel& kernel, const Target& /*target*/) {
  Emitter e;
  const auto type = [](std::int64_t size, Element element) {
    return "memref<" + std::to_string(std::max<std::int64_t>(size, 1)) + "x" + memory_type(element, 1) + ">";
  };
  const std::string data = type(kernel.outer * kernel.extent * kernel.inner, kernel.element);
  const std::string index = type(kernel.picked, kernel.index);
  const std::string output = type(kernel.outer * kernel.picked * kernel.inner, kernel.element);
  e.loop("%begin", "%end", 1, [&](const std::string& unit) {
    const std::string picked = e.index(kernel.picked);
    const std::string p = e.let("arith.remui " + unit + ", " + picked + " : index");
    const std::string o = e.let("arith.divui " + unit + ", " + picked + " : index");
    const std::string raw = e.load("%p1", index, p, kernel.index, 1);
    const std::string wide = e.let("arith.index_cast " + raw + " : " + register_type(kernel.index, 1) + " to index");
    const std::string negative = e.let("arith.cmpi slt, " + wide + ", " + e.index(0) + " : index");
    const std::string from_end = e.let("arith.addi " + wide + ", " + e.index(kernel.extent) + " : index");
    const std::string chosen = e.let("arith.select " + negative + ", " + from_end + ", " + wide + " : index");
    const std::string not_below = e.let("arith.maxsi " + chosen + ", " + e.index(0) + " : index");
    const std::string at =
        e.let("arith.minsi " + not_below + ", " + e.index(std::max<std::int64_t>(kernel.extent - 1, 0)) + " : index");
    e.loop(e.index(0), e.index(kernel.inner), 1, [&](const std::string& i) {
      const std::string from = e.affine(Affine().add(o, kernel.extent * kernel.inner).add(at, kernel.inner).add(i, 1));
      const std::string to = e.affine(Affine().add(unit, kernel.inner).add(i, 1));
      const std::string value = e.load("%p0", data, from, kernel.element, 1);
      e.store(value, "%p2", output, to, kernel.element, 1);
    });
  });
  const auto argument = [](const char* name, const std::string& of) {
    return std::pair<std::string, std::string>(name, of + " {llvm.noalias}");
  };
  return {e.function({argument("%p0", data), argument("%p1", index), argument("%p2", output)}),
          kernel.outer * kernel.picked};
}

}  // namespace assay::compiler
