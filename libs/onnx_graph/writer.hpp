#pragma once
// Protobuf's wire format the other way: messages field by field, weights by reference, so that they are copied once.
// Protobuf's own encoder is not in libassay (decoder_alone.cpp).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::onnx_graph {

/// Appends fields to a message.
class MessageWriter {
 public:
  /// Integers and enumerations; negative ones as protobuf has them (ten bytes).
  MessageWriter& integer(int field, std::int64_t value);
  MessageWriter& text(int field, std::string_view value);
  /// Large ones are not copied: they must stay until `bytes` was called, of this or of the message around it.
  MessageWriter& view(int field, std::span<const std::byte> value);
  MessageWriter& message(int field, const MessageWriter& value);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// The message as one piece.
  [[nodiscard]] std::string bytes() const;

 private:
  /// Bytes of its own, and after them some of somebody else's.
  struct Piece {
    std::string own;
    std::span<const std::byte> view;
  };
  void varint(std::uint64_t value);
  void begin_bytes(int field, std::uint64_t count);
  void append(std::string_view own);
  void append_view(std::span<const std::byte> view);

  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace assay::onnx_graph
