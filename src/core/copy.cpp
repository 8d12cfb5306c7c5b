#include "core/copy.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstring>

#include "assay/error.hpp"

namespace assay {
namespace {

const Shape& strides_of(const Shape& strides, const Shape& shape, Shape& storage) {
  if (!strides.empty() || shape.empty()) return strides;
  storage = contiguous_strides(shape);
  return storage;
}

/// The axes of two views of one shape, innermost last, with neighbouring axes that lie one in the other merged.
struct Walk {
  Shape shape, from, to;
};

Walk merged(const Shape& shape, const Shape& from, const Shape& to) {
  Walk w;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (!w.shape.empty() && w.from.back() == shape[i] * from[i] && w.to.back() == shape[i] * to[i]) {
      w.shape.back() *= shape[i];
      w.from.back() = from[i];
      w.to.back() = to[i];
    } else {
      w.shape.push_back(shape[i]);
      w.from.push_back(from[i]);
      w.to.push_back(to[i]);
    }
  }
  return w;
}

void copy_axis(const Walk& w, std::size_t axis, std::size_t element, const std::byte* from, std::byte* to) {
  const std::int64_t n = w.shape[axis];
  const auto size = static_cast<std::ptrdiff_t>(element);
  const std::ptrdiff_t from_step = w.from[axis] * size;
  const std::ptrdiff_t to_step = w.to[axis] * size;
  if (axis + 1 < w.shape.size()) {
    for (std::int64_t i = 0; i < n; ++i) copy_axis(w, axis + 1, element, from + i * from_step, to + i * to_step);
  } else if (from_step == size && to_step == size) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * element);
  } else {
    for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * to_step, from + i * from_step, element);
  }
}

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

bool is_contiguous(const TensorView& view) {
  if (view.strides.empty()) return true;
  std::int64_t step = 1;
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    if (view.shape[i] == 0) return true;
    if (view.shape[i] != 1 && view.strides[i] != step) return false;
    step *= view.shape[i];
  }
  return true;
}

void copy_elements(const TensorView& from, const MutableTensorView& to) {
  if (from.dtype != to.dtype || from.shape != to.shape) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("cannot copy {} {} into {} {}", to_string(from.dtype), to_string(from.shape),
                            to_string(to.dtype), to_string(to.shape)));
  }
  if (element_count(from.shape) == 0) return;
  const std::size_t element = size_of(from.dtype);
  Shape from_storage;
  Shape to_storage;
  const Walk walk = merged(from.shape, strides_of(from.strides, from.shape, from_storage),
                           strides_of(to.strides, to.shape, to_storage));
  if (walk.shape.empty()) {
    std::memcpy(to.data, from.data, element);
  } else {
    copy_axis(walk, 0, element, static_cast<const std::byte*>(from.data), static_cast<std::byte*>(to.data));
  }
}

TensorView slice(const TensorView& view, std::size_t axis, std::int64_t first, std::int64_t count) {
  return sliced(view, axis, first, count);
}
MutableTensorView slice(const MutableTensorView& view, std::size_t axis, std::int64_t first, std::int64_t count) {
  return sliced(view, axis, first, count);
}

}  // namespace assay
