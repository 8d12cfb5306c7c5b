#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "assay/export.hpp"

namespace assay {

/// Element types; the numbers are those of ONNX's TensorProto.DataType and of the plugin boundary.
enum class DType : std::int32_t {
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBFloat16 = 16,
};

/// Bytes of one element.
ASSAY_API std::size_t size_of(DType dtype);
/// "float32", "uint8" …
ASSAY_API const char* to_string(DType dtype);
/// The inverse of to_string; throws Error(kInvalidArgument).
ASSAY_API DType dtype_from_string(const std::string& name);

/// Axes in elements, outermost first. -1 stands for a free axis where a shape describes a model.
using Shape = std::vector<std::int64_t>;

/// Product of the axes (1 for a scalar). Throws Error(kInvalidArgument) on a negative axis or overflow of 63 bits.
ASSAY_API std::int64_t element_count(const Shape& shape);
/// "1x3x224x224"; a free axis is "?"; a scalar is "scalar".
ASSAY_API std::string to_string(const Shape& shape);
/// "1x3x224x224" → {1,3,224,224}; throws Error(kInvalidArgument).
ASSAY_API Shape shape_from_string(const std::string& text);

/// Memory of somebody else's, read only. Must outlive its use.
struct TensorView {
  const void* data = nullptr;
  DType dtype = DType::kFloat32;
  Shape shape;
  Shape strides;  ///< in elements; empty: contiguous, last axis fastest
};

/// The same, to be written.
struct MutableTensorView {
  void* data = nullptr;
  DType dtype = DType::kFloat32;
  Shape shape;
  Shape strides;  ///< in elements; empty: contiguous, last axis fastest
};

/// Owns contiguous memory, aligned to 64 bytes, not initialised.
class ASSAY_API Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape);

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }  ///< elements
  [[nodiscard]] std::size_t bytes() const noexcept { return static_cast<std::size_t>(size_) * size_of(dtype_); }
  [[nodiscard]] void* data() noexcept { return data_.get(); }
  [[nodiscard]] const void* data() const noexcept { return data_.get(); }
  /// Typed access; the caller answers for T being the element type.
  template <class T>
  [[nodiscard]] T* as() noexcept {
    return static_cast<T*>(data());
  }
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return static_cast<const T*>(data());
  }
  [[nodiscard]] TensorView view() const { return {data_.get(), dtype_, shape_, {}}; }
  [[nodiscard]] MutableTensorView mutable_view() { return {data_.get(), dtype_, shape_, {}}; }

 private:
  struct Free {
    void operator()(void* p) const noexcept;
  };
  DType dtype_ = DType::kFloat32;
  Shape shape_;
  std::int64_t size_ = 0;
  std::unique_ptr<void, Free> data_;
};

}  // namespace assay
