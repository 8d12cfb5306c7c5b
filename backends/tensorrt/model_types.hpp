#pragma once
// What the parser does not tell of a model's types.

#include <string>

namespace assay::tensorrt {

/// Throws Failure(ASSAY_UNSUPPORTED) for an input or output in float64: the parser takes it as float32 and does not say
/// so. A file that cannot be read is the parser's to judge.
void check_model_types(const std::string& model_path);

}  // namespace assay::tensorrt
