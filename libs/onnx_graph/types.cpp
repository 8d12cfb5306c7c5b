// Names and sizes of the plain values in graph.hpp.

#include <fmt/format.h>

#include <array>

#include "onnx_graph/graph.hpp"
#include "onnx_graph/wire.hpp"

namespace assay::onnx_graph {
namespace {

struct TypeRow {
  const char* name;
  int bits;
};

/// By the format's number.
constexpr std::array<TypeRow, 24> kTypes{{{"undefined", 0},
                                          {"float32", 32},
                                          {"uint8", 8},
                                          {"int8", 8},
                                          {"uint16", 16},
                                          {"int16", 16},
                                          {"int32", 32},
                                          {"int64", 64},
                                          {"string", 0},
                                          {"bool", 8},
                                          {"float16", 16},
                                          {"float64", 64},
                                          {"uint32", 32},
                                          {"uint64", 64},
                                          {"complex64", 64},
                                          {"complex128", 128},
                                          {"bfloat16", 16},
                                          {"float8_e4m3fn", 8},
                                          {"float8_e4m3fnuz", 8},
                                          {"float8_e5m2", 8},
                                          {"float8_e5m2fnuz", 8},
                                          {"uint4", 4},
                                          {"int4", 4},
                                          {"float4_e2m1", 4}}};

const TypeRow* row_of(ElementType type) {
  const auto i = static_cast<std::size_t>(static_cast<std::uint32_t>(type));
  return i < kTypes.size() ? &kTypes[i] : nullptr;
}

}  // namespace

std::string to_string(ElementType type) {
  const TypeRow* row = row_of(type);
  return row != nullptr ? row->name : fmt::format("element type {}", static_cast<std::int32_t>(type));
}

int bits_of(ElementType type) {
  const TypeRow* row = row_of(type);
  return row != nullptr ? row->bits : 0;
}

bool is_floating(ElementType type) {
  switch (type) {
    case ElementType::kFloat16:
    case ElementType::kFloat32:
    case ElementType::kFloat64:
    case ElementType::kBFloat16:
    case ElementType::kFloat8E4M3FN:
    case ElementType::kFloat8E4M3FNUZ:
    case ElementType::kFloat8E5M2:
    case ElementType::kFloat8E5M2FNUZ:
    case ElementType::kFloat4E2M1:
      return true;
    default:
      return false;
  }
}

bool is_integer(ElementType type) {
  switch (type) {
    case ElementType::kUint4:
    case ElementType::kInt4:
    case ElementType::kUint8:
    case ElementType::kInt8:
    case ElementType::kUint16:
    case ElementType::kInt16:
    case ElementType::kUint32:
    case ElementType::kInt32:
    case ElementType::kUint64:
    case ElementType::kInt64:
      return true;
    default:
      return false;
  }
}

std::string to_string(const Dimensions& dimensions) {
  if (dimensions.empty()) return "scalar";
  std::string result;
  for (const Dimension& d : dimensions) {
    if (!result.empty()) result += " x ";
    result += d.known() ? std::to_string(d.size) : d.name.empty() ? "?" : d.name;
  }
  return result;
}

std::string label(const Node& node) {
  const std::string& name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0];
  return fmt::format("{}{}{} node {}", node.domain, node.domain.empty() ? "" : ".", node.op_type, quote(name));
}

}  // namespace assay::onnx_graph
