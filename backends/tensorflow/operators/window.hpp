#pragma once
// The sliding windows of convolutions and pools: what ONNX says of them in so many ways, in one.

#include "operators/operator.hpp"

namespace assay::tensorflow {

/// One number an axis of space.
struct Window {
  Ints kernel, strides, dilations, begin, end;  ///< begin, end: padding

  [[nodiscard]] std::size_t spatial() const { return kernel.size(); }
  /// Elements of the input that it spans, holes of the dilation included.
  [[nodiscard]] std::int64_t span(std::size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
  [[nodiscard]] bool padded() const;
  [[nodiscard]] bool dilated() const;
};

/// Of the node, over input 0. `kernel`: where the node does not say. Resolves auto_pad and, with `may_ceil`, ceil_mode
/// (as padding at the end). Fails where that needs sizes that are not known.
Window window_of(Operator& op, const Ints& kernel, bool may_ceil);

/// x, an image in the wanted layout, padded with `value`.
TF_Output pad_image(Operator& op, TF_Output x, const Window& window, double value);

/// An image of one axis of space gets a second one of size 1 before it, for TensorFlow has no operations of one; and
/// back.
TF_Output add_axis(Operator& op, TF_Output x);
TF_Output drop_axis(Operator& op, TF_Output x);
/// The window over such an image.
Window with_axis(const Window& window);

}  // namespace assay::tensorflow
