#pragma once
// A model in float16, for GPUs: what computes fast there is float16, and ONNX Runtime computes in the types of the
// file.

#include <filesystem>
#include <string>

namespace assay::ort {

/// Writes the model, which is in float32, into `folder` in float16; answers the file's path. Throws ASSAY_UNSUPPORTED,
/// naming it, for what is not known to mean the same in float16, ASSAY_INVALID_MODEL for a model that cannot be read.
std::string write_in_float16(const std::string& model_path, const std::filesystem::path& folder);

}  // namespace assay::ort
