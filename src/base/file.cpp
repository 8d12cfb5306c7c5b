#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "assay/error.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A descriptor closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  /// Closes now; false where that failed (a full disk may show only here).
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

[[noreturn]] void fail(const char* what, const fs::path& path, int error) {
  throw Error(ErrorCode::kIo, fmt::format("cannot {}: {}", what, std::strerror(error)), path.string());
}

std::uint64_t size_of_regular_file(int fd, const fs::path& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) fail("read", path, errno);
  if (S_ISDIR(info.st_mode)) throw Error(ErrorCode::kIo, "cannot read: it is a folder", path.string());
  return static_cast<std::uint64_t>(info.st_size);
}

void write_all(int fd, std::span<const std::byte> bytes, const fs::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      if (error == ENOSPC || error == EDQUOT) {
        throw Error(
            ErrorCode::kIo,
            fmt::format("cannot write: the disk is full ({} bytes were to be written); free some space", bytes.size()),
            path.string());
      }
      fail("write", path, error);
    }
    done += static_cast<std::size_t>(n);
  }
}

fs::path folder_from(const char* override_name, const char* xdg_name, const char* below_home) {
  if (const char* value = std::getenv(override_name); value != nullptr && *value != '\0') return value;
  if (const char* value = std::getenv(xdg_name); value != nullptr && *value == '/') return fs::path(value) / "assay";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr && *home != '\0' ? home : "/tmp") / below_home / "assay";
}

}  // namespace

std::string read_file(const fs::path& path, std::uint64_t limit) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("open", path, errno);
  const std::uint64_t size = size_of_regular_file(fd.get(), path);
  std::string content;
  content.reserve(static_cast<std::size_t>(std::min(size, limit)));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path, errno);
    if (n == 0) return content;
    if (content.size() + static_cast<std::size_t>(n) > limit) {
      throw Error(ErrorCode::kIo, fmt::format("is larger than the {} bytes allowed here", limit), path.string());
    }
    content.append(buffer, static_cast<std::size_t>(n));
  }
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  std::string name = path.string() + ".XXXXXX";
  Descriptor fd(::mkostemp(name.data(), O_CLOEXEC));
  if (fd.get() < 0) fail("write", path, errno);
  try {
    write_all(fd.get(), bytes, path);
    ::fchmod(fd.get(), 0644);
    if (::fsync(fd.get()) != 0 || !fd.close()) fail("write", path, errno);
    if (::rename(name.c_str(), path.c_str()) != 0) fail("replace", path, errno);
  } catch (...) {
    ::unlink(name.c_str());
    throw;
  }
}

void write_file_atomically(const fs::path& path, const std::string& text) {
  write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())));
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("open", path, errno);
  size_ = static_cast<std::size_t>(size_of_regular_file(fd.get(), path));
  if (size_ == 0) return;
  void* p = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (p == MAP_FAILED) fail("map", path, errno);
  data_ = static_cast<const std::byte*>(p);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

TemporaryFolder::TemporaryFolder(const fs::path& parent) {
  std::string name = ((parent.empty() ? fs::temp_directory_path() : parent) / "assay-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail("make a temporary folder", name, errno);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

fs::path user_cache_folder() { return folder_from("ASSAY_CACHE", "XDG_CACHE_HOME", ".cache"); }
fs::path user_data_folder() { return folder_from("ASSAY_DATA", "XDG_DATA_HOME", ".local/share"); }

fs::path executable_path() {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  if (error) throw Error(ErrorCode::kIo, "cannot find the running program: " + error.message(), "/proc/self/exe");
  return path;
}

std::vector<std::string> read_lines(const std::filesystem::path& path, std::uint64_t most_bytes,
                                    const std::string& no_text) {
  const std::string text = read_file(path, most_bytes);
  if (text.find('\0') != std::string::npos) throw Error(ErrorCode::kInvalidArgument, no_text, path.string());
  std::vector<std::string> lines;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::istringstream in(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace assay
