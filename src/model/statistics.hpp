#pragma once

#include "model/model.hpp"
#include "onnx_graph/inference.hpp"

namespace assay::model {

/// Of the outermost graph; `inference` with the batch axis at 1 gives figures per sample.
Statistics compute_statistics(const onnx_graph::Model& model, const onnx_graph::Inference& inference);

}  // namespace assay::model
