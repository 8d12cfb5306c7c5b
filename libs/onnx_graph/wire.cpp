#include "onnx_graph/wire.hpp"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cstring>

#include "assay/error.hpp"

namespace assay::onnx_graph {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

/// Bytes of a name that a message shows.
constexpr std::size_t kLongest = 80;

const std::uint8_t* raw(ByteSpan bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

}  // namespace

void Reading::fail(const std::string& message) const { throw Error(ErrorCode::kInvalidModel, message, path_); }

void Reading::charge(std::uint64_t bytes) {
  structure_bytes_ += bytes;
  if (structure_bytes_ > limits.structure_bytes) {
    fail(fmt::format("the graph without its weights needs more than {} MiB of memory: refused as hostile",
                     limits.structure_bytes >> 20U));
  }
}

void Reading::count_node() {
  if (++nodes_ > limits.nodes) fail(fmt::format("the graph has more than {} nodes: refused as hostile", limits.nodes));
  charge(sizeof(Node));
}

void Reading::count_initializer() {
  if (++initializers_ > limits.initializers) {
    fail(fmt::format("the graph has more than {} initializers: refused as hostile", limits.initializers));
  }
}

Fields::Fields(Reading& reading, ByteSpan bytes, const char* what)
    : reading_(reading), bytes_(bytes), what_(what), input_(raw(bytes), static_cast<int>(bytes.size())) {}

bool Fields::next() {
  if (!consumed_ && !skip()) malformed("cut off or malformed");
  if (static_cast<std::size_t>(input_.CurrentPosition()) == bytes_.size()) return false;
  tag_ = input_.ReadTag();
  if (tag_ == 0 || number() == 0) malformed("without a valid number");
  consumed_ = false;
  return true;
}

/// Over a field that nobody read. The format has no groups: one is a sign of another file.
bool Fields::skip() {
  std::uint64_t ignored = 0;
  std::uint32_t size = 0;
  switch (wire_type()) {
    case WireFormatLite::WIRETYPE_VARINT:
      return input_.ReadVarint64(&ignored);
    case WireFormatLite::WIRETYPE_FIXED32:
      return input_.ReadLittleEndian32(&size);
    case WireFormatLite::WIRETYPE_FIXED64:
      return input_.ReadLittleEndian64(&ignored);
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
      return input_.ReadVarint32(&size) && size <= bytes_.size() - static_cast<std::size_t>(input_.CurrentPosition()) &&
             input_.Skip(static_cast<int>(size));
    default:
      return false;
  }
}

std::uint64_t Fields::varint() {
  std::uint64_t value = 0;
  if (wire_type() != WireFormatLite::WIRETYPE_VARINT || !input_.ReadVarint64(&value)) malformed("not an integer");
  consumed_ = true;
  return value;
}

float Fields::fixed_float() {
  std::uint32_t bits = 0;
  if (wire_type() != WireFormatLite::WIRETYPE_FIXED32 || !input_.ReadLittleEndian32(&bits)) malformed("not a float");
  consumed_ = true;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

ByteSpan Fields::bytes() {
  std::uint32_t size = 0;
  if (wire_type() != WireFormatLite::WIRETYPE_LENGTH_DELIMITED || !input_.ReadVarint32(&size)) {
    malformed("not of the type that the format gives it");
  }
  const auto begin = static_cast<std::size_t>(input_.CurrentPosition());
  if (size > bytes_.size() - begin || !input_.Skip(static_cast<int>(size))) malformed("cut off");
  consumed_ = true;
  return bytes_.subspan(begin, size);
}

std::string Fields::name() {
  const ByteSpan found = bytes();
  if (found.size() > reading_.limits.name_bytes) {
    reading_.fail(fmt::format("a name in a {} has {} bytes, more than the {} allowed: refused as hostile", what_,
                              found.size(), reading_.limits.name_bytes));
  }
  const char* text = reinterpret_cast<const char*>(found.data());
  if (!google::protobuf::internal::IsStructurallyValidUTF8(text, static_cast<int>(found.size()))) {
    reading_.fail(fmt::format("a name in a {} is not UTF-8: the file is no {}, or damaged", what_, reading_.as.what));
  }
  reading_.charge(found.size() + sizeof(std::string));
  return {text, found.size()};
}

std::string Fields::text() {
  const ByteSpan found = bytes();
  reading_.charge(found.size() + sizeof(std::string));
  return {reinterpret_cast<const char*>(found.data()), found.size()};
}

ByteSpan Fields::number_payload() {
  if (wire_type() == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) return bytes();
  const auto begin = static_cast<std::size_t>(input_.CurrentPosition());
  std::uint64_t ignored = 0;
  std::uint32_t ignored32 = 0;
  bool ok = false;
  if (wire_type() == WireFormatLite::WIRETYPE_VARINT) ok = input_.ReadVarint64(&ignored);
  if (wire_type() == WireFormatLite::WIRETYPE_FIXED32) ok = input_.ReadLittleEndian32(&ignored32);
  if (wire_type() == WireFormatLite::WIRETYPE_FIXED64) ok = input_.ReadLittleEndian64(&ignored);
  if (!ok) malformed("not a number");
  consumed_ = true;
  return bytes_.subspan(begin, static_cast<std::size_t>(input_.CurrentPosition()) - begin);
}

void Fields::varints(const std::function<void(std::uint64_t)>& each) {
  if (wire_type() == WireFormatLite::WIRETYPE_VARINT) return each(varint());
  if (!for_each_varint(bytes(), each)) malformed("a malformed list of integers");
}

void Fields::floats(const std::function<void(float)>& each) {
  if (wire_type() == WireFormatLite::WIRETYPE_FIXED32) return each(fixed_float());
  const ByteSpan packed = bytes();
  if (packed.size() % sizeof(float) != 0) malformed("a malformed list of floats");
  for (std::size_t i = 0; i < packed.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, packed.data() + i, sizeof value);
    each(value);
  }
}

void Fields::malformed(const char* found) const {
  reading_.fail(fmt::format(
      "not a whole {}: field {} of a {} is {}, {} bytes into its {}. Is the file complete, and {}", reading_.as.what,
      number(), what_, found, input_.CurrentPosition(), bytes_.size(), reading_.as.doubt));
}

bool for_each_varint(ByteSpan payload, const std::function<void(std::uint64_t)>& each) {
  CodedInputStream input(raw(payload), static_cast<int>(payload.size()));
  while (static_cast<std::size_t>(input.CurrentPosition()) < payload.size()) {
    std::uint64_t value = 0;
    if (!input.ReadVarint64(&value)) return false;
    each(value);
  }
  return true;
}

std::string quote(std::string_view text) {
  std::size_t end = std::min(text.size(), kLongest);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
    --end;  // whole UTF-8
  std::string result = "\"";
  for (const char c : text.substr(0, end)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + (text.size() > kLongest ? "…\"" : "\"");
}

}  // namespace assay::onnx_graph
