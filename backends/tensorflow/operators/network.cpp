// Convolutions, pools and normalizations: they take images in the wanted layout.
#include <algorithm>
#include <limits>
#include <numeric>

#include "operators/window.hpp"

namespace assay::tensorflow {
namespace {

/// The filter, which ONNX has as out, in, space, as TensorFlow's space, in, out.
TF_Output filter_of(Operator& op, const Ints& dims, const Ints& order) {
  if (const onnx_graph::Tensor* t = op.constant(1)) {
    const std::optional<DataType> type = data_type(t->type);
    Ints moved;
    for (const std::int64_t axis : order) moved.push_back(dims[static_cast<std::size_t>(axis)]);
    if (!type) op.fail("weights of type " + onnx_graph::to_string(t->type));
    const onnx_graph::Bytes bytes = t->bytes();
    return op.g.constant(*type, moved, permuted(bytes.span(), dims, order, element_bytes(*type)));
  }
  return op.g.transpose(op.g.reshape(op.in(1), dims), order);
}

OperationBuilder& pad_by(OperationBuilder& builder, Operator& op, const Window& w) {
  if (!w.padded()) return builder.text("padding", "VALID");
  const Ints begin = op.spread(w.begin, 0);
  const Ints end = op.spread(w.end, 0);
  Ints pairs;
  for (std::size_t i = 0; i < begin.size(); ++i) pairs.insert(pairs.end(), {begin[i], end[i]});
  return builder.text("padding", "EXPLICIT").integers("explicit_paddings", pairs);
}

/// Each channel by itself. TensorFlow's own operation takes one stride for both axes, and no dilation.
TF_Output depthwise(Operator& op, TF_Output x, const Window& w, const Ints& weights, std::int64_t channels) {
  const TF_Output filter = filter_of(op, {channels, weights[0] / channels, w.kernel[0], w.kernel[1]}, {2, 3, 0, 1});
  OperationBuilder builder = op.g.op("DepthwiseConv2dNative");
  builder.in(x).in(filter).integers("strides", op.spread(w.strides)).text("data_format", op.data_format(2));
  return pad_by(builder, op, w).done();
}

TF_Output convolution(Operator& op, TF_Output x, const Window& w, const Ints& weights) {
  const bool flat = w.spatial() == 2;
  const Ints order = flat ? Ints{2, 3, 1, 0} : Ints{2, 3, 4, 1, 0};
  if (!flat && w.padded()) x = pad_image(op, x, w, 0);  // Conv3D takes no padding of its own
  const TF_Output filter = filter_of(op, weights, order);
  OperationBuilder builder = op.g.op(flat ? "Conv2D" : "Conv3D");
  builder.in(x).in(filter);
  builder.integers("strides", op.spread(w.strides)).integers("dilations", op.spread(w.dilations));
  builder.text("data_format", op.data_format(w.spatial()));
  return flat ? pad_by(builder, op, w).done() : builder.text("padding", "VALID").done();
}

/// Runs `pool` over the image of one axis of space as over one of two.
template <class Pool>
void pool_image(Operator& op, const Window& window, Pool pool) {
  TF_Output x = op.image(0);
  const DataType type = op.g.type_of(x);
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

/// For each place of the output along one axis, how many elements of the window are counted.
std::vector<float> counted(const Window& w, std::size_t axis, std::int64_t size, std::int64_t padding_counted) {
  std::vector<float> result;
  const std::int64_t padded = size + w.begin[axis] + w.end[axis];
  for (std::int64_t at = 0; at + w.span(axis) <= padded; at += w.strides[axis]) {
    float n = 0;
    for (std::int64_t k = 0; k < w.kernel[axis]; ++k) {
      const std::int64_t place = at + k * w.dilations[axis] - w.begin[axis];
      if (place >= -(padding_counted != 0 ? w.begin[axis] : 0) && place < size) n += 1;
    }
    result.push_back(n);
  }
  return result;
}

/// What the mean over whole windows is multiplied with, so that it is the mean over what counts: one factor an axis.
TF_Output corrected(Operator& op, TF_Output mean, const Window& w, const Ints& sizes) {
  for (std::size_t i = 0; i < w.spatial(); ++i) {
    std::vector<float> factors;
    for (const float n : counted(w, i, sizes[i], 0)) factors.push_back(static_cast<float>(w.kernel[i]) / n);
    Ints dims(w.spatial(), 1);
    dims[i] = static_cast<std::int64_t>(factors.size());
    const TF_Output factor = op.g.cast(op.g.floats(factors, op.spread(dims)), op.g.type_of(mean));
    mean = op.g.binary("Mul", mean, factor);
  }
  return mean;
}

}  // namespace

void translate_conv(Operator& op) {
  const std::optional<Ints> weights = op.shape(1);
  if (!weights || weights->size() < 3) op.fail("the shape of the weights is not known");
  const Ints kernel(weights->begin() + 2, weights->end());
  if (std::any_of(kernel.begin(), kernel.end(), [](std::int64_t k) { return k < 0; })) {
    op.fail("the shape of the weights is not known");
  }
  const Window window = window_of(op, kernel, false);
  const bool line = window.spatial() == 1;
  const Window w = line ? with_axis(window) : window;
  Ints dims = *weights;
  if (line) dims.insert(dims.begin() + 2, 1);
  TF_Output x = line ? add_axis(op, op.image(0)) : op.image(0);
  const std::int64_t groups = op.integer("group", 1);
  const bool by_channel =
      groups > 1 && dims[1] == 1 && w.spatial() == 2 && !w.dilated() && w.strides[0] == w.strides[1];
  x = by_channel ? depthwise(op, x, w, dims, groups) : convolution(op, x, w, dims);
  if (line) x = drop_axis(op, x);
  if (op.has(2)) {
    const char* format = op.channels_last() ? "NHWC" : "NCHW";
    x = op.g.op("BiasAdd").in(x).in(op.in(2)).text("data_format", format).done();
  }
  op.out_image(0, x);
}

void translate_max_pool(Operator& op) {
  if (op.wants(1)) op.fail("the indices of the largest elements are asked for");
  const Window window = window_of(op, {}, true);
  if (window.dilated()) op.fail("dilations");
  pool_image(op, window, [&](TF_Output x, const Window& w) {
    if (w.padded()) x = pad_image(op, x, w, -std::numeric_limits<double>::infinity());
    return pool_valid(op, "MaxPool", x, w);
  });
}

void translate_average_pool(Operator& op) {
  const Window window = window_of(op, {}, true);
  if (window.dilated()) op.fail("dilations");
  const bool count_padding = op.integer("count_include_pad", 0) != 0;
  pool_image(op, window, [&](TF_Output x, const Window& w) {
    if (!w.padded()) return pool_valid(op, "AvgPool", x, w);
    Ints sizes;
    const Ints shape = op.g.shape_of(x).value();
    for (std::size_t i = 0; i < w.spatial(); ++i) sizes.push_back(shape[i + (op.channels_last() ? 1 : 2)]);
    TF_Output mean = pool_valid(op, "AvgPool", pad_image(op, x, w, 0), w);
    if (count_padding && op.integer("ceil_mode", 0) == 0) return mean;
    if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t s) { return s < 0; })) {
      op.fail("padding over a size that is free: give the input a shape");
    }
    return corrected(op, mean, w, sizes);
  });
}

void translate_global_pool(Operator& op) {
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  Ints axes;
  for (std::size_t i = 2; i < rank; ++i) axes.push_back(Operator::place(static_cast<std::int64_t>(i), rank, last));
  const char* type = op.node.op_type == "GlobalMaxPool" ? "Max" : "Mean";
  op.out(0, op.g.reduce(type, values[0], axes, true), last);
}

void translate_batch_normalization(Operator& op) {
  if (op.integer("training_mode", 0) != 0 || op.wants(1)) op.fail("statistics of the batch are asked for");
  if (op.opset() < 9 && op.integer("spatial", 1) == 0) op.fail("spatial is 0");
  const float epsilon = op.real("epsilon", 1e-5F);
  const std::size_t rank = op.rank(0);
  if (rank == 4 && op.type(0) == DataType::kFloat) {
    OperationBuilder builder = op.g.op("FusedBatchNormV3");
    builder.in(op.image(0));
    for (std::size_t i = 1; i < 5; ++i) builder.in(op.in(i));
    builder.real("epsilon", epsilon).flag("is_training", false).text("data_format", op.data_format(2));
    op.out_image(0, builder.done());
    return;
  }
  const auto [values, last] = op.operand();
  Ints shape(rank, 1);  // of one number a channel
  if (rank > 1) shape[static_cast<std::size_t>(Operator::place(1, rank, last))] = -1;
  const auto along = [&](std::size_t i) { return op.g.reshape(op.g.cast(op.in(i), op.g.type_of(values[0])), shape); };
  const TF_Output variance = op.g.binary("AddV2", along(4), op.g.scalar(op.g.type_of(values[0]), epsilon));
  const TF_Output scale = op.g.binary("Mul", along(1), op.g.unary("Rsqrt", variance));
  const TF_Output centred = op.g.binary("Sub", values[0], along(3));
  op.out(0, op.g.binary("AddV2", op.g.binary("Mul", centred, scale), along(2)), last);
}

}  // namespace assay::tensorflow
