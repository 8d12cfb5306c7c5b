#pragma once
// Protobuf's wire format for the few messages that cross TensorFlow's C API as bytes: written and read by field number,
// so that none of its generated code is needed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::tensorflow {

/// Appends fields to a message.
class MessageWriter {
 public:
  /// Integers, booleans and enumerations; negative ones as protobuf has them (ten bytes).
  MessageWriter& integer(int field, std::int64_t value);
  MessageWriter& bytes(int field, std::string_view value);  ///< text, or a message
  MessageWriter& message(int field, const MessageWriter& value) { return bytes(field, value.data()); }
  [[nodiscard]] const std::string& data() const { return data_; }

 private:
  void varint(std::uint64_t value);
  std::string data_;
};

/// Walks over the fields of a message; ends at the first that is malformed.
class MessageReader {
 public:
  explicit MessageReader(std::string_view data) : rest_(data) {}
  /// False at the end.
  bool next();
  [[nodiscard]] int field() const { return field_; }
  [[nodiscard]] std::int64_t integer() const { return static_cast<std::int64_t>(number_); }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  /// True where the message ended where it should.
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  std::optional<std::uint64_t> varint();
  bool take(std::size_t count);

  std::string_view rest_, bytes_;
  int field_ = 0;
  std::uint64_t number_ = 0;
  bool whole_ = true;
};

}  // namespace assay::tensorflow
