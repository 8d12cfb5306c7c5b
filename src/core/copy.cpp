#include "core/copy.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "assay/error.hpp"
#include "core/strided.hpp"

namespace assay {
namespace {

template <class View>
View sliced(const View& view, std::size_t axis, std::int64_t first, std::int64_t count) {
  if (axis >= view.shape.size() || first < 0 || count < 0 || first + count > view.shape[axis]) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("no slice [{}, {}) of axis {} in a tensor of shape {}", first,
                                                         first + count, axis, to_string(view.shape)));
  }
  View part = view;
  if (part.strides.empty()) part.strides = contiguous_strides(view.shape);
  part.shape[axis] = count;
  using Byte = std::conditional_t<std::is_same_v<View, TensorView>, const std::byte, std::byte>;
  part.data =
      static_cast<Byte*>(view.data) + first * part.strides[axis] * static_cast<std::int64_t>(size_of(view.dtype));
  return part;
}

}  // namespace

Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

void copy_elements(const TensorView& from, const MutableTensorView& to) {
  if (from.dtype != to.dtype || from.shape != to.shape) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("cannot copy {} {} into {} {}", to_string(from.dtype), to_string(from.shape),
                            to_string(to.dtype), to_string(to.shape)));
  }
  if (from.shape.size() > kMaxRank) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("a tensor of {} axes; at most {} are supported", from.shape.size(), kMaxRank));
  }
  copy_block({static_cast<std::byte*>(to.data), &to.shape, &to.strides},
             {static_cast<std::byte*>(const_cast<void*>(from.data)), &from.shape, &from.strides}, -1, 1,
             size_of(from.dtype));
}

TensorView slice(const TensorView& view, std::size_t axis, std::int64_t first, std::int64_t count) {
  return sliced(view, axis, first, count);
}
MutableTensorView slice(const MutableTensorView& view, std::size_t axis, std::int64_t first, std::int64_t count) {
  return sliced(view, axis, first, count);
}

}  // namespace assay
