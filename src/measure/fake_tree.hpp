#pragma once

#include <fstream>
#include <string>

#include "base/file.hpp"

namespace assay::measure {

/// A root folder with files that a test puts there.
class FakeTree {
 public:
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  [[nodiscard]] const std::filesystem::path& root() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace assay::measure
