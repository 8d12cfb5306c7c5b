#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace assay::compiler {

constexpr std::int64_t kAlignment = 64;
/// So many bytes and what is missing to whole kAlignment.
constexpr std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Zeros, from a multiple of kAlignment on, of pages of its own. What compiled code would read or write beyond it is a
/// page that nobody may touch, on both sides: at the end from less than 64 bytes on.
class AlignedMemory {
 public:
  /// Throws std::bad_alloc.
  explicit AlignedMemory(std::int64_t bytes = 0);
  ~AlignedMemory();
  AlignedMemory(AlignedMemory&& other) noexcept { *this = std::move(other); }
  AlignedMemory& operator=(AlignedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(pages_, other.pages_);
    std::swap(length_, other.length_);
    return *this;
  }
  [[nodiscard]] std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_ = nullptr;
  void* pages_ = nullptr;  ///< with those on both sides
  std::size_t length_ = 0;
};

}  // namespace assay::compiler
