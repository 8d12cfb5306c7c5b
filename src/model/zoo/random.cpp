#include "model/zoo/random.hpp"

#include <algorithm>

namespace assay::model {
namespace {

constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr double kSqrt6 = 2.449489742783178;

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// FNV-1a: tells the tensors of a network apart.
std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return h;
}

std::int32_t bell(std::uint32_t bits) { return static_cast<std::int32_t>((bits & 0xFFFF) + (bits >> 16)) - 65535; }

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * c[0];
    const std::uint64_t p1 = kMultiplier1 * c[2];
    c = {high(p1) ^ c[1] ^ k[0], low(p1), high(p0) ^ c[3] ^ k[1], low(p0)};
    k[0] += kWeyl0;
    k[1] += kWeyl1;
  }
  return c;
}

RandomTensor::RandomTensor(std::uint64_t seed, std::string_view name)
    : key_{low(seed), high(seed)}, stream_(hash(name)) {}

std::array<std::uint32_t, 4> RandomTensor::block(std::uint64_t index) const {
  return philox({low(index), high(index), low(stream_), high(stream_)}, key_);
}

void RandomTensor::fill(std::uint64_t first, std::int32_t* out, std::uint64_t count) const {
  const std::uint64_t end = first + count;
  for (std::uint64_t i = first; i < end;) {
    const auto bits = block(i / 4);
    const std::uint64_t stop = std::min(end, (i / 4 + 1) * 4);
    for (; i < stop; ++i) *out++ = bell(bits[i % 4]);
  }
}

double RandomTensor::unit(std::uint64_t i) const { return bell(block(i / 4)[i % 4]) * (kSqrt6 / 65536); }

}  // namespace assay::model
