#pragma once
// What a model computes in. TensorRT's networks are strongly typed: every tensor has the type that the model gives it,
// and no flag of the builder's changes it. Pure.

#include <string>

#include "assay/backend_abi.h"

namespace assay::tensorrt {

/// Of a network's layers: how many answer each type, and how many quantize.
struct TypeCounts {
  int f32 = 0, f16 = 0, bf16 = 0;
  int quantizing = 0;
};

/// "int8" where the model quantizes, else the type of most of its tensors: "f32", "f16" or "bf16".
std::string precision_of(const TypeCounts& counts);

/// Throws Failure(ASSAY_UNSUPPORTED), with the reason, where a model of precision `model` does not compute in `asked`,
/// or the device (of compute capability `major`.x) cannot. f32 is "as the model is".
void check_precision(assay_precision asked, const std::string& model, int major);

}  // namespace assay::tensorrt
