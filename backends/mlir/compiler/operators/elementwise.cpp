// Operators that compute each element from one element of each input, without attributes.

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

void check_float(Operator& op) {
  if (!is_float(op.element(0))) Operator::fail(std::string("of ") + name_of(op.element(0)) + " it is not computed");
}

/// An instruction of the target's or a function that MLIR expands.
template <Op kOp>
void unary(Operator& op) {
  if (kOp != Op::kAbsolute && kOp != Op::kNegate) check_float(op);
  Formula f;
  op.out(0, op.map(f.done(apply(kOp, f.input(0, op.element(0)))), {op.in(0)}));
}

/// The formula of one input.
template <X (*kFormula)(Formula&, X)>
void formula(Operator& op) {
  check_float(op);
  Formula f;
  op.out(0, op.map(f.done(kFormula(f, f.input(0))), {op.in(0)}));
}

template <X (*kFormula)(X, X)>
void binary(Operator& op) {
  Formula f;
  const X a = f.input(0, op.element(0)), b = f.input(1, op.element(1));
  op.out(0, op.map(f.done(kFormula(a, b)), {op.in(0), op.in(1)}));
}

/// Any number of inputs, from the left.
template <X (*kFormula)(X, X)>
ValueId folded(Operator& op) {
  ValueId result = op.in(0);
  for (std::size_t i = 1; i < op.count(); ++i) {
    Formula f;
    const X a = f.input(0, op.element(0)), b = f.input(1, op.element(i));
    result = op.map(f.done(kFormula(a, b)), {result, op.in(i)});
  }
  return result;
}

template <X (*kFormula)(X, X)>
void variadic(Operator& op) {
  op.out(0, folded<kFormula>(op));
}

X add(X a, X b) { return a + b; }
X subtract(X a, X b) { return a - b; }
X multiply(X a, X b) { return a * b; }
X divide(X a, X b) { return a / b; }
X less(X a, X b) { return a < b; }
X less_or_equal(X a, X b) { return a <= b; }
X greater(X a, X b) { return b < a; }
X greater_or_equal(X a, X b) { return b <= a; }
X equal(X a, X b) { return a == b; }
X logical_and(X a, X b) { return a.formula->apply(Op::kAnd, Element::kBool, a, b); }
X logical_or(X a, X b) { return a.formula->apply(Op::kOr, Element::kBool, a, b); }
X logical_xor(X a, X b) { return a.formula->apply(Op::kXor, Element::kBool, a, b); }

X relu(Formula& f, X x) { return maximum(x, f.number(0)); }
/// 1 / (1 + e^-x): e^-x may be infinite, the result is 0 then.
/// max(x, 0) + log(1 + e^-|x|): of no x too large.
X softplus(Formula& f, X x) {
  const X tail = apply(Op::kLogarithm1p, apply(Op::kExponential, -apply(Op::kAbsolute, x)));
  return maximum(x, f.number(0)) + tail;
}
X softsign(Formula& f, X x) { return x / (f.number(1) + apply(Op::kAbsolute, x)); }
X hard_swish(Formula& f, X x) {
  constexpr double kSixth = 1.0 / 6;
  return x * maximum(f.number(0), minimum(f.number(1), x * f.number(kSixth) + f.number(0.5)));
}
X mish(Formula& f, X x) { return x * apply(Op::kTanh, softplus(f, x)); }
X reciprocal(Formula& f, X x) { return f.number(1) / x; }
X sign(Formula& f, X x) {
  const X zero = f.number(0);
  return select(x < zero, f.number(-1), select(zero < x, f.number(1), zero));
}
X cosh(Formula& f, X x) { return (apply(Op::kExponential, x) + apply(Op::kExponential, -x)) * f.number(0.5); }
/// (e^x - 1 + (e^x - 1) / e^x) / 2: precise near 0.
X sinh(Formula& f, X x) {
  const X e = apply(Op::kExponentialM1, x);
  return (e + e / (e + f.number(1))) * f.number(0.5);
}
X asinh(Formula& f, X x) {
  const X size = apply(Op::kAbsolute, x), square = size * size, one = f.number(1);
  const X result = apply(Op::kLogarithm1p, size + square / (one + apply(Op::kSquareRoot, square + one)));
  return select(x < f.number(0), -result, result);
}
X acosh(Formula& f, X x) { return apply(Op::kLogarithm, x + apply(Op::kSquareRoot, x * x - f.number(1))); }
X atanh(Formula& f, X x) {
  const X up = apply(Op::kLogarithm1p, x), down = apply(Op::kLogarithm1p, -x);
  return (up - down) * f.number(0.5);
}
X is_nan(Formula& f, X x) { return f.apply(Op::kNot, Element::kBool, x == x); }

void logical_not(Operator& op) {
  Formula f;
  op.out(0, op.map(f.done(f.apply(Op::kNot, Element::kBool, f.input(0, Element::kBool))), {op.in(0)}));
}

void mean_of_inputs(Operator& op) {
  const ValueId sum = folded<add>(op);
  Formula f;
  op.out(0, op.map(f.done(f.input(0) / f.number(static_cast<double>(op.count()))), {sum}));
}

void power(Operator& op) {
  check_float(op);
  Formula f;
  const X x = f.input(0), y = f.cast(f.input(1, op.element(1)), Element::kF32);
  op.out(0, op.map(f.done(f.apply(Op::kPower, Element::kF32, x, y)), {op.in(0), op.in(1)}));
}

/// With fmod the sign is the dividend's, else the divisor's.
void modulo(Operator& op) {
  const Element element = op.element(0);
  Formula f;
  const X a = f.input(0, element), b = f.input(1, element);
  const X remainder = f.apply(Op::kRemainder, element, a, b);
  if (op.integer("fmod", 0) != 0) {
    op.out(0, op.map(f.done(remainder), {op.in(0), op.in(1)}));
    return;
  }
  const X zero = f.number(0, element);
  const X differ = f.apply(Op::kXor, Element::kBool, remainder < zero, b < zero);
  const X other = f.apply(Op::kAnd, Element::kBool, f.apply(Op::kNot, Element::kBool, remainder == zero), differ);
  op.out(0, op.map(f.done(select(other, remainder + b, remainder)), {op.in(0), op.in(1)}));
}

void where(Operator& op) {
  Formula f;
  const X condition = f.input(0, Element::kBool);
  const X yes = f.input(1, op.element(1)), no = f.input(2, op.element(1));
  op.out(0, op.map(f.done(select(condition, yes, no)), {op.in(0), op.in(1), op.in(2)}));
}

void cast_to(Operator& op, Element to) {
  Formula f;
  op.out(0, op.element(0) == to ? op.in(0) : op.map(f.done(f.cast(f.input(0, op.element(0)), to)), {op.in(0)}));
}

void cast(Operator& op) {
  const auto type = static_cast<onnx_graph::ElementType>(op.integer("to", 0));
  const auto to = element_of(type);
  if (!to) Operator::fail("to " + to_string(type) + " it is not computed");
  cast_to(op, *to);
}

void cast_like(Operator& op) { cast_to(op, op.element(1)); }

constexpr OperatorRow kElementwise[] = {
    {"", "Abs", unary<Op::kAbsolute>},
    {"", "Acos", unary<Op::kArcCosine>},
    {"", "Acosh", formula<acosh>},
    {"", "Add", binary<add>},
    {"", "And", binary<logical_and>},
    {"", "Asin", unary<Op::kArcSine>},
    {"", "Asinh", formula<asinh>},
    {"", "Atan", unary<Op::kArcTangent>},
    {"", "Atanh", formula<atanh>},
    {"", "Cast", cast},
    {"", "CastLike", cast_like},
    {"", "Ceil", unary<Op::kCeil>},
    {"", "Cos", unary<Op::kCosine>},
    {"", "Cosh", formula<cosh>},
    {"", "Div", binary<divide>},
    {"", "Equal", binary<equal>},
    {"", "Erf", unary<Op::kErf>},
    {"", "Exp", unary<Op::kExponential>},
    {"", "Floor", unary<Op::kFloor>},
    {"", "Greater", binary<greater>},
    {"", "GreaterOrEqual", binary<greater_or_equal>},
    {"", "HardSwish", formula<hard_swish>},
    {"", "IsNaN", formula<is_nan>},
    {"", "Less", binary<less>},
    {"", "LessOrEqual", binary<less_or_equal>},
    {"", "Log", unary<Op::kLogarithm>},
    {"", "Max", variadic<maximum>},
    {"", "Mean", mean_of_inputs},
    {"", "Min", variadic<minimum>},
    {"", "Mish", formula<mish>},
    {"", "Mod", modulo},
    {"", "Mul", binary<multiply>},
    {"", "Neg", unary<Op::kNegate>},
    {"", "Not", logical_not},
    {"", "Or", binary<logical_or>},
    {"", "Pow", power},
    {"", "Reciprocal", formula<reciprocal>},
    {"", "Relu", formula<relu>},
    {"", "Round", unary<Op::kRound>},
    {"", "Sigmoid", unary<Op::kSigmoid>},
    {"", "Sign", formula<sign>},
    {"", "Sin", unary<Op::kSine>},
    {"", "Sinh", formula<sinh>},
    {"", "Softplus", formula<softplus>},
    {"", "Softsign", formula<softsign>},
    {"", "Sqrt", unary<Op::kSquareRoot>},
    {"", "Sub", binary<subtract>},
    {"", "Sum", variadic<add>},
    {"", "Tan", unary<Op::kTangent>},
    {"", "Tanh", unary<Op::kTanh>},
    {"", "Where", where},
    {"", "Xor", binary<logical_xor>},
};

}  // namespace

std::span<const OperatorRow> elementwise_rows() { return kElementwise; }

}  // namespace assay::compiler
