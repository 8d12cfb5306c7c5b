// Pools: they take images in the wanted layout.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "operators/window.hpp"

namespace assay::tensorflow {
namespace {

/// Runs `pool` over the image of one axis of space as over one of two.
template <class Pool>
void pool_image(Operator& op, const Window& window, Pool pool) {
  const DataType type = op.type(0);
  if (is_float(type) && type != DataType::kFloat) op.insist_on_channels_last();
  TF_Output x = op.image(0);
  if (!is_float(type)) x = op.g.cast(x, DataType::kFloat);  // exact for what pools are used on: 8 bits
  if (window.spatial() == 1) {
    x = drop_axis(op, pool(add_axis(op, x), with_axis(window)));
  } else {
    x = pool(x, window);
  }
  op.out_image(0, op.g.cast(x, type));
}

TF_Output pool_valid(Operator& op, const char* type, TF_Output x, const Window& w) {
  const std::string name = w.spatial() == 3 ? std::string(type) + "3D" : std::string(type);
  return op.g.op(name.c_str())
      .in(x)
      .integers("ksize", op.spread(w.kernel))
      .integers("strides", op.spread(w.strides))
      .text("padding", "VALID")
      .text("data_format", op.data_format(w.spatial()))
      .done();
}

/// Sizes of space of x, an image in the wanted layout.
Ints pooled_sizes(Operator& op, TF_Output x, const Window& w) {
  const Ints shape = op.g.sizes_of(x);
  const auto first = shape.begin() + (op.channels_last() ? 1 : 2);
  Ints sizes(first, first + static_cast<std::ptrdiff_t>(w.spatial()));
  if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t s) { return s < 0; })) {
    op.fail("a size that its padding or dilations depend on is free: give the input a shape");
  }
  return sizes;
}

/// Element k of every window along one axis of space, of an image that is padded already.
TF_Output nth_of_windows(Operator& op, TF_Output x, const Window& w, std::size_t axis, std::int64_t size,
                         std::int64_t k) {
  const std::int64_t count = (size - w.span(axis)) / w.strides[axis] + 1;
  const std::int64_t begin = k * w.dilations[axis];
  Ints begins(w.spatial(), 0), ends(w.spatial(), 0), strides(w.spatial(), 1);
  begins[axis] = begin;
  ends[axis] = begin + (count - 1) * w.strides[axis] + 1;
  strides[axis] = w.strides[axis];
  const std::int64_t whole = ~(std::int64_t{1} << (axis + (op.channels_last() ? 1U : 2U)));  // every other axis
  return op.g.op("StridedSlice")
      .in(x)
      .in(op.g.ints(op.spread(begins, 0)))
      .in(op.g.ints(op.spread(ends, 0)))
      .in(op.g.ints(op.spread(strides)))
      .integer("begin_mask", whole & 0xff)
      .integer("end_mask", whole & 0xff)
      .done();
}

/// TensorFlow's pools know no dilations: the windows along one axis after the other, an operation for each element.
TF_Output pool_by_slices(Operator& op, const char* combine, TF_Output x, const Window& w) {
  const Ints sizes = pooled_sizes(op, x, w);
  for (std::size_t axis = 0; axis < w.spatial(); ++axis) {
    TF_Output y = nth_of_windows(op, x, w, axis, sizes[axis], 0);
    for (std::int64_t k = 1; k < w.kernel[axis]; ++k) {
      y = op.g.binary(combine, y, nth_of_windows(op, x, w, axis, sizes[axis], k));
    }
    x = y;
  }
  return x;
}

double elements_of(const Window& w) {
  return static_cast<double>(std::accumulate(w.kernel.begin(), w.kernel.end(), std::int64_t{1}, std::multiplies<>()));
}

TF_Output mean_of_windows(Operator& op, TF_Output x, const Window& w) {
  if (!w.dilated()) return pool_valid(op, "AvgPool", x, w);
  const TF_Output sum = pool_by_slices(op, "AddV2", x, w);
  return op.g.binary("Mul", sum, op.g.scalar(op.g.type_of(sum), 1 / elements_of(w)));
}

/// For each place of the output along one axis, how many elements of the window are counted. What ceil_mode adds never
/// is.
std::vector<float> counted(const Window& w, std::size_t axis, std::int64_t size, bool count_padding) {
  std::vector<float> result;
  const std::int64_t padded = size + w.begin[axis] + w.end[axis];
  const std::int64_t first = count_padding ? -w.begin[axis] : 0;
  const std::int64_t last = count_padding ? size + w.end[axis] - w.over[axis] : size;
  for (std::int64_t at = 0; at + w.span(axis) <= padded; at += w.strides[axis]) {
    float n = 0;
    for (std::int64_t k = 0; k < w.kernel[axis]; ++k) {
      const std::int64_t place = at + k * w.dilations[axis] - w.begin[axis];
      if (place >= first && place < last) n += 1;
    }
    result.push_back(n);
  }
  return result;
}

/// What the mean over whole windows is multiplied with, so that it is the mean over what counts: one factor an axis.
TF_Output corrected(Operator& op, TF_Output mean, const Window& w, const Ints& sizes, bool count_padding) {
  for (std::size_t i = 0; i < w.spatial(); ++i) {
    std::vector<float> factors;
    for (const float n : counted(w, i, sizes[i], count_padding)) {
      factors.push_back(n > 0 ? static_cast<float>(w.kernel[i]) / n : 0);
    }
    Ints dims(w.spatial(), 1);
    dims[i] = static_cast<std::int64_t>(factors.size());
    const TF_Output factor = op.g.cast(op.g.floats(factors, op.spread(dims)), op.g.type_of(mean));
    mean = op.g.binary("Mul", mean, factor);
  }
  return mean;
}

/// For each element of x, an image in the wanted layout, its place in ONNX's: row by row, or with `by_columns` the
/// first axis of space fastest.
TF_Output places_of(Operator& op, const Ints& onnx_shape, bool by_columns) {
  Ints steps(onnx_shape.size(), 1);
  for (std::size_t i = onnx_shape.size(); i-- > 1;) steps[i - 1] = steps[i] * onnx_shape[i];
  if (by_columns) {
    for (std::size_t i = 2; i < steps.size(); ++i) steps[i] = i == 2 ? 1 : steps[i - 1] * onnx_shape[i - 1];
  }
  TF_Output sum;
  for (std::size_t i = 0; i < onnx_shape.size(); ++i) {
    Ints along(static_cast<std::size_t>(onnx_shape[i]));
    for (std::size_t at = 0; at < along.size(); ++at) along[at] = static_cast<std::int64_t>(at) * steps[i];
    Ints dims(onnx_shape.size(), 1);
    const std::int64_t axis = Operator::place(static_cast<std::int64_t>(i), dims.size(), op.channels_last());
    dims[static_cast<std::size_t>(axis)] = onnx_shape[i];
    const TF_Output part = op.g.constant(DataType::kInt64, dims, std::as_bytes(std::span(along)));
    sum = i == 0 ? part : op.g.binary("AddV2", sum, part);
  }
  return sum;
}

/// The largest elements and where they were: of several the first, as the windows are gone through row by row.
void max_pool_with_places(Operator& op, const Window& window) {
  const std::optional<Ints> shape = op.shape(0);
  if (!shape || std::any_of(shape->begin(), shape->end(), [](std::int64_t d) { return d < 0; })) {
    op.fail("the places of the largest elements, of an input whose sizes are free: give it a shape");
  }
  TF_Output x = op.image(0);
  const DataType type = op.g.type_of(x);
  if (!is_float(type)) x = op.g.cast(x, DataType::kFloat);
  TF_Output places = places_of(op, *shape, op.integer("storage_order", 0) != 0);
  if (window.padded()) {
    x = pad_image(op, x, window, -std::numeric_limits<double>::infinity());
    places = pad_image(op, places, window, 0);
  }
  const Ints sizes = pooled_sizes(op, x, window);
  for (std::size_t axis = window.spatial(); axis-- > 0;) {
    TF_Output best = nth_of_windows(op, x, window, axis, sizes[axis], 0);
    TF_Output where = nth_of_windows(op, places, window, axis, sizes[axis], 0);
    for (std::int64_t k = 1; k < window.kernel[axis]; ++k) {
      const TF_Output other = nth_of_windows(op, x, window, axis, sizes[axis], k);
      const TF_Output there = nth_of_windows(op, places, window, axis, sizes[axis], k);
      const TF_Output larger = op.g.binary("Greater", other, best);
      best = op.g.op("SelectV2").in(larger).in(other).in(best).done();
      where = op.g.op("SelectV2").in(larger).in(there).in(where).done();
    }
    x = best;
    places = where;
  }
  op.out_image(0, op.g.cast(x, type));
  op.out_image(1, places);
}

}  // namespace

void translate_max_pool(Operator& op) {
  const Window window = window_of(op, {}, true);
  if (op.wants(1)) return max_pool_with_places(op, window);
  pool_image(op, window, [&](TF_Output x, const Window& w) {
    if (w.padded()) x = pad_image(op, x, w, -std::numeric_limits<double>::infinity());
    return w.dilated() ? pool_by_slices(op, "Maximum", x, w) : pool_valid(op, "MaxPool", x, w);
  });
}

void translate_average_pool(Operator& op) {
  const Window window = window_of(op, {}, true);
  const bool count_padding = op.integer("count_include_pad", 0) != 0;
  pool_image(op, window, [&](TF_Output x, const Window& w) {
    if (!w.padded()) return mean_of_windows(op, x, w);
    const TF_Output mean = mean_of_windows(op, pad_image(op, x, w, 0), w);
    const bool over = std::any_of(w.over.begin(), w.over.end(), [](std::int64_t o) { return o > 0; });
    return count_padding && !over ? mean : corrected(op, mean, w, pooled_sizes(op, x, w), count_padding);
  });
}

void translate_lp_pool(Operator& op) {
  const Window window = window_of(op, {}, true);
  const auto p = static_cast<double>(op.integer("p", 2));
  pool_image(op, window, [&](TF_Output x, const Window& w) {
    TF_Output powers = powers_of(op, x, p);
    if (w.padded()) powers = pad_image(op, powers, w, 0);
    const TF_Output mean = mean_of_windows(op, powers, w);
    return root_of(op, op.g.binary("Mul", mean, op.g.scalar(op.g.type_of(mean), elements_of(w))), p);
  });
}

void translate_global_pool(Operator& op) {
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  Ints axes;
  for (std::size_t i = 2; i < rank; ++i) axes.push_back(Operator::place(static_cast<std::int64_t>(i), rank, last));
  if (op.node.op_type == "GlobalLpPool") {
    const auto p = static_cast<double>(op.integer("p", 2));
    op.out(0, root_of(op, op.g.reduce("Sum", powers_of(op, values[0], p), axes, true), p), last);
    return;
  }
  const char* type = op.node.op_type == "GlobalMaxPool" ? "Max" : "Mean";
  op.out(0, op.g.reduce(type, values[0], axes, true), last);
}

}  // namespace assay::tensorflow
