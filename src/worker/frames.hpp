#pragma once
// Frames on a byte stream: four bytes of length, least significant first, then as many bytes of JSON.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace assay::worker {

inline constexpr std::uint32_t kFrameLimit = 256U << 20;

/// Takes bytes as they come and gives whole frames. After an error it stays broken: the stream has lost its step.
class FrameDecoder {
 public:
  explicit FrameDecoder(std::uint32_t limit = kFrameLimit) : limit_(limit) {}
  void feed(std::span<const std::byte> bytes);
  void feed(const char* data, std::size_t size);
  /// The next whole frame's payload. Throws Error(kInvalidArgument) where a length is 0 or over the limit.
  std::optional<std::string> next();
  /// Bytes of a frame that has begun and not ended.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - begin_; }

 private:
  std::uint32_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;
};

/// Throws Error(kInvalidArgument) where the payload is empty or over the limit.
std::string encode_frame(const std::string& payload);

/// Writes all of it to a blocking socket. False where the other side is gone.
bool write_frame(int fd, const std::string& payload);
/// Reads until a whole frame is there; nothing at the end of the stream. Throws Error(kIo | kInvalidArgument).
std::optional<std::string> read_frame(int fd, FrameDecoder& decoder);

}  // namespace assay::worker
