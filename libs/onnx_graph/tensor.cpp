// Tensors: reading their description, and their contents when asked.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "assay/error.hpp"
#include "onnx_graph/onnx.pb.h"
#include "onnx_graph/reader.hpp"

static_assert(std::endian::native == std::endian::little, "ONNX's raw data is little endian, and is used in place");

namespace assay::onnx_graph {
namespace {

using Proto = onnx::TensorProto;

/// More runs of one typed field than any writer makes.
constexpr std::size_t kMostChunks = 4096;

struct Draft {
  Tensor tensor;
  std::optional<Tensor::Encoding> encoding;
  bool external = false;
  std::string location;
  std::optional<std::uint64_t> offset, length;
  std::int64_t strings = 0;
};

std::string describe(const Tensor& t) {
  return fmt::format("tensor {} ({}, {})", quote(t.name), to_string(t.type), fmt::join(t.dims, "x"));
}

void read_external_entry(Reading& reading, Draft& draft, ByteSpan bytes) {
  std::string key, value;
  for (Fields f(reading, bytes, "StringStringEntryProto"); f.next();) {
    if (f.number() == onnx::StringStringEntryProto::kKeyFieldNumber) key = f.name();
    if (f.number() == onnx::StringStringEntryProto::kValueFieldNumber) value = f.name();
  }
  const auto number = [&] {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
    if (error != std::errc() || end != value.data() + value.size()) {
      reading.fail(fmt::format("external data's {} is {}, which is not a number of bytes", key, quote(value)));
    }
    return n;
  };
  if (key == "location") draft.location = value;
  if (key == "offset") draft.offset = number();
  if (key == "length") draft.length = number();
}

void add_payload(Reading& reading, Draft& draft, Tensor::Encoding encoding, ByteSpan payload) {
  Tensor& t = draft.tensor;
  if (draft.encoding && *draft.encoding != encoding) reading.fail(describe(t) + " holds its data in two ways at once");
  if (encoding == Tensor::Encoding::kRaw && draft.encoding) reading.fail(describe(t) + " has its raw data twice");
  draft.encoding = encoding;
  if (payload.empty()) return;
  if (t.chunks.size() >= kMostChunks) {
    reading.fail(describe(t) + " has its numbers one by one instead of packed: write it with a current ONNX library");
  }
  reading.charge(sizeof(ByteSpan));
  t.chunks.push_back(payload);
}

void read_field(Reading& reading, Draft& draft, Fields& f) {
  using Encoding = Tensor::Encoding;
  Tensor& t = draft.tensor;
  switch (f.number()) {
    case Proto::kDimsFieldNumber:
      return f.varints([&](std::uint64_t d) {
        if (t.dims.size() >= reading.limits.rank) {
          reading.fail(
              fmt::format("tensor {} has more than {} axes: refused as hostile", quote(t.name), reading.limits.rank));
        }
        t.dims.push_back(static_cast<std::int64_t>(d));
      });
    case Proto::kDataTypeFieldNumber:
      t.type = static_cast<ElementType>(static_cast<std::int32_t>(f.varint()));
      return;
    case Proto::kNameFieldNumber:
      t.name = f.name();
      return;
    case Proto::kSegmentFieldNumber:
      reading.fail(fmt::format("tensor {} is stored in segments, which ONNX never defined", quote(t.name)));
    case Proto::kRawDataFieldNumber:
      return add_payload(reading, draft, Encoding::kRaw, f.bytes());
    case Proto::kFloatDataFieldNumber:
      return add_payload(reading, draft, Encoding::kFloats, f.number_payload());
    case Proto::kInt32DataFieldNumber:
      return add_payload(reading, draft, Encoding::kInt32s, f.number_payload());
    case Proto::kInt64DataFieldNumber:
      return add_payload(reading, draft, Encoding::kInt64s, f.number_payload());
    case Proto::kDoubleDataFieldNumber:
      return add_payload(reading, draft, Encoding::kDoubles, f.number_payload());
    case Proto::kUint64DataFieldNumber:
      return add_payload(reading, draft, Encoding::kUint64s, f.number_payload());
    case Proto::kStringDataFieldNumber:
      f.bytes();
      ++draft.strings;
      return;
    case Proto::kExternalDataFieldNumber:
      return read_external_entry(reading, draft, f.bytes());
    case Proto::kDataLocationFieldNumber:
      draft.external = f.varint() == Proto::EXTERNAL;
      return;
    default:
      return;
  }
}

void count_elements(Reading& reading, Tensor& t) {
  for (const std::int64_t d : t.dims) {
    if (d < 0) reading.fail(describe(t) + " has a negative size: a constant's sizes must be known");
    // Zero sizes last: 2^62 x 2^62 x 0 is as hostile as without the zero.
    if (d > 0 && __builtin_mul_overflow(t.elements, d, &t.elements)) {
      reading.fail(describe(t) + " has more elements than can be counted: refused as hostile");
    }
  }
  for (const std::int64_t d : t.dims) t.elements = d == 0 ? 0 : t.elements;
}

/// The field that holds a type's elements where they are not raw.
Tensor::Encoding typed_encoding(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
    case ElementType::kComplex64:
      return Tensor::Encoding::kFloats;
    case ElementType::kFloat64:
    case ElementType::kComplex128:
      return Tensor::Encoding::kDoubles;
    case ElementType::kInt64:
      return Tensor::Encoding::kInt64s;
    case ElementType::kUint32:
    case ElementType::kUint64:
      return Tensor::Encoding::kUint64s;
    default:
      return Tensor::Encoding::kInt32s;
  }
}

/// Elements of the typed field that the tensor must have.
std::int64_t expected_entries(const Tensor& t) {
  switch (t.type) {
    case ElementType::kComplex64:
    case ElementType::kComplex128:
      return t.elements * 2;
    case ElementType::kUint4:
    case ElementType::kInt4:
    case ElementType::kFloat4E2M1:
      return (t.elements + 1) / 2;
    default:
      return t.elements;
  }
}

std::uint64_t count_entries(Reading& reading, const Tensor& t) {
  std::uint64_t count = 0;
  for (const ByteSpan chunk : t.chunks) {
    if (t.encoding == Tensor::Encoding::kFloats || t.encoding == Tensor::Encoding::kDoubles) {
      const std::size_t size = t.encoding == Tensor::Encoding::kFloats ? sizeof(float) : sizeof(double);
      if (chunk.size() % size != 0) reading.fail(describe(t) + " has data that end within a number");
      count += chunk.size() / size;
    } else {
      // Each number ends with the one byte that has no continuation bit.
      for (const std::byte b : chunk) count += (b & std::byte{0x80}) == std::byte{0} ? 1U : 0U;
      if ((chunk.back() & std::byte{0x80}) != std::byte{0})
        reading.fail(describe(t) + " has data that end within a number");
    }
  }
  return count;
}

void check_contents(Source& source, Draft& draft) {
  Reading& reading = source.reading;
  Tensor& t = draft.tensor;
  if (t.type == ElementType::kString) {
    t.encoding = Tensor::Encoding::kStrings;
    if (draft.encoding || draft.external || draft.strings != t.elements) {
      reading.fail(fmt::format("{} should hold {} strings but holds {}", describe(t), t.elements, draft.strings));
    }
    return;
  }
  if (bits_of(t.type) == 0)
    reading.fail(fmt::format("tensor {} is of {}, which is not known", quote(t.name), to_string(t.type)));
  if (t.elements > (INT64_MAX >> 8)) reading.fail(describe(t) + " is larger than any memory: refused as hostile");
  t.external = draft.external;
  if (draft.external) {
    if (draft.encoding) reading.fail(describe(t) + " has data both in the model and outside");
    t.chunks = {source.storage.external(reading, draft.location, draft.offset.value_or(0), draft.length)};
    if (!draft.length && t.chunks[0].size() > t.byte_size()) t.chunks[0] = t.chunks[0].first(t.byte_size());
  }
  t.encoding = draft.encoding.value_or(Tensor::Encoding::kRaw);
  if (t.encoding == Tensor::Encoding::kRaw) {
    const std::uint64_t found = t.chunks.empty() ? 0 : t.chunks[0].size();
    if (found != t.byte_size()) {
      reading.fail(fmt::format("{} should have {} bytes of data but has {}", describe(t), t.byte_size(), found));
    }
    return;
  }
  if (t.encoding != typed_encoding(t.type)) reading.fail(describe(t) + " holds its data in the field of another type");
  const std::uint64_t found = count_entries(reading, t);
  if (found != static_cast<std::uint64_t>(expected_entries(t))) {
    reading.fail(fmt::format("{} should hold {} numbers but holds {}", describe(t), expected_entries(t), found));
  }
}

float half_to_float(std::uint16_t h) {
  const int exponent = (h >> 10U) & 0x1f;
  const auto mantissa = static_cast<float>(h & 0x3ffU);
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else {
    value = std::ldexp(mantissa + 1024.0F, exponent - 25);
  }
  return (h & 0x8000U) != 0 ? -value : value;
}

template <class T, class Result, class Convert>
std::vector<Result> convert(const Tensor& t, Convert each) {
  const Bytes contents = t.bytes();
  std::vector<Result> result(static_cast<std::size_t>(t.elements));
  for (std::size_t i = 0; i < result.size(); ++i) {
    T value{};
    std::memcpy(&value, contents.span().data() + i * sizeof(T), sizeof(T));
    result[i] = each(value);
  }
  return result;
}

template <class T>
std::vector<std::int64_t> widen(const Tensor& t) {
  return convert<T, std::int64_t>(t, [](T v) { return static_cast<std::int64_t>(v); });
}

}  // namespace

Tensor read_tensor(Source& source, ByteSpan bytes) {
  Draft draft;
  source.reading.charge(sizeof(Tensor));
  for (Fields f(source.reading, bytes, "TensorProto"); f.next();) read_field(source.reading, draft, f);
  count_elements(source.reading, draft.tensor);
  check_contents(source, draft);
  return std::move(draft.tensor);
}

std::uint64_t Tensor::byte_size() const {
  return (static_cast<std::uint64_t>(elements) * static_cast<unsigned>(bits_of(type)) + 7) / 8;
}

Bytes Tensor::bytes() const {
  if (encoding == Encoding::kStrings) {
    throw Error(ErrorCode::kUnsupported, "a tensor of strings has no numbers", name);
  }
  const bool as_it_lies = encoding == Encoding::kRaw || encoding == Encoding::kFloats || encoding == Encoding::kDoubles;
  if (chunks.empty()) return {};
  if (as_it_lies && chunks.size() == 1) return Bytes(chunks[0]);
  std::vector<std::byte> own;
  own.reserve(byte_size());
  // Small types lie in int32_data one per entry, except four-bit ones: two to a byte, one byte per entry.
  const std::size_t size = std::max<std::size_t>(1, static_cast<unsigned>(bits_of(type)) / 8);
  for (const ByteSpan chunk : chunks) {
    if (as_it_lies) {
      own.insert(own.end(), chunk.begin(), chunk.end());
    } else if (!for_each_varint(chunk, [&](std::uint64_t value) {
                 const auto* begin = reinterpret_cast<const std::byte*>(&value);
                 own.insert(own.end(), begin, begin + size);
               })) {
      throw Error(ErrorCode::kInvalidModel, "its numbers are malformed", name);
    }
  }
  return Bytes(std::move(own));
}

std::vector<std::int64_t> Tensor::integers() const {
  switch (type) {
    case ElementType::kInt64:
      return widen<std::int64_t>(*this);
    case ElementType::kInt32:
      return widen<std::int32_t>(*this);
    case ElementType::kInt16:
      return widen<std::int16_t>(*this);
    case ElementType::kInt8:
      return widen<std::int8_t>(*this);
    case ElementType::kUint64:
      return widen<std::uint64_t>(*this);
    case ElementType::kUint32:
      return widen<std::uint32_t>(*this);
    case ElementType::kUint16:
      return widen<std::uint16_t>(*this);
    case ElementType::kUint8:
    case ElementType::kBool:
      return widen<std::uint8_t>(*this);
    default:
      throw Error(ErrorCode::kUnsupported, to_string(type) + " are not integers", name);
  }
}

std::vector<float> Tensor::floats() const {
  switch (type) {
    case ElementType::kFloat32:
      return convert<float, float>(*this, [](float v) { return v; });
    case ElementType::kFloat64:
      return convert<double, float>(*this, [](double v) { return static_cast<float>(v); });
    case ElementType::kFloat16:
      return convert<std::uint16_t, float>(*this, half_to_float);
    case ElementType::kBFloat16:
      return convert<std::uint16_t, float>(
          *this, [](std::uint16_t v) { return std::bit_cast<float>(static_cast<std::uint32_t>(v) << 16U); });
    default:
      throw Error(ErrorCode::kUnsupported, to_string(type) + " are not floating-point values of 16 bits or more", name);
  }
}

}  // namespace assay::onnx_graph
