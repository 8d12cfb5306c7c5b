// Operators of one element at a time with attributes or bounds.

#include <cmath>
#include <limits>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

X if_negative(Formula& f, X x, X then, X otherwise) { return select(x < f.number(0), then, otherwise); }

template <X (*kFormula)(Formula&, X, Operator&)>
void with_attributes(Operator& op) {
  if (!is_float(op.element(0))) Operator::fail(std::string("of ") + name_of(op.element(0)) + " it is not computed");
  Formula f;
  op.out(0, op.map(f.done(kFormula(f, f.input(0), op)), {op.in(0)}));
}

X leaky_relu(Formula& f, X x, Operator& op) {
  constexpr float kAlpha = 0.01F;
  return if_negative(f, x, x * f.number(op.real("alpha", kAlpha)), x);
}
X elu(Formula& f, X x, Operator& op) {
  return if_negative(f, x, apply(Op::kExponentialM1, x) * f.number(op.real("alpha", 1)), x);
}
X celu(Formula& f, X x, Operator& op) {
  const X alpha = f.number(op.real("alpha", 1));
  return if_negative(f, x, alpha * apply(Op::kExponentialM1, x / alpha), x);
}
X selu(Formula& f, X x, Operator& op) {
  constexpr float kAlpha = 1.67326319217681884765625F, kGamma = 1.05070102214813232421875F;
  const X alpha = f.number(op.real("alpha", kAlpha));
  return f.number(op.real("gamma", kGamma)) * if_negative(f, x, alpha * apply(Op::kExponentialM1, x), x);
}
X hard_sigmoid(Formula& f, X x, Operator& op) {
  constexpr float kAlpha = 0.2F, kBeta = 0.5F;
  const X line = x * f.number(op.real("alpha", kAlpha)) + f.number(op.real("beta", kBeta));
  return maximum(f.number(0), minimum(f.number(1), line));
}
X thresholded_relu(Formula& f, X x, Operator& op) { return select(f.number(op.real("alpha", 1)) < x, x, f.number(0)); }
X shrink(Formula& f, X x, Operator& op) {
  const X bound = f.number(op.real("lambd", 0.5F)), bias = f.number(op.real("bias", 0)), zero = f.number(0);
  return select(x < -bound, x + bias, select(bound < x, x - bias, zero));
}
X gelu(Formula& f, X x, Operator& op) {
  constexpr double kRootHalf = 0.70710678118654752440, kCubic = 0.044715, kScale = 0.79788456080286535588;
  const X half = x * f.number(0.5);
  if (op.text("approximate", "none") == "tanh") {
    return half * (f.number(1) + apply(Op::kTanh, f.number(kScale) * (x + f.number(kCubic) * x * x * x)));
  }
  return half * (f.number(1) + apply(Op::kErf, x * f.number(kRootHalf)));
}
X is_infinite(Formula& f, X x, Operator& op) {
  const X up = f.number(std::numeric_limits<double>::infinity()) == x;
  const X down = f.number(-std::numeric_limits<double>::infinity()) == x;
  if (op.integer("detect_negative", 1) == 0) return f.apply(Op::kOr, Element::kBool, up, up);
  if (op.integer("detect_positive", 1) == 0) return f.apply(Op::kOr, Element::kBool, down, down);
  return f.apply(Op::kOr, Element::kBool, up, down);
}

/// Bounds are attributes until opset 10, inputs after. Each may be left out.
void clip(Operator& op) {
  const Element element = op.element(0);
  Formula f;
  X x = f.input(0, element);
  std::vector<ValueId> inputs = {op.in(0)};
  constexpr std::int64_t kBoundsAreInputs = 11;
  if (op.opset() < kBoundsAreInputs) {
    x = maximum(x, f.number(op.real("min", std::numeric_limits<float>::lowest()), element));
    x = minimum(x, f.number(op.real("max", std::numeric_limits<float>::max()), element));
  } else {
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      if (!op.has(i)) continue;
      const X bound = f.input(static_cast<int>(inputs.size()), element);
      inputs.push_back(op.in(i));
      x = i == 1 ? maximum(x, bound) : minimum(x, bound);
    }
  }
  op.out(0, inputs.size() == 1 && op.opset() >= kBoundsAreInputs ? op.in(0) : op.map(f.done(x), inputs));
}

/// The slope broadcasts to x alone.
void prelu(Operator& op) {
  Formula f;
  const X x = f.input(0), slope = f.input(1);
  op.out(0, op.map(f.done(if_negative(f, x, x * slope, x)), {op.in(0), op.in(1)}));
}

/// As inference; a mask, where one is wanted, is true everywhere.
void dropout(Operator& op) {
  if (op.has(2) && op.integers(2) != Shape{0}) Operator::fail("training is not computed");
  if (op.wants(1)) {
    Formula f;
    const X x = f.input(0);
    op.out(1, op.map(f.done(f.apply(Op::kOr, Element::kBool, x == x, f.number(1, Element::kBool))), {op.in(0)}));
  }
  op.out(0, op.in(0));
}

/// y * scale, saturated; y = x - zero point. Per tensor, or along an axis.
ValueId along_axis(Operator& op, std::size_t i, std::size_t rank, std::size_t axis) {
  const Shape shape = op.shape(i);
  if (shape.size() != 1 || op.shape(0).size() < 2) return op.in(i);
  Shape spread(rank, 1);
  spread[axis] = shape[0];
  return op.reshape(op.in(i), spread);
}

void dequantize(Operator& op) {
  const std::size_t rank = op.rank(0), axis = rank > 1 ? Operator::axis(op.integer("axis", 1), rank) : 0;
  if (op.integer("block_size", 0) != 0) Operator::fail("blocks along the axis are not computed");
  Formula f;
  X x = f.cast(f.input(0, op.element(0)), Element::kF32);
  const X scale = f.input(1);
  std::vector<ValueId> inputs = {op.in(0), along_axis(op, 1, rank, axis)};
  if (op.has(2)) {
    x = x - f.cast(f.input(2, op.element(2)), Element::kF32);
    inputs.push_back(along_axis(op, 2, rank, axis));
  }
  op.out(0, op.map(f.done(x * scale), inputs));
}

void quantize(Operator& op) {
  const std::size_t rank = op.rank(0), axis = rank > 1 ? Operator::axis(op.integer("axis", 1), rank) : 0;
  if (op.integer("block_size", 0) != 0) Operator::fail("blocks along the axis are not computed");
  const auto named = element_of(static_cast<onnx_graph::ElementType>(op.integer("output_dtype", 0)));
  const Element to = op.has(2) ? op.element(2) : named.value_or(Element::kU8);
  if (to != Element::kU8 && to != Element::kI8)
    Operator::fail(std::string("to ") + name_of(to) + " it is not computed");
  Formula f;
  X y = apply(Op::kRound, f.input(0) / f.input(1));
  std::vector<ValueId> inputs = {op.in(0), along_axis(op, 1, rank, axis)};
  if (op.has(2)) {
    y = y + f.cast(f.input(2, to), Element::kF32);
    inputs.push_back(along_axis(op, 2, rank, axis));
  }
  const double least = to == Element::kU8 ? 0 : std::numeric_limits<std::int8_t>::min();
  const double most =
      to == Element::kU8 ? std::numeric_limits<std::uint8_t>::max() : std::numeric_limits<std::int8_t>::max();
  op.out(0, op.map(f.done(f.cast(minimum(maximum(y, f.number(least)), f.number(most)), to)), inputs));
}

constexpr OperatorRow kActivations[] = {
    {"", "Celu", with_attributes<celu>},
    {"", "Clip", clip},
    {"", "DequantizeLinear", dequantize},
    {"", "Dropout", dropout},
    {"", "Elu", with_attributes<elu>},
    {"", "Gelu", with_attributes<gelu>},
    {"com.microsoft", "Gelu", with_attributes<gelu>},
    {"", "HardSigmoid", with_attributes<hard_sigmoid>},
    {"", "IsInf", with_attributes<is_infinite>},
    {"", "LeakyRelu", with_attributes<leaky_relu>},
    {"", "PRelu", prelu},
    {"", "QuantizeLinear", quantize},
    {"", "Selu", with_attributes<selu>},
    {"", "Shrink", with_attributes<shrink>},
    {"", "ThresholdedRelu", with_attributes<thresholded_relu>},
};

}  // namespace

std::span<const OperatorRow> activation_rows() { return kActivations; }

}  // namespace assay::compiler
