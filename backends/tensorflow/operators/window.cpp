#include "operators/window.hpp"

#include <algorithm>

namespace assay::tensorflow {
namespace {

bool all_are(const Ints& values, std::int64_t value) {
  return std::all_of(values.begin(), values.end(), [=](std::int64_t v) { return v == value; });
}

/// Beyond it a window is hostile: what is computed of it here takes as long as it is large.
constexpr std::int64_t kLargest = 1 << 16;

bool all_within(const Ints& values, std::int64_t least) {
  return std::all_of(values.begin(), values.end(), [=](std::int64_t v) { return v >= least && v <= kLargest; });
}

Ints sized(Operator& op, const char* name, std::size_t spatial, std::int64_t fallback) {
  Ints values = op.list(name).value_or(Ints(spatial, fallback));
  if (values.size() != spatial) {
    op.fail(std::string(name) + " has " + std::to_string(values.size()) + " numbers for " + std::to_string(spatial) +
            " axes");
  }
  return values;
}

std::int64_t size_of(Operator& op, std::size_t axis_of_space) {
  const std::optional<Ints> shape = op.shape(0);
  const std::int64_t size = shape ? shape->at(axis_of_space + 2) : -1;
  if (size < 0) op.fail("its padding depends on a size that is free: give the input a shape");
  return size;
}

/// So that the output has ceil(size / stride) elements.
void pad_same(Operator& op, Window& w, bool upper) {
  for (std::size_t i = 0; i < w.spatial(); ++i) {
    const std::int64_t size = size_of(op, i);
    const std::int64_t out = (size + w.strides[i] - 1) / w.strides[i];
    const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * w.strides[i] + w.span(i) - size);
    w.begin[i] = upper ? total / 2 : total - total / 2;
    w.end[i] = total - w.begin[i];
  }
}

/// A window that hangs over the end counts where it begins within the input or the padding before it.
void pad_ceil(Operator& op, Window& w) {
  for (std::size_t i = 0; i < w.spatial(); ++i) {
    const std::int64_t size = size_of(op, i);
    const std::int64_t room = size + w.begin[i] + w.end[i] - w.span(i);
    std::int64_t out = (room + w.strides[i] - 1) / w.strides[i] + 1;
    if ((out - 1) * w.strides[i] >= size + w.begin[i]) --out;
    w.over[i] = std::max<std::int64_t>(0, (out - 1) * w.strides[i] - room);
    w.end[i] += w.over[i];
  }
}

}  // namespace

bool Window::padded() const { return !all_are(begin, 0) || !all_are(end, 0); }
bool Window::dilated() const { return !all_are(dilations, 1); }

Window window_as_given(Operator& op, const Ints& kernel) {
  Window w;
  w.kernel = op.list("kernel_shape").value_or(kernel);
  const std::size_t n = w.kernel.size();
  if (n == 0 || n > 3 || op.rank(0) != n + 2) {
    op.fail("a window of " + std::to_string(n) + " axes over " + std::to_string(op.rank(0)) + "; 1 to 3, and two more");
  }
  w.strides = sized(op, "strides", n, 1);
  w.dilations = sized(op, "dilations", n, 1);
  const Ints pads = op.list("pads").value_or(Ints(2 * n, 0));
  if (pads.size() != 2 * n) op.fail("pads has " + std::to_string(pads.size()) + " numbers");
  for (const Ints* sizes : {&w.kernel, &w.strides, &w.dilations}) {
    if (!all_within(*sizes, 1)) op.fail("kernel_shape, strides and dilations are 1 to " + std::to_string(kLargest));
  }
  if (!all_within(pads, 0)) op.fail("pads are 0 to " + std::to_string(kLargest));
  w.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(n));
  w.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(n), pads.end());
  w.over.assign(n, 0);
  return w;
}

Window window_of(Operator& op, const Ints& kernel, bool may_ceil) {
  Window w = window_as_given(op, kernel);
  const std::size_t n = w.spatial();
  const std::string automatic = op.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    pad_same(op, w, automatic == "SAME_UPPER");
  } else if (automatic == "VALID") {
    w.begin.assign(n, 0);
    w.end.assign(n, 0);
  } else if (automatic != "NOTSET" && !automatic.empty()) {
    op.fail("auto_pad is '" + automatic + "'");
  }
  if (may_ceil && op.integer("ceil_mode", 0) != 0 && !automatic.starts_with("SAME")) pad_ceil(op, w);
  return w;
}

Ints pairs_of(Operator& op, const Ints& begin_of_space, const Ints& end_of_space) {
  const Ints begin = op.spread(begin_of_space, 0), end = op.spread(end_of_space, 0);
  Ints pairs;
  for (std::size_t i = 0; i < begin.size(); ++i) pairs.insert(pairs.end(), {begin[i], end[i]});
  return pairs;
}

TF_Output pad_image(Operator& op, TF_Output x, const Window& window, double value) {
  const TF_Output paddings = op.g.paddings(pairs_of(op, window.begin, window.end));
  return op.g.op("PadV2").in(x).in(paddings).in(op.g.scalar(op.g.type_of(x), value)).done();
}

TF_Output add_axis(Operator& op, TF_Output x) {
  return op.g.binary("ExpandDims", x, op.g.ints({op.channels_last() ? 1 : 2}, DataType::kInt32, true));
}

TF_Output drop_axis(Operator& op, TF_Output x) {
  return op.g.op("Squeeze").in(x).integers("squeeze_dims", {op.channels_last() ? 1 : 2}).done();
}

Window with_axis(const Window& window) {
  Window w = window;
  for (Ints* values : {&w.kernel, &w.strides, &w.dilations}) values->insert(values->begin(), 1);
  for (Ints* values : {&w.begin, &w.end, &w.over}) values->insert(values->begin(), 0);
  return w;
}

TF_Output with_holes(Operator& op, TF_Output filter, Window& w) {
  if (!w.dilated()) return filter;
  const Ints dims = op.g.sizes_of(filter);
  Ints apart = {dims[0] * dims[1]}, pairs = {0, 0}, wide = {dims[0] * dims[1]};
  for (std::size_t i = 0; i < w.spatial(); ++i) {  // each element followed by its hole, the last hole cut off after
    apart.insert(apart.end(), {w.kernel[i], 1});
    pairs.insert(pairs.end(), {0, 0, 0, w.dilations[i] - 1});
    wide.push_back(w.kernel[i] * w.dilations[i]);
  }
  TF_Output x = op.g.reshape(op.g.binary("Pad", op.g.reshape(filter, apart), op.g.paddings(pairs)), wide);
  Ints size = {-1}, result = {dims[0], dims[1]};
  for (std::size_t i = 0; i < w.spatial(); ++i) {
    size.push_back(w.span(i));
    result.push_back(w.span(i));
    w.kernel[i] = w.span(i);
  }
  w.dilations.assign(w.spatial(), 1);
  x = op.g.op("Slice").in(x).in(op.g.ints(Ints(size.size(), 0))).in(op.g.ints(size)).done();
  return op.g.reshape(x, result);
}

std::vector<TF_Output> parts_of(Operator& op, TF_Output x, std::int64_t axis, std::int64_t count) {
  OperationBuilder builder = op.g.op("Split");
  builder.in(op.g.ints({axis}, DataType::kInt32, true)).in(x).integer("num_split", count);
  const TF_Output first = builder.done();
  std::vector<TF_Output> parts;
  for (int i = 0; i < static_cast<int>(count); ++i) parts.push_back({first.operation, i});
  return parts;
}

TF_Output powers_of(Operator& op, TF_Output x, double p) {
  if (p == 2) return op.g.unary("Square", x);
  const TF_Output size = op.g.unary("Abs", x);
  return p == 1 ? size : op.g.binary("Pow", size, op.g.scalar(op.g.type_of(x), p));
}

TF_Output root_of(Operator& op, TF_Output x, double p) {
  if (p == 1) return x;
  return p == 2 ? op.g.unary("Sqrt", x) : op.g.binary("Pow", x, op.g.scalar(op.g.type_of(x), 1 / p));
}

}  // namespace assay::tensorflow
