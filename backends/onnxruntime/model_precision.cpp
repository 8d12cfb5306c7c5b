#include "model_precision.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "assay/backend_abi.h"
#include "onnx_wire.hpp"

namespace assay::ort {
namespace {

using wire::Bytes;

struct Count {
  assay_dtype dtype;
  const char* name;
  double elements;
};
using Counts = std::array<Count, 4>;
constexpr Counts kNone = {
    {{ASSAY_FLOAT32, "f32", 0}, {ASSAY_FLOAT16, "f16", 0}, {ASSAY_BFLOAT16, "bf16", 0}, {ASSAY_FLOAT64, "f64", 0}}};

void add(Counts& counts, std::uint64_t dtype, double elements) {
  for (Count& count : counts) {
    if (static_cast<std::uint64_t>(count.dtype) == dtype) count.elements += elements;
  }
}

/// The first of those that are as many.
const Count& most(const Counts& counts) {
  return *std::max_element(counts.begin(), counts.end(),
                           [](const Count& a, const Count& b) { return a.elements < b.elements; });
}

bool is_quantized(Bytes node) {
  bool found = false;
  wire::each_message(node, [&](std::uint32_t field, Bytes text) {
    if (field != wire::kOpType) return;
    const std::string_view op(reinterpret_cast<const char*>(text.data()), text.size());
    found = op.ends_with("QuantizeLinear") || op == "DequantizeLinear" || op.starts_with("QLinear") ||
            op == "MatMulInteger" || op == "ConvInteger";
  });
  return found;
}

void add_tensor(Counts& counts, Bytes tensor) {
  double elements = 1;
  std::uint64_t dtype = 0;
  const auto dimension = [&](std::uint64_t size) { elements *= static_cast<double>(size); };
  wire::each_field(
      tensor,
      [&](std::uint32_t field, Bytes packed) {
        std::uint64_t size = 0;
        while (field == wire::kDims && !packed.empty() && wire::take_varint(packed, size)) dimension(size);
      },
      [&](std::uint32_t field, std::uint64_t value) {
        if (field == wire::kDims) dimension(value);
        if (field == wire::kDataType) dtype = value;
      });
  add(counts, dtype, elements);
}

void add_input(Counts& counts, Bytes value_info) {
  wire::each_message(value_info, [&](std::uint32_t field, Bytes type) {
    if (field != wire::kValueType) return;
    wire::each_message(type, [&](std::uint32_t type_field, Bytes tensor) {
      if (type_field != wire::kTypeTensor) return;
      wire::each_field(
          tensor, [](std::uint32_t, Bytes) {},
          [&](std::uint32_t number, std::uint64_t value) {
            if (number == wire::kElementType) add(counts, value, 1);
          });
    });
  });
}

}  // namespace

std::string parse_precision(Bytes model) {
  Counts weights = kNone, inputs = kNone;
  bool quantized = false;
  wire::each_message(model, [&](std::uint32_t field, Bytes graph) {
    if (field != wire::kModelGraph) return;
    wire::each_message(graph, [&](std::uint32_t graph_field, Bytes part) {
      if (graph_field == wire::kGraphNode) quantized = quantized || is_quantized(part);
      if (graph_field == wire::kGraphInitializer) add_tensor(weights, part);
      if (graph_field == wire::kGraphInput) add_input(inputs, part);
    });
  });
  if (quantized) return "int8";
  return most(weights).elements > 0 ? most(weights).name : most(inputs).name;
}

std::string read_precision(const std::string& model_path) {
  const wire::MappedFile file(model_path);
  return parse_precision(file.bytes());
}

}  // namespace assay::ort
