#pragma once
// A model in float16 instead of float32.

#include <string>

#include "onnx_graph/graph.hpp"

namespace assay::onnx_graph {

/// The file of a model whose weights, constants and results in between are float16 where they were float32. Inputs and
/// outputs are what they were: each is cast once. A Softmax that is an output is computed in float32, since float16
/// ends at 6e-8, where probabilities go on. Throws Error(kUnsupported), naming it, for what is not known to mean the
/// same in float16: an operator that is not in the list (float16.cpp), one of another domain, a subgraph or local
/// function, a floating type beside float32, and a weight that float16 cannot hold.
std::string in_float16(const Model& model);

/// Is the operator, of ONNX's own, known to take float16 wherever it takes float32?
bool takes_float16(const std::string& op_type);

}  // namespace assay::onnx_graph
