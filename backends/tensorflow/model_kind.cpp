#include "model_kind.hpp"

#include <filesystem>

namespace assay::tensorflow {

ModelKind kind_of(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return ModelKind::kSavedModel;
  return path.ends_with(".pb") ? ModelKind::kGraphDef : ModelKind::kOnnx;
}

}  // namespace assay::tensorflow
