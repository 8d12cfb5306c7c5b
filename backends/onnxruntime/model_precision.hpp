#pragma once
// What ONNX Runtime computes in: on a CPU it keeps to the types that the model names, and does not tell them.

#include <cstdint>
#include <span>
#include <string>

namespace assay::ort {

/// "int8" where the graph is quantized, else the type of most of its floating weights (of its inputs, where it has
/// none): "f32", "f16", "bf16" or "f64". "f32" where the model cannot be read, which then will not load either.
std::string parse_precision(std::span<const std::uint8_t> model);
std::string read_precision(const std::string& model_path);

}  // namespace assay::ort
