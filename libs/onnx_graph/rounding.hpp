#pragma once
// A model whose weights are rounded as a narrower type would round them: how far that moves its answers tells how it is
// conditioned.

#include <filesystem>
#include <string>

namespace assay::onnx_graph {

/// `value` with `bits` bits of significand (24: as it is), ties to even. The range stays a float's: what is finite
/// stays finite, infinities and NaN are as they are.
float rounded(float value, int bits);

/// The bytes of the model's file with every float32 constant (initializers, tensors in attributes, subgraphs' too)
/// rounded to `bits`, 1 to 24. Throws what `read` throws, and Error(kUnsupported) where constants lie in files beside
/// the model.
std::string with_rounded_weights(const std::filesystem::path& model, int bits);

}  // namespace assay::onnx_graph
