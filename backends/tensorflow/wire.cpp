#include "wire.hpp"

namespace assay::tensorflow {
namespace {

enum WireType : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

}  // namespace

std::string_view node_of_input(std::string_view input) {
  if (input.starts_with("^")) input.remove_prefix(1);
  return input.substr(0, input.find(':'));
}

bool MessageReader::next() {
  if (rest_.empty() || !whole_) return false;
  const std::optional<std::uint64_t> tag = varint();
  bool good = tag.has_value() && (*tag >> 3U) > 0 && (*tag >> 3U) < (1U << 29U);
  if (good) {
    field_ = static_cast<int>(*tag >> 3U);
    number_ = 0;
    bytes_ = {};
    const std::uint64_t type = *tag & 7U;
    if (type == kVarint || type == kBytes) {
      const std::optional<std::uint64_t> value = varint();
      good = value.has_value();
      if (good && type == kVarint) number_ = *value;
      if (good && type == kBytes) good = take(*value);
    } else {
      good = (type == kFixed64 && take(8)) || (type == kFixed32 && take(4));
    }
  }
  whole_ = good;
  return good;
}

std::optional<std::uint64_t> MessageReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

bool MessageReader::take(std::size_t count) {
  if (count > rest_.size()) return false;
  bytes_ = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return true;
}

}  // namespace assay::tensorflow
