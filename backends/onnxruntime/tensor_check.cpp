#include "tensor_check.hpp"

namespace assay::ort {
namespace {

bool contiguous(std::span<const std::int64_t> shape, const std::int64_t* strides) {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

}  // namespace

std::uint64_t element_size(assay_dtype dtype) {
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
    case ASSAY_INT64:
    case ASSAY_UINT64:
    case ASSAY_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

std::uint64_t byte_size(assay_dtype dtype, std::span<const std::int64_t> shape) {
  std::uint64_t size = element_size(dtype);
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size)) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "a tensor cannot have the shape " + shape_text(shape));
    }
  }
  return size;
}

std::string shape_text(std::span<const std::int64_t> shape, std::span<const std::string> axes) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    if (shape[i] >= 0) {
      text += std::to_string(shape[i]);
    } else {
      text += i < axes.size() && !axes[i].empty() ? axes[i] : "?";
    }
  }
  return text + "]";
}

void check_shape(const kit::TensorInfo& info, std::span<const std::int64_t> shape) {
  byte_size(info.dtype, shape);
  if (!info.rank_known) return;
  bool fits = shape.size() == info.shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) fits = info.shape[i] < 0 || info.shape[i] == shape[i];
  if (!fits) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "'" + info.name + "' was given the shape " + shape_text(shape) +
                                                   ", the model takes " + shape_text(info.shape, info.axes));
  }
}

void check_tensor(const kit::TensorInfo& info, const assay_tensor& tensor, std::span<const std::int64_t> shape) {
  if (tensor.dtype != info.dtype) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "'" + info.name + "' was passed with element type " +
                                                   std::to_string(tensor.dtype) + ", the model has " +
                                                   std::to_string(info.dtype) + " (ONNX's numbers)");
  }
  if (tensor.memory == ASSAY_DEVICE) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "'" + info.name + "' lies in device memory, the device is the CPU");
  }
  if (tensor.strides != nullptr && !contiguous(shape, tensor.strides)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "'" + info.name + "' is strided; ONNX Runtime takes contiguous tensors only");
  }
  const std::uint64_t needed = byte_size(info.dtype, shape);
  if (tensor.bytes < needed) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "'" + info.name + "' has " + std::to_string(tensor.bytes) +
                                                   " bytes, the shape " + shape_text(shape) + " needs " +
                                                   std::to_string(needed));
  }
}

}  // namespace assay::ort
