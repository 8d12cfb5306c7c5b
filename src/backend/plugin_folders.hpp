#pragma once
// Folders of ours: plugins, and the build tree's frameworks.

#include <filesystem>
#include <string>
#include <vector>

namespace assay::backend {

/// "a:b" → {a, b}; empty ones are left out.
std::vector<std::filesystem::path> split_folders(const std::string& text);

/// Where plugins belonging to a binary in `folder` would lie: the build tree and an installation are laid out alike.
std::vector<std::filesystem::path> plugin_folders_near(const std::filesystem::path& folder);

/// The `.deps/python` of the build tree that this program or library lies in; empty when it is an installed one.
std::filesystem::path build_tree_frameworks();

}  // namespace assay::backend
