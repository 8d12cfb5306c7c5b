// Operators that know where an element is: maps over a constant that counts along an axis, and gathers.

#include <algorithm>
#include <numeric>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

using Combine = Reduce::Combine;

/// 0, 1, 2 … along an axis of a shape that broadcasts to `rank` axes.
ValueId counting(Operator& op, std::int64_t size, std::size_t axis, std::size_t rank) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(size));
  std::iota(places.begin(), places.end(), std::int64_t{0});
  Shape shape(rank - axis, 1);
  shape[0] = size;
  return op.constant("places", std::move(places), std::move(shape));
}

/// Of the largest or smallest element along the axis, which stays: the first, or the last of equals.
ValueId place_of(Operator& op, Combine combine, std::size_t axis, bool last) {
  const Shape shape = op.shape(0);
  const Element element = op.element(0);
  const ValueId extreme = op.reduce(combine, op.in(0), {axis});
  Formula f;
  const X x = f.input(0, element), best = f.input(1, element), place = f.input(2, Element::kI64);
  const X other = f.number(last ? -1 : static_cast<double>(shape[axis]), Element::kI64);
  X here = x == best;
  if (is_float(element)) {  // NaN is the extreme where there is one, and equals nothing
    here = f.apply(Op::kOr, Element::kBool, here, f.apply(Op::kNot, Element::kBool, x == x));
  }
  const ValueId candidates =
      op.map(f.done(select(here, place, other)), {op.in(0), extreme, counting(op, shape[axis], axis, shape.size())});
  return op.reduce(last ? Combine::kMaximum : Combine::kMinimum, candidates, {axis});
}

template <Combine kCombine>
void arg_extreme(Operator& op) {
  const std::size_t axis = Operator::axis(op.integer("axis", 0), op.rank(0));
  const ValueId place = place_of(op, kCombine, axis, op.integer("select_last_index", 0) != 0);
  op.out(0, op.reshape(place, op.out_shape(0)));
}

/// 1 at the first largest element along the axis, 0 elsewhere. Before opset 13: of all axes from it on, as one.
void hardmax(Operator& op) {
  constexpr std::int64_t kAlongOneAxis = 13;
  const Shape shape = op.shape(0);
  const bool one = op.opset() >= kAlongOneAxis;
  const std::size_t axis = Operator::axis(op.integer("axis", one ? -1 : 1), shape.size());
  if (!one && axis + 1 < shape.size()) Operator::fail("over several axes it is not computed");
  const ValueId place = place_of(op, Combine::kMaximum, axis, false);
  Formula f;
  const X there = f.input(0, Element::kI64) == f.input(1, Element::kI64);
  op.out(0, op.map(f.done(f.cast(there, Element::kF32)), {counting(op, shape[axis], axis, shape.size()), place}));
}

/// What lies on and above the k-th diagonal, or on and below it.
void trilu(Operator& op) {
  const Shape shape = op.shape(0);
  const std::size_t rank = shape.size();
  if (rank < 2) Operator::fail("it needs matrices");
  const Shape k = op.has(1) ? op.require_integers(1, "which diagonal") : Shape{0};
  Formula f;
  const X x = f.input(0, op.element(0)), row = f.input(1, Element::kI64), column = f.input(2, Element::kI64);
  const X diagonal = row + f.number(static_cast<double>(k.at(0)), Element::kI64);
  const X kept = op.integer("upper", 1) != 0 ? diagonal <= column : column <= diagonal;
  const X zero = f.number(0, op.element(0));
  op.out(0, op.map(f.done(select(kept, x, zero)), {op.in(0), counting(op, shape[rank - 2], rank - 2, rank),
                                                   counting(op, shape[rank - 1], rank - 1, rank)}));
}

/// The second or the first of two values, where the index is the place along the new axis or not.
void one_hot(Operator& op) {
  const Shape depth = op.require_integers(1, "its depth");
  const std::size_t rank = op.rank(0) + 1, axis = Operator::axis(op.integer("axis", -1), rank);
  const Element index = op.element(0), value = op.element(2);
  if (op.shape(2) != Shape{2}) Operator::fail("it needs two values");
  if (index != Element::kI64 && index != Element::kI32) Operator::fail("its indices are no integers");
  Shape spread = op.shape(0);
  spread.insert(spread.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  const ValueId off = op.slice(op.in(2), {0}, {1}, {1}), on = op.slice(op.in(2), {1}, {1}, {1});
  Formula f;
  const X i = f.cast(f.input(0, index), Element::kI64), place = f.input(1, Element::kI64);
  const X size = f.number(static_cast<double>(depth.at(0)), Element::kI64), zero = f.number(0, Element::kI64);
  const X from_begin = select(i < zero, i + size, i);
  const X yes = f.input(2, value), no = f.input(3, value);
  op.out(0, op.map(f.done(select(from_begin == place, yes, no)),
                   {op.reshape(op.in(0), spread), counting(op, depth.at(0), axis, rank), on, off}));
}

/// Sums over windows that reach from the beginning to each place.
void cumulative_sum(Operator& op) {
  const Shape shape = op.shape(0);
  const std::size_t rank = shape.size();
  const std::size_t axis = Operator::axis(op.require_integers(1, "its axis").at(0), rank);
  const std::int64_t n = shape[axis], without_own = op.integer("exclusive", 0) != 0 ? 1 : 0;
  const bool reverse = op.integer("reverse", 0) != 0;
  Shape begin(rank, 0), end(rank, 0);
  (reverse ? end : begin)[axis] = n - 1 + without_own;
  const ValueId padded = op.pad(op.in(0), begin, end, 0);
  Shape strides = contiguous_strides(op.shape_of(padded)), windows = shape;
  const std::int64_t offset = reverse ? without_own * strides[axis] : 0;
  strides.push_back(strides[axis]);
  windows.push_back(n);
  op.out(0, op.reshape(op.reduce(Combine::kSum, op.strided(padded, offset, strides, windows), {rank}), shape));
}

/// Σ along the last axis of index * stride, negative indices counted from the end; then one gather of whole slices.
ValueId gathered_at(Operator& op, ValueId places, std::int64_t rows, const Shape& slice, const Shape& shape) {
  Shape flat = {rows};
  flat.insert(flat.end(), slice.begin(), slice.end());
  return op.reshape(op.gather(op.reshape(op.in(0), flat), places, 0), shape);
}

X normalized(Formula& f, X index, std::int64_t size) {
  return select(index < f.number(0, Element::kI64), index + f.number(static_cast<double>(size), Element::kI64), index);
}

void gather_elements(Operator& op) {
  const Shape x = op.shape(0), picked = op.shape(1), strides = contiguous_strides(x), own = contiguous_strides(picked);
  const std::size_t axis = Operator::axis(op.integer("axis", 0), x.size());
  if (picked.size() != x.size()) Operator::fail("its indices do not fit " + to_text(x));
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(count(picked)), 0);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (k != axis) offsets[i] += static_cast<std::int64_t>(i) / own[k] % picked[k] * strides[k];
    }
  }
  Formula f;
  const X index = f.cast(f.input(0, op.element(1)), Element::kI64), offset = f.input(1, Element::kI64);
  const X place = normalized(f, index, x[axis]) * f.number(static_cast<double>(strides[axis]), Element::kI64) + offset;
  const ValueId places = op.map(f.done(place), {op.in(1), op.constant("offsets", std::move(offsets), picked)});
  op.out(0, gathered_at(op, places, count(x), {}, picked));
}

void gather_nd(Operator& op) {
  if (op.integer("batch_dims", 0) != 0) Operator::fail("batch_dims is not computed");
  const Shape x = op.shape(0), picked = op.shape(1);
  if (picked.empty()) Operator::fail("it has no indices");
  const auto depth = static_cast<std::size_t>(picked.back());
  if (depth > x.size() || op.element(1) != Element::kI64) Operator::fail("its indices do not fit " + to_text(x));
  const Shape slice(x.begin() + static_cast<std::ptrdiff_t>(depth), x.end());
  const Shape rows(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(depth)), strides = contiguous_strides(rows);
  Shape from(picked.size(), 0), size = picked;
  size.back() = 1;
  Formula f;
  std::vector<ValueId> columns;
  X sum = f.number(0, Element::kI64);
  for (std::size_t k = 0; k < depth; ++k) {
    from.back() = static_cast<std::int64_t>(k);
    columns.push_back(op.slice(op.in(1), from, Shape(picked.size(), 1), size));
    const X index = normalized(f, f.input(static_cast<int>(k), Element::kI64), rows[k]);
    sum = sum + index * f.number(static_cast<double>(strides[k]), Element::kI64);
  }
  if (columns.empty()) Operator::fail("it has no indices");
  op.out(0, gathered_at(op, op.map(f.done(sum), columns), count(rows), slice, op.out_shape(0)));
}

constexpr OperatorRow kIndexed[] = {
    {"", "ArgMax", arg_extreme<Combine::kMaximum>},
    {"", "ArgMin", arg_extreme<Combine::kMinimum>},
    {"", "CumSum", cumulative_sum},
    {"", "GatherElements", gather_elements},
    {"", "GatherND", gather_nd},
    {"", "Hardmax", hardmax},
    {"", "OneHot", one_hot},
    {"", "Trilu", trilu},
};

}  // namespace

std::span<const OperatorRow> indexed_rows() { return kIndexed; }

}  // namespace assay::compiler
