#include "worker/frames.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "assay/error.hpp"

namespace assay::worker {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kCompactAt = std::size_t{1} << 20;

}  // namespace

void FrameDecoder::feed(std::span<const std::byte> bytes) {
  feed(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void FrameDecoder::feed(const char* data, std::size_t size) {
  if (begin_ == buffer_.size() || begin_ > kCompactAt) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(data, size);
}

std::optional<std::string> FrameDecoder::next() {
  if (pending() < kHeader) return std::nullopt;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kHeader; ++i) {
    length |= static_cast<std::uint32_t>(static_cast<unsigned char>(buffer_[begin_ + i])) << (8 * i);
  }
  if (length == 0 || length > limit_) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a frame of {} bytes was announced; 1 to {} are allowed: what came is not of Assay", length,
                            limit_));
  }
  if (pending() < kHeader + length) return std::nullopt;
  std::string payload = buffer_.substr(begin_ + kHeader, length);
  begin_ += kHeader + length;
  return payload;
}

std::string encode_frame(const std::string& payload) {
  if (payload.empty() || payload.size() > kFrameLimit) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a frame may hold 1 to {} bytes, this one has {}", kFrameLimit, payload.size()));
  }
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::string frame(kHeader, '\0');
  for (std::size_t i = 0; i < kHeader; ++i) frame[i] = static_cast<char>((length >> (8 * i)) & 0xFFU);
  return frame + payload;
}

bool write_frame(int fd, const std::string& payload) {
  const std::string frame = encode_frame(payload);
  std::size_t written = 0;
  while (written < frame.size()) {
    const ssize_t n = ::send(fd, frame.data() + written, frame.size() - written, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    written += static_cast<std::size_t>(n);
  }
  return true;
}

std::optional<std::string> read_frame(int fd, FrameDecoder& decoder) {
  std::array<char, 65536> chunk;
  for (;;) {
    if (auto payload = decoder.next()) return payload;
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(ErrorCode::kIo, std::string("cannot read a frame: ") + std::strerror(errno));
    if (n == 0) return std::nullopt;
    decoder.feed(chunk.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace assay::worker
