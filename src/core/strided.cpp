#include "core/strided.hpp"

#include <array>
#include <cassert>
#include <cstring>

namespace assay {
namespace {

using Axes = std::array<std::int64_t, kMaxRank>;

/// Strides in elements, worked out where the view leaves them empty.
void strides_of(const Shape& shape, const Shape& given, Axes& out) {
  std::int64_t next = 1;
  for (std::size_t a = shape.size(); a-- > 0;) {
    out[a] = given.empty() ? next : given[a];
    next *= shape[a];
  }
}

struct Copy {
  std::size_t rank = 0;       ///< axes that are walked; below them lies one contiguous run
  std::size_t run = 0;        ///< bytes
  Axes size{}, to{}, from{};  ///< strides in bytes

  /// The next axis inwards; one that lies in the one before on both sides is merged with it.
  void add(std::int64_t n, std::int64_t to_step, std::int64_t from_step) {
    if (n == 1) return;
    const std::size_t last = rank - 1;
    if (rank > 0 && to[last] == n * to_step && from[last] == n * from_step) {
      size[last] *= n;
    } else {
      size[rank++] = n;
    }
    to[rank - 1] = to_step;
    from[rank - 1] = from_step;
  }
};

void walk(const Copy& c, std::size_t axis, std::byte* to, const std::byte* from) {
  if (axis == c.rank) {
    std::memcpy(to, from, c.run);
    return;
  }
  for (std::int64_t i = 0; i < c.size[axis]; ++i, to += c.to[axis], from += c.from[axis]) {
    walk(c, axis + 1, to, from);
  }
}

template <class Element>
void walk_elements(const Copy& c, std::size_t axis, std::byte* to, const std::byte* from) {
  if (axis + 1 < c.rank) {
    for (std::int64_t i = 0; i < c.size[axis]; ++i, to += c.to[axis], from += c.from[axis]) {
      walk_elements<Element>(c, axis + 1, to, from);
    }
    return;
  }
  for (std::int64_t i = 0; i < c.size[axis]; ++i, to += c.to[axis], from += c.from[axis]) {
    std::memcpy(to, from, sizeof(Element));
  }
}

}  // namespace

ByteRange byte_range(const void* data, std::size_t element_size, const Shape& shape, const Shape& strides) {
  Axes step;
  strides_of(shape, strides, step);
  std::int64_t low = 0, high = 0;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    if (shape[a] == 0) return {};
    const std::int64_t reach = (shape[a] - 1) * step[a];
    (reach < 0 ? low : high) += reach;
  }
  const auto base = reinterpret_cast<std::uintptr_t>(data);
  const auto size = static_cast<std::int64_t>(element_size);
  return {base + static_cast<std::uintptr_t>(low * size), base + static_cast<std::uintptr_t>((high + 1) * size)};
}

const std::byte* contiguous_slice(const void* data, std::size_t element_size, const Shape& shape, const Shape& strides,
                                  int axis, std::int64_t first, std::int64_t count) {
  assert(axis < static_cast<int>(shape.size()));
  const auto* bytes = static_cast<const std::byte*>(data);
  if (reinterpret_cast<std::uintptr_t>(data) % element_size != 0) return nullptr;
  Axes step;
  strides_of(shape, strides, step);
  std::int64_t expected = 1;
  for (std::size_t a = shape.size(); a-- > 0;) {
    const bool sliced = static_cast<int>(a) == axis;
    const std::int64_t size = sliced ? count : shape[a];
    if (size != 1 && step[a] != expected) return nullptr;
    expected *= size;
  }
  if (axis >= 0) bytes += first * step[static_cast<std::size_t>(axis)] * static_cast<std::int64_t>(element_size);
  return bytes;
}

void copy_block(const Block& to, const Block& from, int axis, std::int64_t count, std::size_t element_size) {
  assert(axis < static_cast<int>(to.shape->size()) && to.shape->size() == from.shape->size());
  Axes to_step, from_step;
  strides_of(*to.shape, *to.strides, to_step);
  strides_of(*from.shape, *from.strides, from_step);
  const auto bytes = static_cast<std::int64_t>(element_size);
  std::byte* target = to.data;
  const std::byte* source = from.data;
  Copy c;
  for (std::size_t a = 0; a < to.shape->size(); ++a) {
    const bool sliced = static_cast<int>(a) == axis;
    const std::int64_t size = sliced ? count : (*to.shape)[a];
    if (size == 0) return;
    if (sliced) {
      target += to.first * to_step[a] * bytes;
      source += from.first * from_step[a] * bytes;
    }
    c.add(size, to_step[a] * bytes, from_step[a] * bytes);
  }
  c.run = element_size;
  if (c.rank > 0 && c.to[c.rank - 1] == bytes && c.from[c.rank - 1] == bytes) {
    c.run *= static_cast<std::size_t>(c.size[--c.rank]);
  }
  if (c.rank == 0 || c.run > 8) return walk(c, 0, target, source);
  switch (c.run) {
    case 1:
      return walk_elements<std::uint8_t>(c, 0, target, source);
    case 2:
      return walk_elements<std::uint16_t>(c, 0, target, source);
    case 4:
      return walk_elements<std::uint32_t>(c, 0, target, source);
    case 8:
      return walk_elements<std::uint64_t>(c, 0, target, source);
    default:
      return walk(c, 0, target, source);
  }
}

}  // namespace assay
