// Convolutions the other way around. TensorFlow has them as the gradient by the input of the convolution.
#include <algorithm>

#include "operators/window.hpp"

namespace assay::tensorflow {
namespace {

/// A transposed convolution: its padding takes away from the output's ends, and may be negative: that adds to them.
struct Transposed {
  Window window;  ///< begin and end are not in it
  Ints begin, end;
};

/// What is taken away at both ends, with output_padding (which adds at the end) in it.
Transposed transposed_of(Operator& op, const Ints& kernel) {
  Transposed t{window_as_given(op, kernel), {}, {}};
  const Window& w = t.window;
  const std::size_t n = w.spatial();
  const Ints added = op.list("output_padding").value_or(Ints(n, 0));
  const std::optional<Ints> wanted = op.list("output_shape");
  const std::string automatic = op.text("auto_pad", "NOTSET");
  if (added.size() != n) op.fail("output_padding has " + std::to_string(added.size()) + " numbers");
  t.begin = automatic == "VALID" ? Ints(n, 0) : w.begin;
  t.end = automatic == "VALID" ? Ints(n, 0) : w.end;
  for (std::size_t i = 0; i < n; ++i) {
    if (wanted || automatic.starts_with("SAME")) {
      std::int64_t total = w.span(i) - w.strides[i] + added[i];
      if (wanted) {
        const std::int64_t size = op.sizes(0).at(i + 2);
        if (size < 0) op.fail("output_shape from a size that is free: give the input a shape");
        if (wanted->size() < n) op.fail("output_shape has " + std::to_string(wanted->size()) + " numbers");
        total = w.strides[i] * (size - 1) + added[i] + w.span(i) - wanted->at(wanted->size() - n + i);
      }
      const std::int64_t taken = std::max<std::int64_t>(total, 0);  // what is missing is added at the end
      t.begin[i] = automatic == "SAME_UPPER" ? taken / 2 : taken - taken / 2;
      t.end[i] = total - t.begin[i];
    }
    t.end[i] -= added[i];
  }
  return t;
}

/// The output's whole shape before anything is taken away: computed, for the batch may be free.
TF_Output whole_shape(Operator& op, TF_Output x, const Window& w, const Ints& cut, std::int64_t channels) {
  const Ints shape = op.g.sizes_of(x);
  Ints gaps;
  for (std::size_t i = 0; i < w.spatial(); ++i) gaps.push_back(w.span(i) - w.strides[i] - cut[i]);
  Ints factors = op.spread(w.strides), added = op.spread(gaps, 0), sizes = factors;
  const std::size_t at = op.channels_last() ? factors.size() - 1 : 1;
  factors[at] = 0;
  added[at] = channels;
  for (std::size_t i = 0; i < shape.size(); ++i) sizes[i] = shape[i] * factors[i] + added[i];
  const bool known = std::all_of(shape.begin(), shape.end(), [](std::int64_t d) { return d >= 0; });
  if (known) return op.g.ints(sizes);
  const TF_Output there = op.g.op("Shape").in(x).done();
  return op.g.binary("AddV2", op.g.binary("Mul", there, op.g.ints(factors)), op.g.ints(added));
}

bool fits_explicit(const Transposed& t) {
  for (std::size_t i = 0; i < t.window.spatial(); ++i) {
    if (t.begin[i] < 0 || t.end[i] < 0) return false;
  }
  return t.window.spatial() == 2;
}

/// One group. `filter`: space, out, in.
TF_Output convolve_back(Operator& op, const char* type, TF_Output x, TF_Output filter, const Transposed& t,
                        std::int64_t channels) {
  const Window& w = t.window;
  const bool fits = fits_explicit(t);
  Ints cut(w.spatial(), 0);
  for (std::size_t i = 0; fits && i < cut.size(); ++i) cut[i] = t.begin[i] + t.end[i];
  OperationBuilder builder = op.g.op(type);
  builder.in(whole_shape(op, x, w, cut, channels)).in(filter).in(x);
  builder.integers("strides", op.spread(w.strides)).text("data_format", op.data_format(w.spatial()));
  const bool any = std::any_of(cut.begin(), cut.end(), [](std::int64_t c) { return c != 0; });
  if (!any) return builder.text("padding", "VALID").done();
  return builder.text("padding", "EXPLICIT").integers("explicit_paddings", pairs_of(op, t.begin, t.end)).done();
}

/// What convolve_back could not: ends cut off, or grown by zeros.
TF_Output cut_ends(Operator& op, TF_Output y, const Transposed& t) {
  if (fits_explicit(t)) return y;
  const std::size_t n = t.window.spatial();
  Window grow = t.window;
  Ints begin(n), end(n);
  bool cuts = false, grows = false;
  for (std::size_t i = 0; i < n; ++i) {
    begin[i] = std::max<std::int64_t>(t.begin[i], 0);
    end[i] = std::max<std::int64_t>(t.end[i], 0);
    grow.begin[i] = std::max<std::int64_t>(-t.begin[i], 0);
    grow.end[i] = std::max<std::int64_t>(-t.end[i], 0);
    cuts = cuts || begin[i] + end[i] > 0;
    grows = grows || grow.begin[i] + grow.end[i] > 0;
  }
  if (cuts) {
    Ints both;
    for (std::size_t i = 0; i < n; ++i) both.push_back(begin[i] + end[i]);
    const TF_Output size = op.g.binary("Sub", op.g.op("Shape").in(y).done(), op.g.ints(op.spread(both, 0)));
    y = op.g.op("Slice").in(y).in(op.g.ints(op.spread(begin, 0))).in(size).done();
  }
  return grows ? pad_image(op, y, grow, 0) : y;
}

TF_Output convolve_groups(Operator& op, TF_Output x, TF_Output weights, const Transposed& t, std::int64_t groups) {
  const Ints dims = op.g.sizes_of(weights);
  const bool flat = t.window.spatial() == 2;
  const bool by_channel =
      flat && groups > 1 && groups == dims[0] && dims[1] == 1 && t.window.strides[0] == t.window.strides[1];
  if (by_channel) {
    const TF_Output filter = op.g.transpose(weights, {2, 3, 0, 1});
    return convolve_back(op, "DepthwiseConv2dNativeBackpropInput", x, filter, t, groups);
  }
  const char* type = flat ? "Conv2DBackpropInput" : "Conv3DBackpropInputV2";
  const TF_Output filter = op.g.transpose(weights, flat ? Ints{2, 3, 1, 0} : Ints{2, 3, 4, 1, 0});
  if (groups == 1) return convolve_back(op, type, x, filter, t, dims[1]);
  const std::int64_t channels = op.channels_last() ? static_cast<std::int64_t>(dims.size()) - 1 : 1;
  const std::vector<TF_Output> images = parts_of(op, x, channels, groups);
  const std::vector<TF_Output> filters = parts_of(op, filter, static_cast<std::int64_t>(dims.size()) - 1, groups);
  std::vector<TF_Output> parts;
  for (std::size_t i = 0; i < images.size(); ++i) {
    parts.push_back(convolve_back(op, type, images[i], filters[i], t, dims[1]));
  }
  return op.g.op("ConcatV2").in_list(parts).in(op.g.ints({channels}, DataType::kInt32, true)).done();
}

}  // namespace

void translate_conv_transpose(Operator& op) {
  op.insist_on_channels_last();
  const std::optional<Ints> weights = op.shape(1);
  if (!weights || weights->size() < 3 || *std::min_element(weights->begin(), weights->end()) < 0) {
    op.fail("the shape of the weights is not known");
  }
  Transposed t = transposed_of(op, Ints(weights->begin() + 2, weights->end()));
  TF_Output x = op.image(0);
  const DataType type = op.g.type_of(x);
  TF_Output filter = op.in(1);
  const bool line = t.window.spatial() == 1;
  if (line) {
    t.window = with_axis(t.window);
    t.begin.insert(t.begin.begin(), 0);
    t.end.insert(t.end.begin(), 0);
    x = add_axis(op, x);
    filter = op.g.reshape(filter, {weights->at(0), weights->at(1), 1, weights->at(2)});
  }
  filter = with_holes(op, filter, t.window);
  TF_Output y = cut_ends(op, convolve_groups(op, x, filter, t, op.integer("group", 1)), t);
  if (line) y = drop_axis(op, y);
  if (op.has(2)) {
    const char* format = op.channels_last() ? "NHWC" : "NCHW";
    y = op.g.op("BiasAdd").in(y).in(op.in(2)).text("data_format", format).done();
  }
  op.out_image(0, op.g.cast(y, type));
}

}  // namespace assay::tensorflow
