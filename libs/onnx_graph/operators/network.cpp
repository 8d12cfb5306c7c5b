// Convolutions, pooling, normalisation, resizing, recurrent layers.

#include <cmath>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {
namespace {

/// Sliding windows over the axes after batch and channel.
struct Windows {
  std::vector<std::int64_t> kernel, strides, dilations, pads, output_padding;
  std::string auto_pad;
};

std::vector<std::int64_t> bounded(const Operator& op, std::string_view name, std::size_t size, std::int64_t fallback,
                                  std::int64_t least) {
  std::vector<std::int64_t> values = op.list(name);
  if (values.empty()) values.assign(size, fallback);
  if (values.size() != size) throw Mismatch(std::string(name) + " has the wrong length");
  for (const std::int64_t v : values) {
    if (v < least || v > kLargestSize) throw Mismatch(std::string(name) + " is out of range");
  }
  return values;
}

Windows windows(const Operator& op, std::vector<std::int64_t> kernel) {
  const std::size_t n = kernel.size();
  Windows w;
  w.kernel = std::move(kernel);
  for (const std::int64_t k : w.kernel) {
    if (k < 1 || k > kLargestSize) throw Mismatch("the kernel's size is out of range");
  }
  w.strides = bounded(op, "strides", n, 1, 1);
  w.dilations = bounded(op, "dilations", n, 1, 1);
  w.pads = bounded(op, "pads", 2 * n, 0, -kLargestSize);
  w.output_padding = bounded(op, "output_padding", n, 0, 0);
  w.auto_pad = op.node.attribute_or<std::string>("auto_pad", "NOTSET");
  return w;
}

std::int64_t extent(const Windows& w, std::size_t i) {
  const std::int64_t span = multiply(w.kernel[i] - 1, w.dilations[i]) + 1;
  if (span > kLargestSize) throw Mismatch("the kernel's extent is out of range");
  return span;
}

/// Windows along one axis.
Dimension slide(const Windows& w, std::size_t i, const Dimension& in, bool ceiling) {
  if (!in.known()) return {};
  const std::int64_t stride = w.strides[i];
  if (w.auto_pad == "SAME_UPPER" || w.auto_pad == "SAME_LOWER") return {(in.size + stride - 1) / stride, ""};
  const bool explicit_pads = w.auto_pad != "VALID";
  const std::int64_t before = explicit_pads ? w.pads[i] : 0;
  const std::int64_t after = explicit_pads ? w.pads[i + w.kernel.size()] : 0;
  const std::int64_t room = in.size + before + after - extent(w, i);
  if (room < 0) throw Mismatch("the kernel is larger than the padded input");
  std::int64_t count = (room + (ceiling ? stride - 1 : 0)) / stride + 1;
  // No window begins in the padding after the input.
  if (ceiling && multiply(count - 1, stride) >= in.size + before) --count;
  return {count, ""};
}

/// Where the kernel is not an attribute it is what is left of the weights' shape.
std::optional<std::vector<std::int64_t>> kernel_of(const Operator& op, const Dimensions* weights) {
  std::vector<std::int64_t> kernel = op.list("kernel_shape");
  if (!kernel.empty()) return kernel;
  if (weights == nullptr || weights->size() < 3) return std::nullopt;
  for (std::size_t i = 2; i < weights->size(); ++i) {
    if (!(*weights)[i].known()) return std::nullopt;
    kernel.push_back((*weights)[i].size);
  }
  return kernel;
}

void convolve(Operator& op, ElementType element, std::size_t weight_input) {
  const Dimensions *x = op.shape(0), *weights = op.shape(weight_input);
  const auto kernel = kernel_of(op, weights);
  if (x == nullptr || !kernel)
    return op.output(0, element, x != nullptr ? std::optional(unknown(x->size())) : std::nullopt);
  if (x->size() != kernel->size() + 2) throw Mismatch("the input's rank does not fit the kernel's");
  const Windows w = windows(op, *kernel);
  Dimensions shape{(*x)[0], Dimension{}};
  if (weights != nullptr) {
    if (weights->size() != x->size()) throw Mismatch("the weights' rank does not fit the input's");
    shape[1] = (*weights)[0];
    const Dimension& per_group = (*weights)[1];
    const std::int64_t group = op.integer("group", 1);
    if (group < 1 || group > kLargestSize) throw Mismatch("group is out of range");
    if (per_group.known()) same((*x)[1], {multiply(per_group.size, group), ""}, "channels");
  }
  for (std::size_t i = 0; i < kernel->size(); ++i) shape.push_back(slide(w, i, (*x)[i + 2], false));
  op.output(0, element, std::move(shape));
}

}  // namespace

void infer_conv(Operator& op) { convolve(op, op.element(0), 1); }
void infer_conv_integer(Operator& op) { convolve(op, ElementType::kInt32, 1); }
void infer_conv_quantized(Operator& op) { convolve(op, op.element(7), 3); }

void infer_conv_transpose(Operator& op) {
  const Dimensions *x = op.shape(0), *weights = op.shape(1);
  const auto kernel = kernel_of(op, weights);
  if (x == nullptr || !kernel) {
    return op.output(0, op.element(0), x != nullptr ? std::optional(unknown(x->size())) : std::nullopt);
  }
  if (x->size() != kernel->size() + 2) throw Mismatch("the input's rank does not fit the kernel's");
  const Windows w = windows(op, *kernel);
  Dimensions shape{(*x)[0], Dimension{}};
  if (weights != nullptr && weights->size() > 1 && (*weights)[1].known()) {
    const std::int64_t group = op.integer("group", 1);
    if (group < 1 || group > kLargestSize) throw Mismatch("group is out of range");
    shape[1].size = multiply((*weights)[1].size, group);
  }
  const std::vector<std::int64_t> asked = op.list("output_shape");
  const std::size_t n = kernel->size();
  for (std::size_t i = 0; i < n; ++i) {
    const Dimension& in = (*x)[i + 2];
    Dimension out;
    if (asked.size() >= n) {
      out.size = asked[asked.size() - n + i];
    } else if (in.known()) {
      const bool all = w.auto_pad == "SAME_UPPER" || w.auto_pad == "SAME_LOWER";
      const std::int64_t pads = w.auto_pad == "NOTSET" ? w.pads[i] + w.pads[i + n] : 0;
      out.size = all ? multiply(in.size, w.strides[i])
                     : multiply(in.size - 1, w.strides[i]) + w.output_padding[i] + extent(w, i) - pads;
      if (out.size < 0) throw Mismatch("the result has a negative size");
    }
    shape.push_back(out);
  }
  op.output(0, op.element(0), std::move(shape));
}

void infer_pool(Operator& op) {
  const Dimensions* x = op.shape(0);
  const std::vector<std::int64_t> kernel = op.list("kernel_shape");
  std::optional<Dimensions> shape;
  if (x != nullptr) {
    if (x->size() != kernel.size() + 2) throw Mismatch("the input's rank does not fit kernel_shape");
    const Windows w = windows(op, kernel);
    shape = Dimensions{(*x)[0], (*x)[1]};
    const bool ceiling = op.integer("ceil_mode", 0) != 0;
    for (std::size_t i = 0; i < kernel.size(); ++i) shape->push_back(slide(w, i, (*x)[i + 2], ceiling));
  }
  op.output(0, op.element(0), shape);
  op.output(1, ElementType::kInt64, std::move(shape));
}

void infer_global_pool(Operator& op) {
  std::optional<Dimensions> shape;
  if (const Dimensions* x = op.shape(0)) {
    if (x->size() < 2) throw Mismatch("the input has no channels");
    shape = *x;
    for (std::size_t i = 2; i < shape->size(); ++i) (*shape)[i] = {1, ""};
  }
  op.output(0, op.element(0), std::move(shape));
}

void infer_batch_normalization(Operator& op) {
  const Dimensions *x = op.shape(0), *scale = op.shape(1);
  if (x != nullptr && x->size() > 1 && scale != nullptr) {
    if (scale->size() != 1) throw Mismatch("the scale is not a vector");
    same((*x)[1], (*scale)[0], "channels");
  }
  op.output(0, op.element(0), x != nullptr ? std::optional(*x) : std::nullopt);
  for (std::size_t i = 1; i < op.node.outputs.size(); ++i) {
    op.output(i, op.element(std::min<std::size_t>(i + 2, 4)), scale != nullptr ? std::optional(*scale) : std::nullopt);
  }
}

void infer_layer_normalization(Operator& op) {
  const Dimensions* x = op.shape(0);
  op.output(0, op.element(0), x != nullptr ? std::optional(*x) : std::nullopt);
  std::optional<Dimensions> statistics;
  if (x != nullptr) {
    statistics = *x;
    for (std::size_t i = axis_index(op.integer("axis", -1), x->size()); i < x->size(); ++i) (*statistics)[i] = {1, ""};
  }
  const auto type = static_cast<ElementType>(static_cast<std::int32_t>(op.integer("stash_type", 1)));
  op.output(1, type, statistics);
  op.output(2, type, std::move(statistics));
}

namespace {

void scale_axes(Dimensions& shape, const std::vector<std::size_t>& axes, const std::vector<float>& scales) {
  if (scales.size() != axes.size()) throw Mismatch("there are not as many scales as axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Dimension& d = shape[axes[i]];
    if (scales[i] == 1.0F) continue;
    const double scaled = std::floor(static_cast<double>(d.size) * static_cast<double>(scales[i]));
    if (d.known() && !(scaled >= 0 && scaled < static_cast<double>(kLargestSize)))
      throw Mismatch("a scale is out of range");
    d = {d.known() ? static_cast<std::int64_t>(scaled) : -1, ""};
  }
}

void size_axes(const Operator& op, Dimensions& shape, const std::vector<std::size_t>& axes, const Integers& to) {
  if (to.size() != axes.size()) throw Mismatch("there are not as many sizes as axes");
  const std::string policy = op.node.attribute_or<std::string>("keep_aspect_ratio_policy", "stretch");
  double ratio = 0;
  for (std::size_t i = 0; policy != "stretch" && i < axes.size(); ++i) {
    const Dimension& d = shape[axes[i]];
    const std::int64_t size = to[i].value.value_or(-1);
    if (size < 0 || !d.known() || d.size == 0) {
      for (const std::size_t a : axes) shape[a] = {};
      return;
    }
    const double r = static_cast<double>(size) / static_cast<double>(d.size);
    ratio = i == 0 ? r : policy == "not_larger" ? std::min(ratio, r) : std::max(ratio, r);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Dimension& d = shape[axes[i]];
    if (policy == "stretch") {
      d = {to[i].value.value_or(-1), to[i].name};
    } else {
      const double scaled = std::floor(static_cast<double>(d.size) * ratio + 0.5);
      if (!(scaled < static_cast<double>(kLargestSize))) throw Mismatch("a size is out of range");
      d = {static_cast<std::int64_t>(scaled), ""};
    }
  }
}

}  // namespace

void infer_resize(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
  Dimensions shape = *x;
  std::vector<std::int64_t> named = op.list("axes");
  if (named.empty()) {
    for (std::size_t i = 0; i < x->size(); ++i) named.push_back(static_cast<std::int64_t>(i));
  }
  const std::vector<std::size_t> axes = axis_indices(named, x->size());
  const auto scales = op.known_floats(op.opset() < 11 ? 1 : 2);
  const Integers* to = op.opset() < 11 ? nullptr : op.integers(3);
  if (scales && !scales->empty()) {
    scale_axes(shape, axes, *scales);
  } else if (to != nullptr) {
    size_axes(op, shape, axes, *to);
  } else {
    for (const std::size_t a : axes) shape[a] = {};
  }
  op.output(0, op.element(0), std::move(shape));
}

void infer_upsample(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
  const auto* given = op.node.attribute<std::vector<float>>("scales");  // opset 7; an input from 9 on
  const auto scales = given != nullptr ? std::optional(*given) : op.known_floats(1);
  Dimensions shape = *x;
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back(i);
  if (scales) scale_axes(shape, axes, *scales);
  op.output(0, op.element(0), scales ? std::move(shape) : unknown(shape.size()));
}

void infer_recurrent(Operator& op) {
  const Dimensions *x = op.shape(0), *r = op.shape(2);
  if (x == nullptr || x->size() != 3) {
    for (std::size_t i = 0; i < op.node.outputs.size(); ++i) op.output(i, op.element(0), unknown(i == 0 ? 4 : 3));
    return;
  }
  const bool batch_first = op.integer("layout", 0) != 0;
  const Dimension length = (*x)[batch_first ? 1 : 0], batch = (*x)[batch_first ? 0 : 1];
  const Dimension hidden = r != nullptr && r->size() == 3 ? (*r)[2] : Dimension{op.integer("hidden_size", -1), ""};
  const bool both = op.node.attribute_or<std::string>("direction", "forward") == "bidirectional";
  const Dimension directions{both ? 2 : 1, ""};
  op.output(
      0, op.element(0),
      batch_first ? Dimensions{batch, length, directions, hidden} : Dimensions{length, directions, batch, hidden});
  for (std::size_t i = 1; i < op.node.outputs.size(); ++i) {
    op.output(i, op.element(0),
              batch_first ? Dimensions{batch, directions, hidden} : Dimensions{directions, batch, hidden});
  }
}

}  // namespace assay::onnx_graph
