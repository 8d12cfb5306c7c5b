#pragma once
// Sizes of tensors, and checks of what the host hands over: part of backend_kit.hpp, which includes it.

#include "assay/backend_kit.hpp"

namespace assay::kit {

/// Bytes of one element; 0 for a type that this header does not know.
inline std::size_t element_bytes(assay_dtype dtype) {
  switch (dtype) {
    case ASSAY_UINT8:
    case ASSAY_INT8:
    case ASSAY_BOOL:
      return 1;
    case ASSAY_UINT16:
    case ASSAY_INT16:
    case ASSAY_FLOAT16:
    case ASSAY_BFLOAT16:
      return 2;
    case ASSAY_FLOAT32:
    case ASSAY_INT32:
    case ASSAY_UINT32:
      return 4;
    case ASSAY_FLOAT64:
    case ASSAY_INT64:
    case ASSAY_UINT64:
      return 8;
    default:
      return 0;
  }
}

/// Product of the axes. Throws Failure on a negative one, and on a product of over 2^48: no memory has so many.
inline std::int64_t element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t axis : shape) {
    if (axis < 0) throw Failure(ASSAY_INVALID_ARGUMENT, "a shape has an axis that is not fixed");
    if (axis > (INT64_C(1) << 48) || __builtin_mul_overflow(count, axis, &count) || count > (INT64_C(1) << 48)) {
      throw Failure(ASSAY_INVALID_ARGUMENT, "a shape has too many elements for any memory");
    }
  }
  return count;
}

/// "1x3x224x224"; a free axis is "?".
inline std::string to_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t axis : shape) text += (text.empty() ? "" : "x") + (axis < 0 ? "?" : std::to_string(axis));
  return shape.empty() ? "scalar" : text;
}

/// Throws Failure(ASSAY_INVALID_ARGUMENT), naming the input, unless `shape` is a case of `info`'s (whose -1 are free).
inline void check_shape(const TensorInfo& info, std::span<const std::int64_t> shape, bool may_be_free = false) {
  bool fits = shape.size() == info.shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    fits = (info.shape[i] < 0 || info.shape[i] == shape[i] || (may_be_free && shape[i] < 0)) &&
           (may_be_free || shape[i] >= 0);
  }
  if (!fits) {
    throw Failure(ASSAY_INVALID_ARGUMENT,
                  "the shape " + to_text(shape) + " does not fit '" + info.name + "', which is " + to_text(info.shape));
  }
}

/// Throws Failure unless `tensor` is contiguous host memory of `info`'s type and exactly `shape`. Allocates only to
/// fail.
inline void check_tensor(const TensorInfo& info, std::span<const std::int64_t> shape, const assay_tensor& tensor) {
  const std::span given(tensor.shape, static_cast<std::size_t>(tensor.rank));
  if (!std::equal(given.begin(), given.end(), shape.begin(), shape.end())) {
    throw Failure(ASSAY_INVALID_ARGUMENT,
                  "'" + info.name + "' was given as " + to_text(given) + "; the slot was opened for " + to_text(shape));
  }
  if (tensor.dtype != info.dtype) {
    throw Failure(ASSAY_INVALID_ARGUMENT, "'" + info.name + "' was given with element type " +
                                              std::to_string(tensor.dtype) + ", it has " + std::to_string(info.dtype) +
                                              " (numbers of ONNX)");
  }
  if (tensor.strides != nullptr)
    throw Failure(ASSAY_UNSUPPORTED, "'" + info.name + "' was given with strides; contiguous memory is needed");
  const std::uint64_t needed = static_cast<std::uint64_t>(element_count(shape)) * element_bytes(info.dtype);
  if (tensor.bytes < needed || (tensor.data == nullptr && needed > 0)) {
    throw Failure(ASSAY_INVALID_ARGUMENT, "'" + info.name + "' needs " + std::to_string(needed) + " bytes, " +
                                              std::to_string(tensor.data == nullptr ? 0 : tensor.bytes) +
                                              " were given");
  }
}

/// Of each output, which input it is by its name: frameworks pass over an output that is an input as it came, and leave
/// memory that was bound for it as it was. npos: it is none.
inline std::vector<std::size_t> inputs_passed_through(std::span<const TensorInfo> inputs,
                                                      std::span<const TensorInfo> outputs) {
  std::vector<std::size_t> result(outputs.size(), static_cast<std::size_t>(-1));
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].name == outputs[o].name) result[o] = i;
    }
  }
  return result;
}

/// Such an output: a copy where the caller gave memory, else the input's own memory.
inline void pass_through(const assay_tensor& input, assay_tensor& output) {
  void* given = output.data;
  output = input;
  output.memory = ASSAY_HOST;
  if (given == nullptr) return;
  if (input.bytes > 0) std::memcpy(given, input.data, input.bytes);
  output.data = given;
}

}  // namespace assay::kit
