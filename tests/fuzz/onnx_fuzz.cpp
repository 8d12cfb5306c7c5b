// The ONNX reader, shape inference, statistics and every tensor's contents, over any bytes; and the reader of a tensor
// that is a file of its own.

#include <cstddef>
#include <cstdint>
#include <span>

#include "assay/error.hpp"
#include "model/statistics.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/inference.hpp"

namespace {

void decode(const assay::onnx_graph::Tensor& t) {
  constexpr std::int64_t kMost = 1 << 16;
  if (t.elements > kMost) return;
  try {
    t.bytes();
    if (assay::onnx_graph::is_integer(t.type)) t.integers();
    if (assay::onnx_graph::is_floating(t.type)) t.floats();
  } catch (const assay::Error&) {
    // What cannot be decoded says so.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    assay::onnx_graph::Limits limits;
    limits.structure_bytes = 16U << 20U;
    const auto model = assay::onnx_graph::parse(std::as_bytes(std::span(data, size)), {}, limits);
    for (const auto& t : model.graph.initializers) decode(t);
    for (const auto& node : model.graph.nodes) {
      if (const auto* t = node.attribute<assay::onnx_graph::Tensor>("value")) decode(*t);
    }
    assay::model::compute_statistics(model, assay::onnx_graph::infer(model));
  } catch (const assay::Error&) {
    // Refused: as it should be.
  }
  try {
    decode(assay::onnx_graph::parse_tensor(std::as_bytes(std::span(data, size))).tensor);
  } catch (const assay::Error&) {
    // Most models are no tensors.
  }
  return 0;
}
