#pragma once
// Protobuf's wire format, as far as a few fields of an ONNX file need it; everything else is skipped, unread. Never
// reads out of bounds.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>

namespace assay::ort::wire {

using Bytes = std::span<const std::uint8_t>;

// Field numbers of onnx.proto, by message.
constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphNode = 1, kGraphInitializer = 5, kGraphInput = 11;
constexpr std::uint32_t kOpType = 4;
constexpr std::uint32_t kDims = 1, kDataType = 2;        // of an initializer
constexpr std::uint32_t kValueName = 1, kValueType = 2;  // of an input
constexpr std::uint32_t kTypeTensor = 1, kElementType = 1, kTensorShape = 2, kShapeDim = 1, kDimParam = 2;

inline bool take_varint(Bytes& in, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const std::uint8_t byte = in.front();
    in = in.subspan(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Calls message(field, payload) for each length-delimited field and number(field, value) for each varint; stops at
/// bytes that make no sense.
template <class Message, class Number>
void each_field(Bytes in, Message message, Number number) {
  std::uint64_t tag = 0;
  std::uint64_t value = 0;
  while (!in.empty() && take_varint(in, tag)) {
    std::uint64_t skip = 0;
    switch (tag & 7) {
      case 0:
        if (!take_varint(in, value)) return;
        number(static_cast<std::uint32_t>(tag >> 3), value);
        break;
      case 1:
        skip = 8;
        break;
      case 5:
        skip = 4;
        break;
      case 2:
        if (!take_varint(in, skip) || skip > in.size()) return;
        message(static_cast<std::uint32_t>(tag >> 3), in.first(skip));
        break;
      default:
        return;
    }
    if (skip > in.size()) return;
    in = in.subspan(skip);
  }
}

/// The length-delimited fields alone.
template <class Message>
void each_message(Bytes in, Message message) {
  each_field(in, message, [](std::uint32_t, std::uint64_t) {});
}

/// A file mapped for reading; empty where that is not possible.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status{};
    if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    ::close(file);
  }
  ~MappedFile() {
    if (data_ != MAP_FAILED) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] Bytes bytes() const {
    return data_ == MAP_FAILED ? Bytes() : Bytes(static_cast<const std::uint8_t*>(data_), size_);
  }

 private:
  void* data_ = MAP_FAILED;
  std::size_t size_ = 0;
};

}  // namespace assay::ort::wire
