#pragma once
// Copies between views of memory. Nothing here allocates.

#include <cstddef>
#include <cstdint>
#include <span>

#include "assay/tensor.hpp"

namespace assay {

/// Tensors of more axes are refused.
constexpr std::size_t kMaxRank = 32;

/// Bytes [begin, end) that a view can touch; empty where it has no element.
struct ByteRange {
  std::uintptr_t begin = 0, end = 0;
  [[nodiscard]] bool overlaps(const ByteRange& other) const { return begin < other.end && other.begin < end; }
};
ByteRange byte_range(const void* data, std::size_t element_size, const Shape& shape, const Shape& strides);

/// Where samples [first, first + count) along `axis` begin, if they lie contiguously, last axis fastest, aligned to
/// their elements; else nullptr. axis -1: all of the view.
const std::byte* contiguous_slice(const void* data, std::size_t element_size, const Shape& shape, const Shape& strides,
                                  int axis, std::int64_t first, std::int64_t count);

/// A block within a tensor: samples [first, first + count) along `axis` (-1: all of it). Empty strides: contiguous.
struct Block {
  std::byte* data = nullptr;
  const Shape* shape = nullptr;
  const Shape* strides = nullptr;
  std::int64_t first = 0;
};

/// Copies `count` samples along `axis` from one block to another. All axes but `axis` must agree.
void copy_block(const Block& to, const Block& from, int axis, std::int64_t count, std::size_t element_size);

}  // namespace assay
