#include "assay/tensor.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <new>

#include "assay/error.hpp"

namespace assay {
namespace {

struct DTypeRow {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr std::array kDTypes = {
    DTypeRow{DType::kFloat32, "float32", 4},   DTypeRow{DType::kUint8, "uint8", 1},
    DTypeRow{DType::kInt8, "int8", 1},         DTypeRow{DType::kUint16, "uint16", 2},
    DTypeRow{DType::kInt16, "int16", 2},       DTypeRow{DType::kInt32, "int32", 4},
    DTypeRow{DType::kInt64, "int64", 8},       DTypeRow{DType::kBool, "bool", 1},
    DTypeRow{DType::kFloat16, "float16", 2},   DTypeRow{DType::kFloat64, "float64", 8},
    DTypeRow{DType::kUint32, "uint32", 4},     DTypeRow{DType::kUint64, "uint64", 8},
    DTypeRow{DType::kBFloat16, "bfloat16", 2},
};

const DTypeRow& row(DType dtype) {
  for (const DTypeRow& r : kDTypes) {
    if (r.dtype == dtype) return r;
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("element type {} is not one that Assay handles", static_cast<int>(dtype)));
}

}  // namespace

std::size_t size_of(DType dtype) { return row(dtype).size; }
const char* to_string(DType dtype) { return row(dtype).name; }

DType dtype_from_string(const std::string& name) {
  std::string known;
  for (const DTypeRow& r : kDTypes) {
    if (name == r.name) return r.dtype;
    known += (known.empty() ? "" : ", ") + std::string(r.name);
  }
  throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is no element type; there are {}", name, known));
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t axis : shape) {
    if (axis < 0) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("shape {} has a free axis: it has no size", to_string(shape)));
    }
    if (axis != 0 && count > std::numeric_limits<std::int64_t>::max() / axis) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("shape {} is too large", to_string(shape)));
    }
    count *= axis;
  }
  return count;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t axis : shape) {
    if (!text.empty()) text += 'x';
    text += axis < 0 ? "?" : std::to_string(axis);
  }
  return text;
}

Shape shape_from_string(const std::string& text) {
  if (text == "scalar") return {};
  Shape shape;
  const char* p = text.data();
  const char* end = p + text.size();
  while (true) {
    std::int64_t axis = 0;
    if (p != end && *p == '?') {
      axis = -1;
      ++p;
    } else {
      const auto [next, error] = std::from_chars(p, end, axis);
      if (error != std::errc() || axis < 0) break;
      p = next;
    }
    shape.push_back(axis);
    if (p == end) return shape;
    if (*p++ != 'x') break;
  }
  throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is no shape; write it like 1x3x224x224", text));
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), size_(element_count(shape_)) {
  constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector register
  if (static_cast<std::uint64_t>(size_) > std::numeric_limits<std::ptrdiff_t>::max() / size_of(dtype_)) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("a tensor of shape {} is too large", to_string(shape_)));
  }
  const std::size_t rounded = (bytes() + kAlignment - 1) / kAlignment * kAlignment;
  data_.reset(std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded));
  if (data_ == nullptr) {
    throw Error(ErrorCode::kOutOfMemory, fmt::format("no memory for a tensor of {} bytes", bytes()));
  }
}

void Tensor::Free::operator()(void* p) const noexcept { std::free(p); }

}  // namespace assay
