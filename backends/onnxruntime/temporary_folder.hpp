#pragma once
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "assay/backend_kit.hpp"

namespace assay::ort {

/// A folder of its own in the system's temporary folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "assay-onnxruntime-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw kit::Failure(ASSAY_FRAMEWORK, "cannot make a temporary folder " + name + ": set TMPDIR to a writable one");
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace assay::ort
