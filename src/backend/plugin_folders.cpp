#include "backend/plugin_folders.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

#include "backend/backend.hpp"
#include "base/add_once.hpp"
#include "base/file.hpp"

namespace assay::backend {
namespace {

namespace fs = std::filesystem;

// Written by CMake beside the build tree's plugins, never installed; holds the path of .deps/python.
constexpr const char* kBuildTreeMark = ".build_tree";

// The file that this code is in: the program, or libassay.so inside somebody's program.
fs::path own_binary() {
  static const char anchor = 0;
  Dl_info info{};
  if (::dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code none;
  const fs::path canonical = fs::canonical(info.dli_fname, none);
  return none ? fs::path(info.dli_fname) : canonical;
}

void add_new(std::vector<fs::path>& folders, const fs::path& folder) {
  std::error_code none;
  const fs::path canonical = fs::canonical(folder, none);
  if (none || !fs::is_directory(canonical, none)) return;
  add_once(folders, canonical);
}

std::vector<fs::path> own_plugin_folders() {
  std::vector<fs::path> folders;
  for (const fs::path& binary : {own_binary(), executable_path()}) {
    if (binary.empty()) continue;
    for (const fs::path& folder : plugin_folders_near(binary.parent_path())) add_new(folders, folder);
  }
  return folders;
}

}  // namespace

std::vector<fs::path> split_folders(const std::string& text) {
  std::vector<fs::path> folders;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) folders.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

std::vector<fs::path> plugin_folders_near(const fs::path& folder) {
  return {
      folder / "assay",                                // lib/libassay.so
      folder / ".." / "lib" / "assay",                 // bin/assay
      folder / ".." / ".." / "lib" / "assay",          // libexec/assay/assay-worker
      folder / ".." / ASSAY_INSTALL_LIBDIR / "assay",  // where lib is lib/x86_64-linux-gnu or lib64
      folder / ".." / ".." / ASSAY_INSTALL_LIBDIR / "assay",
  };
}

fs::path build_tree_frameworks() {
  for (const fs::path& folder : own_plugin_folders()) {
    std::error_code none;
    if (!fs::is_regular_file(folder / kBuildTreeMark, none)) continue;
    std::string text = read_file(folder / kBuildTreeMark, 4096);
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
  }
  return {};
}

std::vector<fs::path> plugin_folders() {
  std::vector<fs::path> folders;
  const char* more = std::getenv("ASSAY_BACKEND_PATH");
  for (const fs::path& folder : split_folders(more == nullptr ? "" : more)) add_new(folders, folder);
  for (const fs::path& folder : own_plugin_folders()) add_new(folders, folder);
  return folders;
}

}  // namespace assay::backend
