#pragma once
// Protobuf's wire format, field by field, by protobuf's own decoder: so that weights are never copied, and that limits
// hold before memory is taken rather than after.

#include <google/protobuf/io/coded_stream.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "onnx_graph/graph.hpp"

namespace assay::onnx_graph {

using ByteSpan = std::span<const std::byte>;

/// What a file is read as, for messages about one that is not.
struct ReadAs {
  std::string what = "ONNX model";
  std::string doubt = "is it ONNX?";  ///< after "Is the file complete, and "
};

/// What goes along with the reading of one file: where it lies, its limits, and what of them is used up.
class Reading {
 public:
  Reading(std::string path, const Limits& given, ReadAs read_as = {})
      : limits(given), as(std::move(read_as)), path_(std::move(path)) {}
  [[noreturn]] void fail(const std::string& message) const;  ///< Error(kInvalidModel)
  /// Counts memory that is about to be taken; fails over the limit.
  void charge(std::uint64_t bytes);
  void count_node();
  void count_initializer();

  const Limits limits;
  const ReadAs as;
  bool sparse_seen = false;  ///< a sparse initializer, in whatever graph

 private:
  std::string path_;
  std::uint64_t structure_bytes_ = 0, nodes_ = 0, initializers_ = 0;
};

/// Iterates over the fields of one message. A field that is not read is skipped.
class Fields {
 public:
  /// `what` is the message's name, for errors.
  Fields(Reading& reading, ByteSpan bytes, const char* what);
  bool next();
  [[nodiscard]] int number() const noexcept { return static_cast<int>(tag_ >> 3U); }

  std::uint64_t varint();
  std::int64_t int64() { return static_cast<std::int64_t>(varint()); }
  float fixed_float();
  ByteSpan bytes();
  /// A string of at most the limit for names; its memory is charged.
  std::string name();
  /// A string of any length, charged.
  std::string text();
  /// A repeated number, packed or one at a time: `each` is called with what decodes one. For a span of the payload see
  /// number_payload.
  void varints(const std::function<void(std::uint64_t)>& each);
  void floats(const std::function<void(float)>& each);
  /// The payload of a repeated number, whether packed or a single element.
  ByteSpan number_payload();

 private:
  [[noreturn]] void malformed(const char* found) const;
  bool skip();
  [[nodiscard]] std::uint32_t wire_type() const noexcept { return tag_ & 7U; }

  Reading& reading_;
  ByteSpan bytes_;
  const char* what_;
  google::protobuf::io::CodedInputStream input_;
  std::uint32_t tag_ = 0;
  bool consumed_ = true;
};

/// Decodes a run of varints; false where it is malformed.
bool for_each_varint(ByteSpan payload, const std::function<void(std::uint64_t)>& each);

/// A name as it may stand in a message: quoted, control characters escaped, cut when long.
std::string quote(std::string_view text);

}  // namespace assay::onnx_graph
