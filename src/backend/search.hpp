#pragma once
// Where a framework's own library is looked for. The host knows where to look; a plugin knows what to look for.

#include <filesystem>
#include <string>
#include <vector>

namespace assay::backend {

struct SearchRoot {
  std::string folder;
  std::string origin;  ///< "ASSAY_ONNXRUNTIME_PATH", "python environment", "user data", "build tree", "system" …
};

struct Search {
  std::string library;  ///< explicit; given, nothing else is looked at
  std::vector<SearchRoot> roots;
};

/// The order of looking for `backend`'s framework. `library` (a file, or a folder to look in) or ASSAY_<BACKEND>_PATH
/// (the same, or several folders with ':' between) is all that is looked at where it is given: a measurement must never
/// be of another framework than the one that was named. Else the active Python environment (VIRTUAL_ENV, CONDA_PREFIX),
/// what `assay setup` installed, the build tree's .deps (its own binaries only), LD_LIBRARY_PATH, the system's folders.
/// What was set up as <backend>-gpu goes before <backend>: the same framework, for GPUs too.
Search framework_search(const std::string& backend, const std::filesystem::path& library);

/// Where `assay setup <backend>` installs, laid out as site-packages is.
std::filesystem::path framework_folder(const std::string& backend);

/// "ASSAY_ONNXRUNTIME_PATH".
std::string framework_variable(const std::string& backend);

}  // namespace assay::backend
