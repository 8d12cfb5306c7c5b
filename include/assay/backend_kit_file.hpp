#pragma once
// A file's bytes, read-only, without copying them: for plugins that keep graphs in files. Not part of backend_kit.hpp.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "assay/backend_kit.hpp"

namespace assay::kit {

class MappedFile {
 public:
  /// Throws Failure(ASSAY_INVALID_MODEL) when the file cannot be read.
  explicit MappedFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (fd < 0 || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
      const std::string why = fd < 0 ? std::strerror(errno) : "not a regular file";
      if (fd >= 0) ::close(fd);
      throw Failure(ASSAY_INVALID_MODEL, "cannot read " + path + ": " + why);
    }
    size_ = static_cast<std::size_t>(status.st_size);
    data_ = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    const int error = errno;
    ::close(fd);
    if (data_ == MAP_FAILED) {
      throw Failure(ASSAY_INVALID_MODEL, "cannot map " + path + ": " + std::strerror(error));
    }
  }
  ~MappedFile() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  [[nodiscard]] const char* text() const { return static_cast<const char*>(data_); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace assay::kit
