#pragma once

#include "assay/tensor.hpp"

namespace assay {

/// Strides in elements of contiguous memory, last axis fastest.
Shape contiguous_strides(const Shape& shape);
/// True where the view's memory is contiguous, last axis fastest (axes of one element do not matter).
bool is_contiguous(const TensorView& view);

/// Copies every element; dtype and shape must agree. One memcpy where both sides allow it. Memory must not overlap.
/// Throws Error(kInvalidArgument).
void copy_elements(const TensorView& from, const MutableTensorView& to);

/// Indices [first, first + count) of one axis; no data is moved.
TensorView slice(const TensorView& view, std::size_t axis, std::int64_t first, std::int64_t count);
MutableTensorView slice(const MutableTensorView& view, std::size_t axis, std::int64_t first, std::int64_t count);

}  // namespace assay
