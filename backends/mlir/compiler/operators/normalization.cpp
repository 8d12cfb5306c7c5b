// Softmax and what brings values to a mean and a spread: made of maps and reductions.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

using Combine = Reduce::Combine;
constexpr float kEpsilon = 1e-5F;
constexpr std::int64_t kAlongOneAxis = 13;  // the opset since which Softmax takes one axis alone

std::vector<std::size_t> axes_from(std::size_t first, std::size_t rank) {
  std::vector<std::size_t> axes(rank - first);
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

/// `size` along axis 1 of so many axes.
Shape of_channels(std::int64_t size, std::size_t rank) {
  Shape shape(rank - 1, 1);  // the batch's axis is left to broadcasting
  shape.at(0) = size;
  return shape;
}

ValueId difference(Operator& op, ValueId a, ValueId b) {
  Formula f;
  const X left = f.input(0), right = f.input(1);
  return op.map(f.done(left - right), {a, b});
}

/// (x - mean) / sqrt(variance + epsilon) over the axes; also what was subtracted and divided by.
struct Normalized {
  ValueId result, mean, inverse;
};
Normalized normalized(Operator& op, ValueId x, const std::vector<std::size_t>& axes, float epsilon) {
  const ValueId mean = op.mean(x, axes);
  const ValueId centred = difference(op, x, mean);
  Formula square;
  const X c = square.input(0);
  const ValueId variance = op.mean(op.map(square.done(c * c), {centred}), axes);
  Formula root;
  const X v = root.input(0);
  const ValueId inverse =
      op.map(root.done(root.number(1) / apply(Op::kSquareRoot, v + root.number(epsilon))), {variance});
  Formula scaled;
  const X x0 = scaled.input(0), factor = scaled.input(1);
  return {op.map(scaled.done(x0 * factor), {centred, inverse}), mean, inverse};
}

ValueId scaled_and_shifted(Operator& op, ValueId x, ValueId scale, ValueId shift) {
  Formula f;
  const X x0 = f.input(0), factor = f.input(1), summand = f.input(2);
  return op.map(f.done(x0 * factor + summand), {x, scale, shift});
}

/// As inference: x * s + t with s = scale / sqrt(variance + epsilon), t = bias - mean * s.
void batch_normalization(Operator& op) {
  const std::size_t rank = op.rank(0);
  if (rank < 2) Operator::fail("it needs an axis of channels");
  if (op.integer("training_mode", 0) != 0) Operator::fail("training is not computed");
  const float epsilon = op.real("epsilon", kEpsilon);
  const auto scale = op.floats(1), bias = op.floats(2), mean = op.floats(3), variance = op.floats(4);
  const Shape channels = of_channels(op.shape(1).at(0), rank);
  const auto fits = [&](const auto& values) {
    return !values || values->size() == static_cast<std::size_t>(op.shape(0)[1]);
  };
  if (!fits(scale) || !fits(bias) || !fits(mean) || !fits(variance))
    Operator::fail("its weights do not fit " + to_text(op.shape(0)));
  if (scale && bias && mean && variance) {
    std::vector<float> factor, summand;
    for (std::size_t c = 0; c < scale->size(); ++c) {
      const double f = (*scale)[c] / std::sqrt(static_cast<double>((*variance)[c]) + epsilon);
      factor.push_back(static_cast<float>(f));
      summand.push_back(static_cast<float>((*bias)[c] - (*mean)[c] * f));
    }
    op.out(0, scaled_and_shifted(op, op.in(0), op.constant(op.node.name + ".scale", factor, channels),
                                 op.constant(op.node.name + ".shift", summand, channels)));
    return;
  }
  std::vector<ValueId> inputs = {op.in(0)};
  for (std::size_t i = 1; i <= 4; ++i) inputs.push_back(op.reshape(op.in(i), channels));
  Formula f;
  const X x = f.input(0), s = f.input(1), b = f.input(2), m = f.input(3), v = f.input(4);
  op.out(0, op.map(f.done((x - m) * s / apply(Op::kSquareRoot, v + f.number(epsilon)) + b), inputs));
}

void instance_normalization(Operator& op) {
  const std::size_t rank = op.rank(0);
  const Shape channels = of_channels(op.shape(1).at(0), rank);
  const ValueId x = normalized(op, op.in(0), axes_from(2, rank), op.real("epsilon", kEpsilon)).result;
  op.out(0, scaled_and_shifted(op, x, op.reshape(op.in(1), channels), op.reshape(op.in(2), channels)));
}

/// Scale and bias are of a group's each until opset 20, of a channel's since.
void group_normalization(Operator& op) {
  const Shape shape = op.shape(0);
  const std::int64_t groups = op.integer("num_groups", 1), channels = shape.at(1);
  if (groups < 1 || channels % groups != 0) {
    Operator::fail(std::to_string(channels) + " channels are no " + std::to_string(groups) + " groups");
  }
  const Shape grouped = {shape[0], groups, count(shape) / std::max<std::int64_t>(1, shape[0] * groups)};
  ValueId x = normalized(op, op.reshape(op.in(0), grouped), {2}, op.real("epsilon", kEpsilon)).result;
  const bool of_groups = op.shape(1).at(0) == groups && groups != channels;
  if (of_groups) {
    x = scaled_and_shifted(op, x, op.reshape(op.in(1), {groups, 1}), op.reshape(op.in(2), {groups, 1}));
    op.out(0, op.reshape(x, shape));
    return;
  }
  const Shape spread = of_channels(channels, shape.size());
  op.out(0, scaled_and_shifted(op, op.reshape(x, shape), op.reshape(op.in(1), spread), op.reshape(op.in(2), spread)));
}

void layer_normalization(Operator& op) {
  const std::size_t rank = op.rank(0), first = Operator::axis(op.integer("axis", -1), rank);
  const Normalized n = normalized(op, op.in(0), axes_from(first, rank), op.real("epsilon", kEpsilon));
  Formula f;
  X y = f.input(0) * f.input(1);
  std::vector<ValueId> inputs = {n.result, op.in(1)};
  if (op.has(2)) {
    y = y + f.input(2);
    inputs.push_back(op.in(2));
  }
  op.out(0, op.map(f.done(y), inputs));
  if (op.wants(1)) op.out(1, n.mean);
  if (op.wants(2)) op.out(2, n.inverse);
}

void mean_variance_normalization(Operator& op) {
  std::vector<std::size_t> axes;
  for (const std::int64_t a : op.list("axes").value_or(Shape{0, 2, 3})) axes.push_back(Operator::axis(a, op.rank(0)));
  constexpr float kTiny = 1e-9F;
  op.out(0, normalized(op, op.in(0), axes, kTiny).result);
}

/// x / (Σ |x|^p)^(1/p) along one axis, p 1 or 2.
void lp_normalization(Operator& op) {
  const std::size_t axis = Operator::axis(op.integer("axis", -1), op.rank(0));
  const bool square = op.integer("p", 2) == 2;
  Formula power;
  const X x = power.input(0);
  const ValueId powers = op.map(power.done(square ? x * x : apply(Op::kAbsolute, x)), {op.in(0)});
  const ValueId sum = op.reduce(Combine::kSum, powers, {axis});
  Formula f;
  const X whole = f.input(1);
  op.out(0, op.map(f.done(f.input(0) / (square ? apply(Op::kSquareRoot, whole) : whole)), {op.in(0), sum}));
}

/// x / (bias + alpha / size * Σ x²)^beta, the sum over `size` channels around each.
void lrn(Operator& op) {
  constexpr float kAlpha = 1e-4F, kBeta = 0.75F;
  const std::int64_t size = op.integer("size", 1);
  if (size < 1 || op.rank(0) < 2) Operator::fail("a window of " + std::to_string(size) + " channels is none");
  Formula square;
  const X x = square.input(0);
  ValueId squares = op.map(square.done(x * x), {op.in(0)});
  const std::size_t rank = op.rank(0);
  Shape begin(rank, 0), end(rank, 0);
  begin.at(1) = (size - 1) / 2;
  end.at(1) = size - 1 - begin[1];
  const Shape shape = op.shape(0);
  squares = op.pad(squares, begin, end, 0);
  // A window as an axis of its own: (batch, size, channels, space …), reduced over the second.
  Shape strides = contiguous_strides(op.shape_of(squares)), windows = shape;
  strides.insert(strides.begin() + 1, strides[1]);
  windows.insert(windows.begin() + 1, size);
  const ValueId sums = op.reshape(op.reduce(Combine::kSum, op.strided(squares, 0, strides, windows), {1}), shape);
  Formula f;
  const X base =
      f.number(op.real("bias", 1)) + f.number(op.real("alpha", kAlpha) / static_cast<float>(size)) * f.input(1);
  const X divisor = f.apply(Op::kPower, Element::kF32, base, f.number(op.real("beta", kBeta)));
  op.out(0, op.map(f.done(f.input(0) / divisor), {op.in(0), sums}));
}

struct Exponentials {
  ValueId shifted, sum;
  std::vector<std::size_t> axes;
};
/// x - max and Σ e^(x - max): along one axis, or, before opset 13, along it and all that follow.
Exponentials exponentials(Operator& op) {
  const std::size_t rank = op.rank(0);
  const bool one = op.opset() >= kAlongOneAxis;
  const std::size_t axis = Operator::axis(op.integer("axis", one ? -1 : 1), rank);
  Exponentials e;
  e.axes = one ? std::vector<std::size_t>{axis} : axes_from(axis, rank);
  e.shifted = difference(op, op.in(0), op.reduce(Combine::kMaximum, op.in(0), e.axes));
  Formula f;
  e.sum = op.reduce(Combine::kSum, op.map(f.done(apply(Op::kExponential, f.input(0))), {e.shifted}), e.axes);
  return e;
}

void softmax(Operator& op) {
  const Exponentials e = exponentials(op);
  Formula f;
  const X sum = f.input(1);
  op.out(0, op.map(f.done(apply(Op::kExponential, f.input(0)) / sum), {e.shifted, e.sum}));
}

void log_softmax(Operator& op) {
  const Exponentials e = exponentials(op);
  Formula f;
  const X sum = f.input(1);
  op.out(0, op.map(f.done(f.input(0) - apply(Op::kLogarithm, sum)), {e.shifted, e.sum}));
}

constexpr OperatorRow kNormalizations[] = {
    {"", "BatchNormalization", batch_normalization},
    {"", "GroupNormalization", group_normalization},
    {"", "InstanceNormalization", instance_normalization},
    {"", "LRN", lrn},
    {"", "LayerNormalization", layer_normalization},
    {"", "LogSoftmax", log_softmax},
    {"", "LpNormalization", lp_normalization},
    {"", "MeanVarianceNormalization", mean_variance_normalization},
    {"", "Softmax", softmax},
};

}  // namespace

std::span<const OperatorRow> normalization_rows() { return kNormalizations; }

}  // namespace assay::compiler
