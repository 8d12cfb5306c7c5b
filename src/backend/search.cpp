#include "backend/search.hpp"

#include <glob.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "backend/plugin_folders.hpp"
#include "base/file.hpp"

namespace assay::backend {
namespace {

namespace fs = std::filesystem;

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> result;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    result.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return result;
}

void add_python(const std::string& variable, std::vector<SearchRoot>& roots) {
  const std::string prefix = environment(variable);
  if (prefix.empty()) return;
  std::vector<std::string> found = matches(prefix + "/lib/python3*/site-packages");
  // The newest Python first: 3.11 before 3.9.
  std::sort(found.begin(), found.end(),
            [](const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) > 0; });
  for (const std::string& folder : found) roots.push_back({folder, "python environment"});
  if (variable == "CONDA_PREFIX") roots.push_back({prefix + "/lib", "python environment"});
}

// The folders of /etc/ld.so.conf, with its includes: what dlopen would look through, but with a path to record.
void add_loader_folders(const std::string& file, int depth, std::vector<SearchRoot>& roots) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word)) continue;
    if (word == "include") {
      while (depth < 4 && words >> word) {
        for (const std::string& included : matches(word)) add_loader_folders(included, depth + 1, roots);
      }
    } else if (word.front() == '/') {
      roots.push_back({word, "system"});
    }
  }
}

void add_system(std::vector<SearchRoot>& roots) {
  for (const fs::path& folder : split_folders(environment("LD_LIBRARY_PATH"))) {
    roots.push_back({folder.string(), "LD_LIBRARY_PATH"});
  }
  for (const char* folder : {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu"}) roots.push_back({folder, "system"});
  add_loader_folders("/etc/ld.so.conf", 0, roots);
  for (const char* folder : {"/usr/lib64", "/usr/lib"}) roots.push_back({folder, "system"});
}

// A root that is not there, or was named before, only costs time.
void keep_useful(std::vector<SearchRoot>& roots) {
  std::vector<SearchRoot> kept;
  for (SearchRoot& root : roots) {
    std::error_code none;
    const bool known =
        std::any_of(kept.begin(), kept.end(), [&](const SearchRoot& k) { return k.folder == root.folder; });
    if (!known && fs::is_directory(root.folder, none)) kept.push_back(std::move(root));
  }
  roots = std::move(kept);
}

// A file is the library itself; folders are roots, there or not, so that a plugin's message can name them.
Search explicit_search(const std::vector<fs::path>& paths, const std::string& origin) {
  Search search;
  std::error_code none;
  if (paths.size() == 1 && !fs::is_directory(paths[0], none) &&
      (fs::exists(paths[0], none) || paths[0].filename().string().find(".so") != std::string::npos)) {
    search.library = paths[0].string();
    return search;
  }
  for (const fs::path& folder : paths) search.roots.push_back({folder.string(), origin});
  return search;
}

}  // namespace

std::string framework_variable(const std::string& backend) {
  std::string name = backend;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  return "ASSAY_" + name + "_PATH";
}

fs::path framework_folder(const std::string& backend) { return user_data_folder() / "frameworks" / backend; }

Search framework_search(const std::string& backend, const fs::path& library) {
  if (!library.empty()) return explicit_search({library}, "explicit path");
  const std::string variable = framework_variable(backend);
  const std::vector<fs::path> named = split_folders(environment(variable));
  if (!named.empty()) return explicit_search(named, variable);
  Search search;
  add_python("VIRTUAL_ENV", search.roots);
  add_python("CONDA_PREFIX", search.roots);
  const std::string for_gpus = backend + "-gpu";
  const fs::path deps = build_tree_frameworks();
  search.roots.push_back({framework_folder(for_gpus).string(), "user data"});
  if (!deps.empty()) search.roots.push_back({(deps.parent_path() / for_gpus).string(), "build tree"});
  search.roots.push_back({framework_folder(backend).string(), "user data"});
  if (!deps.empty()) search.roots.push_back({deps.string(), "build tree"});
  add_system(search.roots);
  keep_useful(search.roots);
  return search;
}

}  // namespace assay::backend
