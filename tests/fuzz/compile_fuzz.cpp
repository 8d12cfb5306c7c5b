// The MLIR compiler up to the text of its kernels, over any bytes: a model is imported, its passes are run, it is
// scheduled for both feature levels and its weights are packed; or it is refused. Large values are left out: they are
// right, and slow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/error.hpp"
#include "compiler/import.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/plan.hpp"
#include "onnx_graph/inference.hpp"

namespace {

using namespace assay;

constexpr std::int64_t kMostElements = 1 << 16, kMostBytes = 32 << 20;

/// Shapes of the inputs, where free axes have the size 2. False: something is too large, or has no shape.
bool find_shapes(const onnx_graph::Model& model, std::map<std::string, compiler::Shape>& shapes) {
  const onnx_graph::Inference inference = onnx_graph::infer(model, onnx_graph::request_of(model, {}, 2));
  for (const auto& [name, type] : inference.types) {
    const auto shape = inference.known_shape(name);
    if (shape && compiler::count(*shape) > kMostElements) return false;
  }
  for (const onnx_graph::ValueInfo* input : onnx_graph::inputs_of(model)) {
    const auto shape = inference.known_shape(input->name);
    if (!shape) return false;
    shapes[input->name] = *shape;
  }
  return true;
}

/// Operands begin inside of their buffers, constants are there, and what is packed fits into its own.
void check(const compiler::Plan& plan) {
  for (const auto* steps : {&plan.prologue, &plan.steps}) {
    for (const compiler::Step& step : *steps) {
      for (const compiler::Pointer& p : step.pointers) {
        const compiler::Buffer& buffer = plan.buffers.at(static_cast<std::size_t>(p.buffer));
        if (p.offset < 0 || (p.offset >= buffer.bytes && buffer.bytes > 0)) std::abort();
        if (buffer.place == compiler::Buffer::Place::kConstant && buffer.constant == nullptr) std::abort();
      }
    }
  }
  if (plan.packed_bytes > kMostBytes) return;
  for (const compiler::Buffer& buffer : plan.buffers) {
    if (buffer.place != compiler::Buffer::Place::kPacked) continue;
    std::vector<float> memory(static_cast<std::size_t>(buffer.bytes) / sizeof(float));
    buffer.make(memory.data());
  }
}

void compile(const onnx_graph::Model& model, const std::map<std::string, compiler::Shape>& shapes,
             const compiler::Target& target, compiler::Math math) {
  compiler::Graph graph = compiler::import_model(model, shapes);
  const auto large = [](const compiler::Value& v) { return compiler::count(v.shape) > kMostElements; };
  if (std::any_of(graph.values.begin(), graph.values.end(), large)) return;
  compiler::run_passes(graph, target, math, "");
  check(compiler::schedule(graph, target, math));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const compiler::Target kWide = compiler::feature_level("avx512"), kNarrow = compiler::feature_level("avx2");
  try {
    onnx_graph::Limits limits;
    limits.structure_bytes = 16U << 20U;
    const auto model = onnx_graph::parse(std::as_bytes(std::span(data, size)), {}, limits);
    std::map<std::string, compiler::Shape> shapes;
    if (!find_shapes(model, shapes)) return 0;
    compile(model, shapes, kWide, compiler::Math::kFast);
    compile(model, shapes, kNarrow, compiler::Math::kStrict);
  } catch (const Error&) {
    // Not a model.
  } catch (const compiler::Unsupported&) {
    // Refused: as it should be. Any other exception is a defect.
  }
  return 0;
}
