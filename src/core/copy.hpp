#pragma once

#include "assay/tensor.hpp"

namespace assay {

/// Strides in elements of contiguous memory, last axis fastest.
Shape contiguous_strides(const Shape& shape);

/// Copies every element; dtype and shape must agree. One memcpy where both sides allow it. Memory must not overlap.
/// Throws Error(kInvalidArgument; kUnsupported beyond kMaxRank axes).
void copy_elements(const TensorView& from, const MutableTensorView& to);

/// Indices [first, first + count) of one axis; no data is moved.
TensorView slice(const TensorView& view, std::size_t axis, std::int64_t first, std::int64_t count);
MutableTensorView slice(const MutableTensorView& view, std::size_t axis, std::int64_t first, std::int64_t count);

}  // namespace assay
