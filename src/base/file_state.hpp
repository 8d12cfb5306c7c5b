#pragma once
// Whether a file is still what it was, without reading it.

#include <filesystem>
#include <optional>
#include <string>

namespace assay {

/// What changes when a file does: device, inode, size, and the times of its content and its status, on one line.
struct FileState {
  std::string text;
  /// False: written so lately that it may be written again without its times changing.
  bool settled = false;
};

/// Nothing where the file cannot be looked at; errno says why.
std::optional<FileState> file_state(const std::filesystem::path& path);

}  // namespace assay
