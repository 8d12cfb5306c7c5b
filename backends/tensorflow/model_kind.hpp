#pragma once

#include <string>

namespace assay::tensorflow {

enum class ModelKind { kOnnx, kSavedModel, kGraphDef };

/// By what is there: a folder, a file named *.pb, else ONNX.
ModelKind kind_of(const std::string& path);

}  // namespace assay::tensorflow
