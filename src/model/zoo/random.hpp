#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace assay::model {

/// Philox 4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (SC 2011): ten rounds of integer arithmetic turn a counter and a key into 128 random bits.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Numbers of one tensor: element i depends on the seed, the tensor's name and i alone, and is made of integers, so it
/// is the same on every machine and in whatever order it is asked for.
class RandomTensor {
 public:
  RandomTensor(std::uint64_t seed, std::string_view name);

  /// Elements [first, first + count) as integers in [-65535, 65535], the sum of two uniform ones: symmetric, bell-like,
  /// with a standard deviation of 65536/sqrt(6).
  void fill(std::uint64_t first, std::int32_t* out, std::uint64_t count) const;

  /// Element i scaled to a standard deviation of 1; lies within ±2.45.
  [[nodiscard]] double unit(std::uint64_t i) const;

 private:
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint64_t index) const;

  std::array<std::uint32_t, 2> key_;
  std::uint64_t stream_;
};

}  // namespace assay::model
