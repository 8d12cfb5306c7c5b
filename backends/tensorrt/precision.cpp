#include "precision.hpp"

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {
namespace {

constexpr int kAmpere = 8;  // the first with bf16

const char* precision_name(assay_precision precision) {
  switch (precision) {
    case ASSAY_PRECISION_BF16:
      return "bf16";
    case ASSAY_PRECISION_F16:
      return "f16";
    case ASSAY_PRECISION_INT8:
      return "int8";
    default:
      return "f32";
  }
}

}  // namespace

std::string precision_of(const TypeCounts& counts) {
  if (counts.quantizing > 0) return "int8";
  if (counts.f16 > counts.f32 && counts.f16 >= counts.bf16) return "f16";
  return counts.bf16 > counts.f32 ? "bf16" : "f32";
}

void check_precision(assay_precision asked, const std::string& model, int major) {
  const std::string wanted = precision_name(asked);
  if (asked != ASSAY_PRECISION_F32 && wanted != model) {
    const std::string how = asked == ASSAY_PRECISION_INT8
                                ? "quantize the model (QuantizeLinear and DequantizeLinear nodes)"
                                : "convert the model to " + wanted;
    throw kit::Failure(ASSAY_UNSUPPORTED, wanted +
                                              " was asked for, and TensorRT computes in the types that the model "
                                              "names (strongly typed networks, the only ones from TensorRT 11 "
                                              "on), here " +
                                              model + ": " + how + " and load that, or ask for f32");
  }
  if (model == "bf16" && major < kAmpere) {
    throw kit::Failure(ASSAY_UNSUPPORTED,
                       "the model is bf16, which needs a GPU of compute capability 8.0 or later, "
                       "and this one has " +
                           std::to_string(major) + ".x: use a model in f16 or f32");
  }
}

}  // namespace assay::tensorrt
