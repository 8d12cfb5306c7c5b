#include "model_types.hpp"

#include <vector>

#include "assay/backend_kit.hpp"
#include "assay/error.hpp"
#include "onnx_graph/graph.hpp"

namespace assay::tensorrt {
namespace {

void refuse_float64(const std::vector<onnx_graph::ValueInfo>& values, const std::string& side) {
  for (const onnx_graph::ValueInfo& value : values) {
    if (value.type.element != onnx_graph::ElementType::kFloat64) continue;
    throw kit::Failure(ASSAY_UNSUPPORTED, "the " + side + " '" + value.name +
                                              "' is float64, which TensorRT has not: its parser would take it as "
                                              "float32. Make it float32 in the model");
  }
}

}  // namespace

void check_model_types(const std::string& model_path) {
  try {
    const onnx_graph::Model model = onnx_graph::read(model_path);
    refuse_float64(model.graph.inputs, "input");
    refuse_float64(model.graph.outputs, "output");
  } catch (const Error&) {
    // Not for a reader of types to say: the parser is asked next.
  }
}

}  // namespace assay::tensorrt
