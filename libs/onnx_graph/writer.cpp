#include "onnx_graph/writer.hpp"

namespace assay::onnx_graph {
namespace {

enum WireType : unsigned { kVarintType = 0, kBytesType = 2 };
/// Smaller views are cheaper copied than kept track of.
constexpr std::size_t kWorthAView = 4096;

std::uint64_t tag(int field, WireType type) { return static_cast<std::uint64_t>(field) << 3U | type; }

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

MessageWriter& MessageWriter::integer(int field, std::int64_t value) {
  varint(tag(field, kVarintType));
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

MessageWriter& MessageWriter::text(int field, std::string_view value) {
  begin_bytes(field, value.size());
  append(value);
  return *this;
}

MessageWriter& MessageWriter::view(int field, std::span<const std::byte> value) {
  begin_bytes(field, value.size());
  append_view(value);
  return *this;
}

MessageWriter& MessageWriter::message(int field, const MessageWriter& value) {
  begin_bytes(field, value.size_);
  for (const Piece& piece : value.pieces_) {
    append(piece.own);
    append_view(piece.view);
  }
  return *this;
}

std::string MessageWriter::bytes() const {
  std::string all;
  all.reserve(size_);
  for (const Piece& piece : pieces_) {
    all += piece.own;
    all += text_of(piece.view);
  }
  return all;
}

void MessageWriter::varint(std::uint64_t value) {
  constexpr unsigned kMore = 0x80;  // another byte follows
  constexpr unsigned kBits = 7;
  std::string text;
  for (; value >= kMore; value >>= kBits) text += static_cast<char>(value | kMore);
  text += static_cast<char>(value);
  append(text);
}

void MessageWriter::begin_bytes(int field, std::uint64_t count) {
  varint(tag(field, kBytesType));
  varint(count);
}

void MessageWriter::append(std::string_view own) {
  if (own.empty()) return;
  if (pieces_.empty() || !pieces_.back().view.empty()) pieces_.emplace_back();
  pieces_.back().own += own;
  size_ += own.size();
}

void MessageWriter::append_view(std::span<const std::byte> view) {
  if (view.size() < kWorthAView) return append(text_of(view));
  if (pieces_.empty() || !pieces_.back().view.empty()) pieces_.emplace_back();
  pieces_.back().view = view;
  size_ += view.size();
}

}  // namespace assay::onnx_graph
