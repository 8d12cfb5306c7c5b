#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace assay {

/// The whole file. Throws Error(kIo) naming the path and the reason; files over `limit` bytes are refused.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit = UINT64_C(1) << 40);

/// Writes to a temporary name beside `path`, syncs, renames: readers see the old file or the new one, whole.
/// Throws Error(kIo), saying how much room was needed where the disk is full.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, const std::string& text);

/// A file mapped read-only; its pages are shared and cost no copy. Throws Error(kIo).
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A new folder below `parent` (default: the system's temporary folder), removed with all that is in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Keeps it: the caller has renamed it, or wants it.
  void release() noexcept { path_.clear(); }

 private:
  std::filesystem::path path_;
};

/// $XDG_CACHE_HOME/assay or ~/.cache/assay; $ASSAY_CACHE overrides. Not created here.
std::filesystem::path user_cache_folder();
/// $XDG_DATA_HOME/assay or ~/.local/share/assay; $ASSAY_DATA overrides. Not created here.
std::filesystem::path user_data_folder();
/// The running program's own file.
std::filesystem::path executable_path();

/// The lines of a text, without their ends ("\n" or "\r\n") and a byte order mark at its beginning. Throws as
/// read_file; Error(kInvalidArgument) with `no_text` for a file that is none (it has a NUL).
std::vector<std::string> read_lines(const std::filesystem::path& path, std::uint64_t most_bytes,
                                    const std::string& no_text);

}  // namespace assay
