#include "onnx_signature.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "assay/backend_kit_file.hpp"

namespace assay::openvino {
namespace {

/// One field of a protobuf message.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;           // varints
  std::span<const std::byte> bytes;  // length-delimited ones
};

/// Walks over the fields of a message. Throws std::out_of_range where the bytes end too early.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint64_t key = varint();
    Field field;
    field.number = static_cast<std::uint32_t>(key >> 3);
    switch (key & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        take(4);
        break;
      default:
        throw std::out_of_range("an unknown wire type");
    }
    return field;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(take(1)[0]);
      value |= (byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    throw std::out_of_range("a number without an end");
  }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > rest_.size()) throw std::out_of_range("it ends in the middle of a field");
    const auto taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }

  std::span<const std::byte> rest_;
};

std::string_view text(const Field& field) {
  return {reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size()};
}

// Field numbers of onnx.proto.
constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphNode = 1, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12, kGraphSparse = 15;
constexpr std::uint32_t kNodeOpType = 4;
constexpr std::uint32_t kTensorName = 8;
constexpr std::uint32_t kSparseValues = 1;
constexpr std::uint32_t kValueName = 1, kValueType = 2;
constexpr std::uint32_t kTypeTensor = 1;
constexpr std::uint32_t kTensorTypeElement = 1, kTensorTypeShape = 2;
constexpr std::uint32_t kShapeDim = 1;
constexpr std::uint32_t kDimValue = 1, kDimParam = 2;

/// The last occurrence of a field, as protobuf has it for a field that is not repeated.
std::span<const std::byte> last(std::span<const std::byte> message, std::uint32_t number) {
  std::span<const std::byte> found;
  Reader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == number) found = field->bytes;
  }
  return found;
}

std::string last_text(std::span<const std::byte> message, std::uint32_t number) {
  const auto bytes = last(message, number);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void read_shape(std::span<const std::byte> message, kit::TensorInfo& info) {
  Reader dims(message);
  while (const auto dim = dims.next()) {
    if (dim->number != kShapeDim) continue;
    std::int64_t value = -1;
    std::string axis;
    Reader parts(dim->bytes);
    while (const auto part = parts.next()) {
      if (part->number == kDimValue) value = static_cast<std::int64_t>(part->value);
      if (part->number == kDimParam) axis = text(*part);
    }
    if (value < 0) value = -1;  // -1 and 0 are both written for a free axis by some exporters; 0 is a real size here
    info.shape.push_back(value);
    info.axes.push_back(value < 0 ? axis : "");
  }
}

kit::TensorInfo read_value(std::span<const std::byte> message) {
  kit::TensorInfo info;
  info.dtype = 0;
  info.rank_known = false;
  Reader fields(message);
  while (const auto field = fields.next()) {
    if (field->number == kValueName) info.name = text(*field);
    if (field->number != kValueType) continue;
    Reader types(field->bytes);
    while (const auto type = types.next()) {
      if (type->number != kTypeTensor) continue;
      Reader parts(type->bytes);
      while (const auto part = parts.next()) {
        if (part->number == kTensorTypeElement) info.dtype = static_cast<assay_dtype>(part->value);
        if (part->number == kTensorTypeShape) {
          info.rank_known = true;
          read_shape(part->bytes, info);
        }
      }
    }
  }
  return info;
}

OnnxSignature read_graph(std::span<const std::byte> graph) {
  OnnxSignature signature;
  std::vector<std::string> initialized;
  Reader reader(graph);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case kGraphNode: {
        const std::string op = last_text(field->bytes, kNodeOpType);
        signature.quantized = signature.quantized || op == "QuantizeLinear" || op == "DequantizeLinear";
        break;
      }
      case kGraphInitializer:
        initialized.push_back(last_text(field->bytes, kTensorName));
        break;
      case kGraphSparse:
        initialized.push_back(last_text(last(field->bytes, kSparseValues), kTensorName));
        break;
      case kGraphInput:
        signature.inputs.push_back(read_value(field->bytes));
        break;
      case kGraphOutput:
        signature.outputs.push_back(read_value(field->bytes));
        break;
      default:
        break;
    }
  }
  std::sort(initialized.begin(), initialized.end());
  std::erase_if(signature.inputs, [&](const kit::TensorInfo& info) {
    return std::binary_search(initialized.begin(), initialized.end(), info.name);
  });
  return signature;
}

}  // namespace

OnnxSignature read_signature(std::span<const std::byte> file, const std::string& where) {
  if (file.empty()) throw kit::Failure(ASSAY_INVALID_MODEL, where + " is empty: an ONNX model is needed");
  try {
    const auto graph = last(file, kModelGraph);
    OnnxSignature signature = read_graph(graph);
    if (graph.empty() || signature.outputs.empty()) {
      throw kit::Failure(ASSAY_INVALID_MODEL, where + " holds no ONNX graph with outputs: is it an ONNX model?");
    }
    return signature;
  } catch (const std::out_of_range& e) {
    throw kit::Failure(ASSAY_INVALID_MODEL,
                       where + " is not an ONNX model, or was cut short (" + e.what() + "): get or export it again");
  }
}

OnnxSignature read_signature(const std::string& path) {
  const kit::MappedFile file(path);
  return read_signature(file.bytes(), path);
}

}  // namespace assay::openvino
