#include <algorithm>
#include <numeric>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

using Combine = Reduce::Combine;

struct Axes {
  std::vector<std::size_t> axes;
  bool none = false;  ///< nothing is reduced: the operator is its element-wise part alone
};

/// An attribute, or an input where a later opset made it one; all where none is given.
Axes axes_of(Operator& op) {
  const std::size_t rank = op.rank(0);
  const auto given = op.list_or_input("axes", 1);
  Axes result;
  if (!given || given->empty()) {
    if (op.integer("noop_with_empty_axes", 0) != 0) {
      result.none = true;
      return result;
    }
    result.axes.resize(rank);
    std::iota(result.axes.begin(), result.axes.end(), std::size_t{0});
    return result;
  }
  for (const std::int64_t a : *given) result.axes.push_back(Operator::axis(a, rank));
  std::sort(result.axes.begin(), result.axes.end());
  result.axes.erase(std::unique(result.axes.begin(), result.axes.end()), result.axes.end());
  return result;
}

ValueId mapped(Operator& op, ValueId x, X (*formula)(X)) {
  Formula f;
  return op.map(f.done(formula(f.input(0, op.element_of(x)))), {x});
}

X square(X x) { return x * x; }
X absolute(X x) { return apply(Op::kAbsolute, x); }
X square_root(X x) { return apply(Op::kSquareRoot, x); }
X logarithm(X x) { return apply(Op::kLogarithm, x); }

/// before, the reduction, after; then the reduced axes go, unless they are to stay.
void reduce_with(Operator& op, Combine combine, X (*before)(X), X (*after)(X)) {
  const Axes axes = axes_of(op);
  ValueId x = op.in(0);
  if (before != nullptr) x = mapped(op, x, before);
  if (!axes.none) x = op.reduce(combine, x, axes.axes);
  if (after != nullptr) x = mapped(op, x, after);
  op.out(0, op.reshape(x, op.out_shape(0)));
}

template <Combine kCombine>
void plain(Operator& op) {
  reduce_with(op, kCombine, nullptr, nullptr);
}
void l1(Operator& op) { reduce_with(op, Combine::kSum, absolute, nullptr); }
void l2(Operator& op) { reduce_with(op, Combine::kSum, square, square_root); }
void log_sum(Operator& op) { reduce_with(op, Combine::kSum, nullptr, logarithm); }
void sum_square(Operator& op) { reduce_with(op, Combine::kSum, square, nullptr); }

void mean(Operator& op) {
  const Axes axes = axes_of(op);
  const ValueId x = axes.none ? op.in(0) : op.mean(op.in(0), axes.axes);
  op.out(0, op.reshape(x, op.out_shape(0)));
}

/// log Σ e^(x - max) + max
void log_sum_exp(Operator& op) {
  const Axes axes = axes_of(op);
  if (axes.none) Operator::fail("without axes it is not computed");
  const ValueId most = op.reduce(Combine::kMaximum, op.in(0), axes.axes);
  Formula f;
  const ValueId powers = op.map(f.done(apply(Op::kExponential, f.input(0) - f.input(1))), {op.in(0), most});
  Formula g;
  const X sum = g.input(0), shift = g.input(1);
  const ValueId result =
      op.map(g.done(apply(Op::kLogarithm, sum) + shift), {op.reduce(Combine::kSum, powers, axes.axes), most});
  op.out(0, op.reshape(result, op.out_shape(0)));
}

constexpr OperatorRow kReductions[] = {
    {"", "ReduceL1", l1},
    {"", "ReduceL2", l2},
    {"", "ReduceLogSum", log_sum},
    {"", "ReduceLogSumExp", log_sum_exp},
    {"", "ReduceMax", plain<Combine::kMaximum>},
    {"", "ReduceMean", mean},
    {"", "ReduceMin", plain<Combine::kMinimum>},
    {"", "ReduceProd", plain<Combine::kProduct>},
    {"", "ReduceSum", plain<Combine::kSum>},
    {"", "ReduceSumSquare", sum_square},
};

}  // namespace

std::span<const OperatorRow> reduction_rows() { return kReductions; }

}  // namespace assay::compiler
