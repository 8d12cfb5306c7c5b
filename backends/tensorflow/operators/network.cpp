// Convolutions: they take images in the wanted layout.
#include <algorithm>

#include "operators/window.hpp"

namespace assay::tensorflow {
namespace {

/// What ONNX has as out, in, space.
struct Filter {
  Ints dims;
  std::optional<TF_Output> computed;  ///< else it is input 1 as it is
};

/// As TensorFlow's space, in, out, or what else `order` says; its axes seen as `dims`.
TF_Output filter_of(Operator& op, const Filter& filter, const Ints& dims, const Ints& order) {
  const onnx_graph::Tensor* t = op.constant(1);
  if (t == nullptr || filter.computed) {
    return op.g.transpose(op.g.reshape(filter.computed ? *filter.computed : op.in(1), dims), order);
  }
  const std::optional<DataType> type = data_type(t->type);
  Ints moved;
  for (const std::int64_t axis : order) moved.push_back(dims[static_cast<std::size_t>(axis)]);
  if (!type) op.fail("weights of type " + onnx_graph::to_string(t->type));
  const onnx_graph::Bytes bytes = t->bytes();
  return op.g.constant(*type, moved, permuted(bytes.span(), dims, order, element_bytes(*type)));
}

OperationBuilder& pad_by(OperationBuilder& builder, Operator& op, const Window& w) {
  if (!w.padded()) return builder.text("padding", "VALID");
  return builder.text("padding", "EXPLICIT").integers("explicit_paddings", pairs_of(op, w.begin, w.end));
}

/// Each channel by itself. TensorFlow's own operation takes one stride for both axes, and no dilation.
TF_Output depthwise(Operator& op, TF_Output x, const Window& w, const Filter& weights, std::int64_t channels) {
  const TF_Output filter =
      filter_of(op, weights, {channels, weights.dims[0] / channels, w.kernel[0], w.kernel[1]}, {2, 3, 0, 1});
  OperationBuilder builder = op.g.op("DepthwiseConv2dNative");
  builder.in(x).in(filter).integers("strides", op.spread(w.strides)).text("data_format", op.data_format(2));
  return pad_by(builder, op, w).done();
}

/// `convolve_one` of each group of channels, for what TensorFlow computes in one group only.
template <class Convolve>
TF_Output by_groups(Operator& op, TF_Output x, TF_Output filter, std::int64_t groups, Convolve convolve_one) {
  if (groups == 1) return convolve_one(x, filter);
  const auto last = static_cast<std::int64_t>(op.g.sizes_of(filter).size()) - 1;
  const std::int64_t channels = op.channels_last() ? last : 1;
  const std::vector<TF_Output> images = parts_of(op, x, channels, groups);
  const std::vector<TF_Output> filters = parts_of(op, filter, last, groups);
  std::vector<TF_Output> results;
  for (std::size_t i = 0; i < images.size(); ++i) results.push_back(convolve_one(images[i], filters[i]));
  return op.g.op("ConcatV2").in_list(results).in(op.g.ints({channels}, DataType::kInt32, true)).done();
}

/// Groups are in one operation where oneDNN may take it: TensorFlow's own kernel refuses them once fused with a bias.
TF_Output convolution(Operator& op, TF_Output x, const Window& w, const Filter& weights, std::int64_t groups) {
  const TF_Output filter = filter_of(op, weights, weights.dims, {2, 3, 1, 0});
  return by_groups(op, x, filter, op.settings().onednn ? 1 : groups, [&](TF_Output image, TF_Output its_filter) {
    OperationBuilder builder = op.g.op("Conv2D");
    builder.in(image).in(its_filter);
    builder.integers("strides", op.spread(w.strides)).integers("dilations", op.spread(w.dilations));
    return pad_by(builder.text("data_format", op.data_format(2)), op, w).done();
  });
}

/// TensorFlow's takes no padding of its own, and on the CPU no groups; its own kernel, no dilations.
TF_Output convolution_of_space(Operator& op, TF_Output x, Window w, Filter weights, std::int64_t groups) {
  if (w.padded()) x = pad_image(op, x, w, 0);
  if (w.dilated() && !op.settings().onednn) {
    weights.computed = with_holes(op, weights.computed ? *weights.computed : op.in(1), w);
    weights.dims = op.g.sizes_of(*weights.computed);
  }
  const TF_Output filter = filter_of(op, weights, weights.dims, {2, 3, 4, 1, 0});
  return by_groups(op, x, filter, groups, [&](TF_Output image, TF_Output its_filter) {
    OperationBuilder builder = op.g.op("Conv3D");
    builder.in(image).in(its_filter).text("padding", "VALID").text("data_format", op.data_format(3));
    builder.integers("strides", op.spread(w.strides)).integers("dilations", op.spread(w.dilations));
    return builder.done();
  });
}

}  // namespace

Window convolution_window(Operator& op, std::size_t weights) {
  const std::optional<Ints> dims = op.shape(weights);
  if (!dims || dims->size() < 3 || *std::min_element(dims->begin(), dims->end()) < 0) {
    op.fail("the shape of the weights is not known");
  }
  return window_of(op, Ints(dims->begin() + 2, dims->end()), false);
}

TF_Output convolve(Operator& op, TF_Output x, const Window& window, const Ints& dims,
                   std::optional<TF_Output> computed) {
  const bool line = window.spatial() == 1;
  const Window w = line ? with_axis(window) : window;
  Filter filter{dims, computed};
  if (line) filter.dims.insert(filter.dims.begin() + 2, 1);
  if (line) x = add_axis(op, x);
  const std::int64_t groups = op.integer("group", 1);
  if (w.spatial() == 3) return convolution_of_space(op, x, w, filter, groups);
  const bool by_channel = groups > 1 && filter.dims[1] == 1 && !w.dilated() && w.strides[0] == w.strides[1];
  x = by_channel ? depthwise(op, x, w, filter, groups) : convolution(op, x, w, filter, groups);
  return line ? drop_axis(op, x) : x;
}

void translate_conv(Operator& op) {
  if (op.type(0) != DataType::kFloat) op.insist_on_channels_last();
  const Window window = convolution_window(op, 1);
  const Ints weights = op.sizes(1);
  const std::int64_t groups = op.integer("group", 1), channels = op.sizes(0).at(1);
  if (groups < 1 || weights[0] % groups != 0 || (channels >= 0 && channels != groups * weights[1])) {
    op.fail("weights of " + kit::to_text(weights) + " in " + std::to_string(groups) + " groups over " +
            std::to_string(channels) + " channels");
  }
  TF_Output x = convolve(op, op.image(0), window, weights, std::nullopt);
  if (op.has(2)) {
    const char* format = op.channels_last() ? "NHWC" : "NCHW";
    x = op.g.op("BiasAdd").in(x).in(op.in(2)).text("data_format", format).done();
  }
  op.out_image(0, x);
}

}  // namespace assay::tensorflow
