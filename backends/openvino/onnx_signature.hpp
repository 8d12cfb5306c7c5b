#pragma once
// What OpenVINO's C API does not tell of an ONNX file: the names of inputs and outputs in the file's order, the names
// of free axes, and whether the graph is quantized. Reads the few fields it needs straight from the wire format and
// skips the weights without touching them; hostile files give a Failure, never a read out of bounds.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::openvino {

struct OnnxSignature {
  std::vector<kit::TensorInfo> inputs;  ///< without those that have an initializer
  std::vector<kit::TensorInfo> outputs;
  bool quantized = false;  ///< holds QuantizeLinear or DequantizeLinear
};

/// Throws Failure(ASSAY_INVALID_MODEL); `where` is the file's name for the message.
OnnxSignature read_signature(std::span<const std::byte> file, const std::string& where);
OnnxSignature read_signature(const std::string& path);

}  // namespace assay::openvino
