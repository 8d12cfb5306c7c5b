// Convolutions, pools and matrix products.

#include <algorithm>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

/// Steps, dilations and padding are added and multiplied with axes: where none is longer, no product is too large.
constexpr std::int64_t kMostOfWindow = (std::int64_t{1} << 31) - 1;

void check_window(const Shape& values) {
  if (std::any_of(values.begin(), values.end(), [](std::int64_t v) { return v > kMostOfWindow || v < -kMostOfWindow; }))
    Operator::fail("a window, its steps, its dilation and its padding must be smaller than 2^31");
}

/// A window that slides: of as many axes of space as x has.
struct Window {
  Shape kernel, strides, dilations, begin, end;
};

/// One value for each axis of space, or for each side of one.
Shape list_or(Operator& op, const char* name, std::size_t size, std::int64_t fallback) {
  Shape values = op.list(name).value_or(Shape(size, fallback));
  if (values.size() != size) {
    Operator::fail(std::string(name) + " has " + std::to_string(values.size()) + " values, " + std::to_string(size) +
                   " are wanted for x's axes of space");
  }
  return values;
}

/// auto_pad SAME: as much as makes the output ceil(in / stride) long, the odd one at the end (UPPER) or beginning.
void pad_same(Window& w, const Shape& space, bool upper) {
  for (std::size_t k = 0; k < space.size(); ++k) {
    const std::int64_t reach = (w.kernel[k] - 1) * w.dilations[k] + 1;
    const std::int64_t out = (space[k] + w.strides[k] - 1) / w.strides[k];
    const std::int64_t whole = std::max<std::int64_t>(0, (out - 1) * w.strides[k] + reach - space[k]);
    w.begin[k] = upper ? whole / 2 : whole - whole / 2;
    w.end[k] = whole - w.begin[k];
  }
}

Window window_of(Operator& op, Shape kernel) {
  const Shape x = op.shape(0);
  if (x.size() < 3) Operator::fail("x has no axis of space");
  const Shape space(x.begin() + 2, x.end());
  const std::size_t n = space.size();
  if (kernel.size() != n)
    Operator::fail("the kernel has " + std::to_string(kernel.size()) + " axes, x has " + std::to_string(n));
  Window w{std::move(kernel), list_or(op, "strides", n, 1), list_or(op, "dilations", n, 1), Shape(n, 0), Shape(n, 0)};
  const auto positive = [](const Shape& s) {
    return std::all_of(s.begin(), s.end(), [](std::int64_t v) { return v > 0; });
  };
  if (!positive(w.kernel) || !positive(w.strides) || !positive(w.dilations)) {
    Operator::fail("a window, its steps and its dilation must be larger than nothing");
  }
  for (const Shape* values : {&w.kernel, &w.strides, &w.dilations}) check_window(*values);
  const std::string how = op.text("auto_pad", "NOTSET");
  if (how == "SAME_UPPER" || how == "SAME_LOWER") {
    pad_same(w, space, how == "SAME_UPPER");
  } else if (how != "VALID") {
    const Shape pads = list_or(op, "pads", 2 * n, 0);
    w.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(n));
    w.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(n), pads.end());
    if (std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p < 0; })) {
      Operator::fail("a padding of less than nothing is not computed");
    }
    check_window(pads);
  }
  return w;
}

/// What the windows of an output of this size reach beyond x (ceil_mode), or leave of it, is the padding's end.
void fit_end(Window& w, const Shape& x, const Shape& out) {
  for (std::size_t k = 0; k < w.kernel.size(); ++k) {
    const std::int64_t reach = (out[k + 2] - 1) * w.strides[k] + (w.kernel[k] - 1) * w.dilations[k] + 1;
    w.end[k] = std::max<std::int64_t>(reach - w.begin[k] - x[k + 2], 0);
  }
}

/// One number an output.
ValueId bias_of(Operator& op, std::int64_t outputs) {
  if (op.shape(2) != Shape{outputs} || !is_float(op.element(2)))
    Operator::fail("a bias of " + to_text(op.shape(2)) + " does not fit " + std::to_string(outputs) + " outputs");
  return op.in(2);
}

/// Of x and weights.
void check_floats(Operator& op) {
  if (!is_float(op.element(0)) || !is_float(op.element(1))) Operator::fail("of integers it is not computed");
}

void conv(Operator& op) {
  check_floats(op);
  const Shape weights = op.shape(1);
  if (weights.size() < 3) Operator::fail("its weights have no axis of space");
  const Window w = window_of(op, Shape(weights.begin() + 2, weights.end()));
  Conv conv{w.strides, w.dilations, w.begin, w.end, op.integer("group", 1), op.has(2)};
  const Shape x = op.shape(0);
  if (conv.groups < 1 || weights[1] * conv.groups != x[1] || weights[0] % conv.groups != 0) {
    Operator::fail("weights of " + to_text(weights) + " in " + std::to_string(conv.groups) + " groups do not fit " +
                   to_text(x));
  }
  Shape shape = {x[0], weights[0]};
  for (std::size_t k = 0; k < w.kernel.size(); ++k) {
    const std::int64_t room = x[k + 2] + w.begin[k] + w.end[k] - ((w.kernel[k] - 1) * w.dilations[k] + 1);
    if (room < 0 || w.strides[k] < 1) Operator::fail("its window is larger than " + to_text(x));
    shape.push_back(room / w.strides[k] + 1);
  }
  std::vector<ValueId> inputs = {op.in(0), op.in(1)};
  if (op.has(2)) inputs.push_back(bias_of(op, weights[0]));
  op.out(0, op.conv(std::move(conv), std::move(inputs), std::move(shape)));
}

/// Zeros between the pixels, then a convolution with the weights turned round.
class TransposedConv {
 public:
  explicit TransposedConv(Operator& op)
      : op_(op), x_(op.shape(0)), w_(op.shape(1)), groups_(op.integer("group", 1)), n_(x_.size() - 2) {
    if (x_.size() < 3 || w_.size() != x_.size()) Operator::fail("x has no axis of space, or its weights have others");
    if (groups_ < 1 || x_[1] % groups_ != 0 || w_[0] != x_[1]) Operator::fail("its weights do not fit " + to_text(x_));
    check_floats(op);
    strides_ = list_or(op, "strides", n_, 1);
    if (std::any_of(strides_.begin(), strides_.end(), [](std::int64_t s) { return s < 1; }))
      Operator::fail("its steps must be larger than nothing");
    dilations_ = list_or(op, "dilations", n_, 1);
    if (std::any_of(dilations_.begin(), dilations_.end(), [](std::int64_t d) { return d < 1; })) {
      Operator::fail("its dilation must be larger than nothing");
    }
    pads_ = op.text("auto_pad", "NOTSET") == "NOTSET" ? list_or(op, "pads", 2 * n_, 0) : Shape(2 * n_, 0);
    extra_ = list_or(op, "output_padding", n_, 0);
    for (const Shape* values : {&strides_, &dilations_, &pads_, &extra_, &x_, &w_}) check_window(*values);
  }

  void import() {
    const Shape out = op_.out_shape(0);
    if (out.size() != x_.size() || out[0] != x_[0] || out[1] != w_[1] * groups_) {
      Operator::fail("of " + to_text(x_) + " it does not answer " + to_text(out));
    }
    const Shape begin = padding(out);
    ValueId x = spread();
    Shape before(x_.size(), 0), after(x_.size(), 0), keep_from(x_.size(), 0);
    for (std::size_t k = 0; k < n_; ++k) {
      const std::int64_t reach = (w_[k + 2] - 1) * dilations_[k];
      const std::int64_t lead = reach - begin[k];  // negative: the padding takes more than the window reaches
      before[k + 2] = std::max<std::int64_t>(lead, 0);
      keep_from[k + 2] = std::max<std::int64_t>(-lead, 0);
      after[k + 2] =
          std::max<std::int64_t>(out[k + 2] + reach - before[k + 2] - op_.shape_of(x)[k + 2] + keep_from[k + 2], 0);
    }
    x = op_.pad(x, before, after, 0);
    Shape size = op_.shape_of(x);
    for (std::size_t k = 0; k < n_; ++k) size[k + 2] = out[k + 2] + (w_[k + 2] - 1) * dilations_[k];
    if (size != op_.shape_of(x)) x = op_.slice(x, keep_from, Shape(x_.size(), 1), size);
    std::vector<ValueId> inputs = {x, turned()};
    if (op_.has(2)) inputs.push_back(bias_of(op_, w_[1] * groups_));
    op_.out(0, op_.conv({Shape(n_, 1), dilations_, Shape(n_, 0), Shape(n_, 0), groups_, op_.has(2)}, std::move(inputs),
                        out));
  }

 private:
  /// Of the beginning of each axis: pads, or what auto_pad or output_shape call for.
  [[nodiscard]] Shape padding(const Shape& out) const {
    Shape begin(n_, 0);
    const std::string how = op_.text("auto_pad", "NOTSET");
    const bool given = op_.list("output_shape").has_value();
    for (std::size_t k = 0; k < n_; ++k) {
      const std::int64_t whole = std::max<std::int64_t>(
          0, strides_[k] * (x_[k + 2] - 1) + extra_[k] + (w_[k + 2] - 1) * dilations_[k] + 1 - out[k + 2]);
      if (given || how == "SAME_UPPER" || how == "SAME_LOWER") {
        begin[k] = how == "SAME_UPPER" ? whole / 2 : whole - whole / 2;
      } else {
        begin[k] = pads_[k];
      }
    }
    return begin;
  }

  /// (…, size) becomes (…, (size - 1) * stride + 1) along each axis of space.
  [[nodiscard]] ValueId spread() const {
    Shape apart, end(x_.size() + n_, 0), joined = {x_[0], x_[1]};
    apart = joined;
    for (std::size_t k = 0; k < n_; ++k) {
      apart.insert(apart.end(), {x_[k + 2], 1});
      end[3 + 2 * k] = strides_[k] - 1;
      joined.push_back(x_[k + 2] * strides_[k]);
    }
    const ValueId x = op_.pad(op_.reshape(op_.in(0), apart), Shape(apart.size(), 0), end, 0);
    Shape size = joined;
    for (std::size_t k = 0; k < n_; ++k) size[k + 2] -= strides_[k] - 1;
    const ValueId wide = op_.reshape(x, joined);
    return size == joined ? wide : op_.slice(wide, Shape(x_.size(), 0), Shape(x_.size(), 1), size);
  }

  /// (groups * c, m, space) as (groups * m, c, space), space backwards.
  [[nodiscard]] ValueId turned() const {
    const std::int64_t c = w_[0] / groups_;
    const Shape from = contiguous_strides(w_);
    Shape shape = {groups_, w_[1], c}, strides = {c * from[0], from[1], from[0]}, flat = {groups_ * w_[1], c};
    std::int64_t offset = 0;
    for (std::size_t k = 2; k < w_.size(); ++k) {
      offset += (w_[k] - 1) * from[k];
      shape.push_back(w_[k]);
      strides.push_back(-from[k]);
      flat.push_back(w_[k]);
    }
    return op_.reshape(op_.strided(op_.in(1), offset, strides, shape), flat);
  }

  Operator& op_;
  Shape x_, w_;
  std::int64_t groups_;
  std::size_t n_;
  Shape strides_, dilations_, pads_, extra_;
};

void conv_transpose(Operator& op) { TransposedConv(op).import(); }

/// Of the output: batch and channels are x's.
Shape pooled_shape(Operator& op) {
  const Shape x = op.shape(0);
  Shape shape = op.out_shape(0);
  if (shape.size() != x.size() || shape[0] != x[0] || shape[1] != x[1]) {
    Operator::fail("a window over " + to_text(x) + " does not answer " + to_text(shape));
  }
  return shape;
}

void pool_of_kind(Operator& op, Pool::Kind kind) {
  if (op.wants(1)) Operator::fail("the places of its maxima are not computed");
  if (!is_float(op.element(0))) Operator::fail(std::string("of ") + name_of(op.element(0)) + " it is not computed");
  const auto kernel = op.list("kernel_shape");
  if (!kernel) Operator::fail("its kernel_shape is missing");
  Window w = window_of(op, *kernel);
  const Shape shape = pooled_shape(op);
  const Shape declared = w.end;
  fit_end(w, op.shape(0), shape);
  const bool counts = op.integer("count_include_pad", 0) != 0;
  // What ceil_mode adds is no padding of the model's: a window is divided by what lies within x and its own padding.
  if (counts && w.end != declared) {
    for (std::size_t k = 0; k < declared.size(); ++k) {
      if (w.end[k] > declared[k]) Operator::fail("count_include_pad with ceil_mode is not computed");
    }
  }
  op.out(0, op.pool({kind, w.kernel, w.strides, w.dilations, w.begin, w.end, counts}, op.in(0), shape));
}

void average_pool(Operator& op) { pool_of_kind(op, Pool::Kind::kAverage); }
void max_pool(Operator& op) { pool_of_kind(op, Pool::Kind::kMaximum); }

ValueId powers(Operator& op, float p) {
  Formula f;
  const X size = apply(Op::kAbsolute, f.input(0));
  return op.map(f.done(p == 1   ? size
                       : p == 2 ? size * size
                                : f.apply(Op::kPower, Element::kF32, size, f.number(p))),
                {op.in(0)});
}

ValueId root(Operator& op, ValueId x, float p, float factor) {
  Formula f;
  const X sum = f.input(0) * f.number(factor);
  if (p == 1) return op.map(f.done(sum), {x});
  return op.map(f.done(p == 2 ? apply(Op::kSquareRoot, sum) : f.apply(Op::kPower, Element::kF32, sum, f.number(1 / p))),
                {x});
}

/// (Σ |x|^p)^(1/p) over a window: its average with the padding counted, times its size.
void lp_pool(Operator& op) {
  const auto kernel = op.list("kernel_shape");
  if (!kernel) Operator::fail("its kernel_shape is missing");
  const auto p = static_cast<float>(op.integer("p", 2));
  Window w = window_of(op, *kernel);
  const Shape shape = pooled_shape(op);
  fit_end(w, op.shape(0), shape);
  const ValueId mean =
      op.pool({Pool::Kind::kAverage, w.kernel, w.strides, w.dilations, w.begin, w.end, true}, powers(op, p), shape);
  op.out(0, root(op, mean, p, static_cast<float>(count(*kernel))));
}

std::vector<std::size_t> space_of(Operator& op) {
  std::vector<std::size_t> axes;
  for (std::size_t k = 2; k < op.rank(0); ++k) axes.push_back(k);
  return axes;
}

void global_average_pool(Operator& op) { op.out(0, op.mean(op.in(0), space_of(op))); }
void global_max_pool(Operator& op) { op.out(0, op.reduce(Reduce::Combine::kMaximum, op.in(0), space_of(op))); }

void global_lp_pool(Operator& op) {
  const auto p = static_cast<float>(op.integer("p", 2));
  op.out(0, root(op, op.reduce(Reduce::Combine::kSum, powers(op, p), space_of(op)), p, 1));
}

/// alpha * A * B + beta * C
void gemm(Operator& op) {
  ValueId a = op.in(0), b = op.in(1);
  if (op.rank(0) != 2 || op.rank(1) != 2) Operator::fail("its factors must be matrices");
  if (op.integer("transA", 0) != 0) a = op.transpose(a, {1, 0});
  if (op.integer("transB", 0) != 0) b = op.transpose(b, {1, 0});
  ValueId y = op.matmul(a, b);
  const Element element = op.element_of(y);
  const float alpha = op.real("alpha", 1), beta = op.real("beta", 1);
  Formula f;
  X x = f.input(0, element);
  std::vector<ValueId> inputs = {y};
  if (alpha != 1) x = x * f.number(alpha, element);
  if (op.has(2) && beta != 0) {
    X c = f.input(1, element);
    inputs.push_back(op.in(2));
    if (beta != 1) c = c * f.number(beta, element);
    x = x + c;
  }
  op.out(0, inputs.size() == 1 && alpha == 1 ? y : op.map(f.done(x), inputs));
}

/// Vectors are matrices of one row (left) or column (right), whose axis goes afterwards.
void matmul(Operator& op) {
  ValueId a = op.in(0), b = op.in(1);
  if (op.rank(0) == 0 || op.rank(1) == 0) Operator::fail("its factors must have axes");
  if (op.rank(0) == 1) a = op.reshape(a, {1, op.shape(0)[0]});
  if (op.rank(1) == 1) b = op.reshape(b, {op.shape(1)[0], 1});
  op.out(0, op.reshape(op.matmul(a, b), op.out_shape(0)));
}

constexpr OperatorRow kNetwork[] = {
    {"", "AveragePool", average_pool},
    {"", "Conv", conv},
    {"", "ConvTranspose", conv_transpose},
    {"", "Gemm", gemm},
    {"", "GlobalAveragePool", global_average_pool},
    {"", "GlobalLpPool", global_lp_pool},
    {"", "GlobalMaxPool", global_max_pool},
    {"", "LpPool", lp_pool},
    {"", "MatMul", matmul},
    {"", "MaxPool", max_pool},
};

}  // namespace

std::span<const OperatorRow> network_rows() { return kNetwork; }

}  // namespace assay::compiler
