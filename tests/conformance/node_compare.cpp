#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/half.hpp"
#include "conformance/node_tests.hpp"

namespace assay::conformance {
namespace {

constexpr double kRelative = 1e-3, kAbsolute = 1e-7;

template <class T>
T element(const NodeValue& value, std::size_t i) {
  T result{};
  std::memcpy(&result, value.data.data() + i * sizeof(T), sizeof(T));
  return result;
}

double as_double(const NodeValue& value, std::size_t i) {
  switch (value.dtype) {
    case DType::kFloat64:
      return element<double>(value, i);
    case DType::kFloat16:
      return half_to_float(element<std::uint16_t>(value, i));
    case DType::kBFloat16:
      return std::bit_cast<float>(static_cast<std::uint32_t>(element<std::uint16_t>(value, i)) << 16U);
    default:
      return element<float>(value, i);
  }
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

bool near(double expected, double found) {
  if (std::isnan(expected) || std::isnan(found)) return std::isnan(expected) && std::isnan(found);
  if (std::isinf(expected) || std::isinf(found)) return expected == found;
  return std::abs(expected - found) <= kAbsolute + kRelative * std::abs(expected);
}

std::string integer_text(const NodeValue& value, std::size_t i) {
  const std::size_t size = size_of(value.dtype);
  std::uint64_t bits = 0;
  std::memcpy(&bits, value.data.data() + i * size, size);
  const bool is_signed = value.dtype == DType::kInt8 || value.dtype == DType::kInt16 || value.dtype == DType::kInt32 ||
                         value.dtype == DType::kInt64;
  const auto shift = static_cast<unsigned>(64 - 8 * size);
  return is_signed ? std::to_string(static_cast<std::int64_t>(bits << shift) >> shift) : std::to_string(bits);
}

}  // namespace

std::string difference(const NodeValue& expected, const NodeValue& found) {
  if (expected.dtype != found.dtype) {
    return fmt::format("{} instead of {}", to_string(found.dtype), to_string(expected.dtype));
  }
  if (expected.shape != found.shape) {
    return fmt::format("a shape of {} instead of {}", to_string(found.shape), to_string(expected.shape));
  }
  const std::size_t size = size_of(expected.dtype), count = expected.data.size() / size;
  std::size_t wrong = 0;
  std::string first;
  for (std::size_t i = 0; i < count; ++i) {
    const bool floating = is_float(expected.dtype);
    const bool same = floating ? near(as_double(expected, i), as_double(found, i))
                               : std::memcmp(&expected.data[i * size], &found.data[i * size], size) == 0;
    if (same || wrong++ > 0) continue;
    first = floating
                ? fmt::format("element {} is {:.7g} instead of {:.7g}", i, as_double(found, i), as_double(expected, i))
                : fmt::format("element {} is {} instead of {}", i, integer_text(found, i), integer_text(expected, i));
  }
  return wrong == 0 ? "" : fmt::format("{} ({} of {} differ)", first, wrong, count);
}

std::string difference(const std::vector<NodeValue>& expected, const std::vector<NodeValue>& found) {
  if (expected.size() != found.size()) return fmt::format("{} outputs instead of {}", found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (const std::string d = difference(expected[i], found[i]); !d.empty()) return fmt::format("output {}: {}", i, d);
  }
  return {};
}

}  // namespace assay::conformance
