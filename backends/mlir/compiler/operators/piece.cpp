// What moves elements: slices, joins, orders, sizes.

#include <algorithm>
#include <limits>
#include <numeric>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

void identity(Operator& op) { op.out(0, op.in(0)); }

/// Reshape, Flatten, Squeeze, Unsqueeze: the elements in order.
void reshape(Operator& op) { op.out(0, op.reshape(op.in(0), op.out_shape(0))); }

void transpose(Operator& op) {
  std::vector<std::size_t> order(op.rank(0));
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  if (const auto given = op.list("perm")) {
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = Operator::axis(given->at(k), order.size());
  }
  op.out(0, op.transpose(op.in(0), order));
}

void concat(Operator& op) {
  const std::size_t axis = Operator::axis(op.integer("axis", 1), op.rank(0));
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < op.count(); ++i) {
    if (op.shape(i).at(axis) > 0) parts.push_back(op.in(i));
  }
  op.out(0, parts.empty() ? op.in(0) : op.concat(std::move(parts), axis));
}

/// Strides of x under a shape to which it broadcasts: 0 along what is repeated.
Shape broadcast_strides(const Shape& x, const Shape& to) {
  const Shape own = contiguous_strides(x);
  Shape strides(to.size(), 0);
  for (std::size_t k = 0; k < x.size(); ++k) {
    const std::size_t at = to.size() - x.size() + k;
    strides[at] = x[k] == to[at] ? own[k] : 0;
  }
  return strides;
}

void expand(Operator& op) {
  const Shape shape = broadcast({op.shape(0), op.require_integers(1, "the shape to expand to")});
  op.out(0, shape == op.shape(0) ? op.in(0) : op.strided(op.in(0), 0, broadcast_strides(op.shape(0), shape), shape));
}

/// (r0 * x0, r1 * x1 …) as (r0, x0, r1, x1 …), the repeated axes with stride 0.
void tile(Operator& op) {
  const Shape x = op.shape(0), own = contiguous_strides(x), repeats = op.require_integers(1, "how often it repeats");
  if (repeats.size() != x.size()) Operator::fail("it needs a number of repeats for each axis");
  Shape shape, strides;
  for (std::size_t k = 0; k < x.size(); ++k) {
    shape.insert(shape.end(), {repeats[k], x[k]});
    strides.insert(strides.end(), {0, own[k]});
  }
  op.out(0, op.reshape(op.strided(op.in(0), 0, strides, shape), op.out_shape(0)));
}

/// Begins, ends, axes and steps: inputs since opset 10, attributes before.
struct Ranges {
  Shape begin, step, size;
};

void clamp_range(Ranges& r, std::size_t k, std::int64_t extent, std::int64_t start, std::int64_t end,
                 std::int64_t step) {
  if (step == 0) Operator::fail("a step of 0 leads nowhere");
  const std::int64_t least = step > 0 ? 0 : -1, most = step > 0 ? extent : extent - 1;
  const auto clamped = [&](std::int64_t v) {
    if (v < 0) v = std::max(v, std::numeric_limits<std::int64_t>::min() + extent) + extent;
    return std::clamp(v, least, most);
  };
  const std::int64_t from = clamped(start), to = clamped(end);
  r.begin[k] = from;
  r.step[k] = step;
  r.size[k] = std::max<std::int64_t>(0, step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step);
}

void slice(Operator& op) {
  constexpr std::int64_t kRangesAreInputs = 10;
  const bool inputs = op.opset() >= kRangesAreInputs;
  const Shape x = op.shape(0);
  const Shape starts = inputs ? op.require_integers(1, "where it starts") : op.list("starts").value_or(Shape{});
  const Shape ends = inputs ? op.require_integers(2, "where it ends") : op.list("ends").value_or(Shape{});
  Shape axes(starts.size());
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (inputs && op.has(3)) axes = op.require_integers(3, "along which axes");
  if (!inputs) axes = op.list("axes").value_or(axes);
  const Shape steps = inputs && op.has(4) ? op.require_integers(4, "its steps") : Shape(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    Operator::fail("starts, ends, axes and steps differ in number");
  }
  Ranges r{Shape(x.size(), 0), Shape(x.size(), 1), x};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t k = Operator::axis(axes[i], x.size());
    clamp_range(r, k, x[k], starts[i], ends[i], steps[i]);
  }
  op.out(0, r.size == x && r.step == Shape(x.size(), 1) ? op.in(0) : op.slice(op.in(0), r.begin, r.step, r.size));
}

void split(Operator& op) {
  const Shape x = op.shape(0);
  const std::size_t axis = Operator::axis(op.integer("axis", 0), x.size());
  Shape begin(x.size(), 0);
  for (std::size_t i = 0; i < op.node.outputs.size(); ++i) {
    if (!op.wants(i)) Operator::fail("each part must have a name");
    const Shape size = op.out_shape(i);
    op.out(i, op.slice(op.in(0), begin, Shape(x.size(), 1), size));
    begin[axis] += size.at(axis);
  }
}

void gather(Operator& op) {
  if (op.element(1) != Element::kI64 && op.element(1) != Element::kI32) Operator::fail("its indices are no integers");
  op.out(0, op.gather(op.in(0), op.in(1), Operator::axis(op.integer("axis", 0), op.rank(0))));
}

/// Constant: what lies around. Edge and reflect: gathers along each axis that is padded.
class Padding {
 public:
  explicit Padding(Operator& op) : op_(op), rank_(op.rank(0)), begin_(rank_, 0), end_(rank_, 0) {
    constexpr std::int64_t kAreInputs = 11;
    inputs_ = op.opset() >= kAreInputs;
    const Shape pads = inputs_ ? op.require_integers(1, "how much it pads") : op.list("pads").value_or(Shape{});
    Shape axes(rank_);
    std::iota(axes.begin(), axes.end(), std::int64_t{0});
    if (op.has(3)) axes = op.require_integers(3, "along which axes it pads");
    if (pads.size() != 2 * axes.size()) Operator::fail("pads must have two values for each axis");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t k = Operator::axis(axes[i], rank_);
      begin_[k] = pads[i];
      end_[k] = pads[i + axes.size()];
    }
  }

  void import() {
    const ValueId x = cropped();
    const std::string mode = op_.text("mode", "constant");
    if (mode == "constant") {
      op_.out(0, op_.pad(x, begin_, end_, value()));
    } else {
      op_.out(0, gathered(x, mode));
    }
  }

 private:
  /// Negative pads take away.
  ValueId cropped() {
    Shape from(rank_, 0), size = op_.shape(0);
    for (std::size_t k = 0; k < rank_; ++k) {
      from[k] = std::max<std::int64_t>(0, -begin_[k]);
      size[k] -= from[k] + std::max<std::int64_t>(0, -end_[k]);
      if (size[k] < 0) Operator::fail("it takes away more than there is");
      begin_[k] = std::max<std::int64_t>(0, begin_[k]);
      end_[k] = std::max<std::int64_t>(0, end_[k]);
    }
    return size == op_.shape(0) ? op_.in(0) : op_.slice(op_.in(0), from, Shape(rank_, 1), size);
  }

  double value() {
    if (!inputs_) return op_.real("value", 0);
    if (!op_.has(2)) return 0;
    if (const auto floats = op_.floats(2); floats && !floats->empty()) return (*floats)[0];
    if (const auto integers = op_.integers(2); integers && !integers->empty())
      return static_cast<double>((*integers)[0]);
    Operator::fail("what it pads with is known only when it runs");
  }

  ValueId gathered(ValueId x, const std::string& mode) {
    if (mode != "edge" && mode != "reflect" && mode != "wrap") Operator::fail("mode " + mode + " is not computed");
    for (std::size_t k = 0; k < rank_; ++k) {
      if (begin_[k] == 0 && end_[k] == 0) continue;
      const std::int64_t n = op_.shape_of(x)[k], size = n + begin_[k] + end_[k];
      if (n < 1) Operator::fail("there is nothing to repeat");
      std::vector<std::int64_t> places;
      for (std::int64_t i = -begin_[k]; i < size - begin_[k]; ++i) places.push_back(place(i, n, mode));
      x = op_.gather(x, op_.constant("places", places, {size}), k);
    }
    return x;
  }

  static std::int64_t place(std::int64_t i, std::int64_t n, const std::string& mode) {
    if (mode == "edge" || n == 1) return std::clamp<std::int64_t>(i, 0, n - 1);
    if (mode == "wrap") return ((i % n) + n) % n;
    const std::int64_t period = 2 * (n - 1), at = ((i % period) + period) % period;
    return std::min(at, period - at);
  }

  Operator& op_;
  std::size_t rank_;
  Shape begin_, end_;
  bool inputs_ = true;
};

void pad(Operator& op) { Padding(op).import(); }

void depth_to_space(Operator& op) {
  const Shape x = op.shape(0);
  const std::int64_t b = op.integer("blocksize", 1);
  constexpr std::int64_t kLargestBlock = 1 << 20;
  if (x.size() != 4 || b < 1 || b > kLargestBlock || x[1] % (b * b) != 0)
    Operator::fail(to_text(x) + " has no blocks of " + std::to_string(b));
  const std::int64_t c = x[1] / (b * b);
  const bool crd = op.text("mode", "DCR") == "CRD";
  const Shape apart = crd ? Shape{x[0], c, b, b, x[2], x[3]} : Shape{x[0], b, b, c, x[2], x[3]};
  const std::vector<std::size_t> order =
      crd ? std::vector<std::size_t>{0, 1, 4, 2, 5, 3} : std::vector<std::size_t>{0, 3, 4, 1, 5, 2};
  op.out(0, op.reshape(op.transpose(op.reshape(op.in(0), apart), order), op.out_shape(0)));
}

void space_to_depth(Operator& op) {
  const Shape x = op.shape(0);
  const std::int64_t b = op.integer("blocksize", 1);
  if (x.size() != 4 || b < 1 || x[2] % b != 0 || x[3] % b != 0)
    Operator::fail(to_text(x) + " has no blocks of " + std::to_string(b));
  const ValueId apart = op.reshape(op.in(0), {x[0], x[1], x[2] / b, b, x[3] / b, b});
  op.out(0, op.reshape(op.transpose(apart, {0, 3, 5, 1, 2, 4}), op.out_shape(0)));
}

/// One element, repeated.
void constant_of_shape(Operator& op) {
  const Shape shape = op.out_shape(0);
  const auto* tensor = op.node.attribute<onnx_graph::Tensor>("value");
  const ValueId element = tensor != nullptr ? op.constant(*tensor) : op.constant("filling", std::vector<float>{0}, {1});
  op.out(0, op.strided(element, 0, Shape(shape.size(), 0), shape));
}

constexpr OperatorRow kPieces[] = {
    {"", "Concat", concat},
    {"", "ConstantOfShape", constant_of_shape},
    {"", "DepthToSpace", depth_to_space},
    {"", "Expand", expand},
    {"", "Flatten", reshape},
    {"", "Gather", gather},
    {"", "Identity", identity},
    {"", "Pad", pad},
    {"", "Reshape", reshape},
    {"", "Resize", import_resize},
    {"", "Slice", slice},
    {"", "SpaceToDepth", space_to_depth},
    {"", "Split", split},
    {"", "Squeeze", reshape},
    {"", "Tile", tile},
    {"", "Transpose", transpose},
    {"", "Unsqueeze", reshape},
    {"", "Upsample", import_resize},
};

}  // namespace

std::span<const OperatorRow> piece_rows() { return kPieces; }

}  // namespace assay::compiler
