#pragma once
// The sliding windows of convolutions and pools: what ONNX says of them in so many ways, in one.

#include "operators/operator.hpp"

namespace assay::tensorflow {

/// One number an axis of space.
struct Window {
  Ints kernel, strides, dilations, begin, end;  ///< begin, end: padding
  Ints over;                                    ///< how much of `end` is there for ceil_mode alone

  [[nodiscard]] std::size_t spatial() const { return kernel.size(); }
  /// Elements of the input that it spans, holes of the dilation included.
  [[nodiscard]] std::int64_t span(std::size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
  [[nodiscard]] bool padded() const;
  [[nodiscard]] bool dilated() const;
};

/// Of the node, over input 0. `kernel`: where the node does not say. Resolves auto_pad and, with `may_ceil`, ceil_mode
/// (as padding at the end). Fails where that needs sizes that are not known.
Window window_of(Operator& op, const Ints& kernel, bool may_ceil);

/// The same with auto_pad and ceil_mode left to the caller.
Window window_as_given(Operator& op, const Ints& kernel);

/// What goes before and after each axis of an image in the wanted layout: nothing along batch and channels.
Ints pairs_of(Operator& op, const Ints& begin_of_space, const Ints& end_of_space);

/// x, an image in the wanted layout, padded with `value`.
TF_Output pad_image(Operator& op, TF_Output x, const Window& window, double value);

/// An image of one axis of space gets a second one of size 1 before it, for TensorFlow has no operations of one; and
/// back.
TF_Output add_axis(Operator& op, TF_Output x);
TF_Output drop_axis(Operator& op, TF_Output x);
/// The window over such an image.
Window with_axis(const Window& window);

/// A convolution's window over input 0, of the weights that are input `weights`.
Window convolution_window(Operator& op, std::size_t weights);
/// The node's convolution of x, an image in the wanted layout. The weights are ONNX's, of shape `dims`: input 1, or
/// what was computed of it.
TF_Output convolve(Operator& op, TF_Output x, const Window& window, const Ints& dims,
                   std::optional<TF_Output> computed);

/// A filter, as ONNX has it, with holes where the window is dilated, which then is larger instead.
TF_Output with_holes(Operator& op, TF_Output filter, Window& w);

/// x cut into so many equal parts along an axis, as it lies there.
std::vector<TF_Output> parts_of(Operator& op, TF_Output x, std::int64_t axis, std::int64_t count);

/// |x| to the power of p, and the root that undoes it after a sum: of norms.
TF_Output powers_of(Operator& op, TF_Output x, double p);
TF_Output root_of(Operator& op, TF_Output x, double p);

}  // namespace assay::tensorflow
