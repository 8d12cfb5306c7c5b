#pragma once
// What can be said about a tensor before the library sees it. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::ort {

/// Bytes of one element; 0 for a type that is not passed.
std::uint64_t element_size(assay_dtype dtype);
/// Bytes of a tensor. Throws ASSAY_INVALID_ARGUMENT on overflow or a negative axis.
std::uint64_t byte_size(assay_dtype dtype, std::span<const std::int64_t> shape);

/// "[1, 3, 224, 224]"; a free axis by its name, or "?".
std::string shape_text(std::span<const std::int64_t> shape, std::span<const std::string> axes = {});

/// Throws ASSAY_INVALID_ARGUMENT where `shape` is not one that `info` allows.
void check_shape(const kit::TensorInfo& info, std::span<const std::int64_t> shape);

/// Throws where `tensor` cannot be used in place as `info` with `shape`: dtype, size, memory kind, strides.
void check_tensor(const kit::TensorInfo& info, const assay_tensor& tensor, std::span<const std::int64_t> shape);

}  // namespace assay::ort
