#pragma once
// ONNX to Graph, for fixed shapes of the inputs.

#include <map>
#include <string>

#include "graph.hpp"
#include "onnx_graph/graph.hpp"

namespace assay::compiler {

/// `inputs`: a shape for every input of the model that has no default. Throws Unsupported, naming everything that
/// cannot be imported.
Graph import_model(const onnx_graph::Model& model, const std::map<std::string, Shape>& inputs);

/// Throws Unsupported where the model has operators that cannot be imported whatever the shapes, naming them; and, for
/// `inputs` as above (nullptr: they are not known), all else that cannot be.
void check_operators(const onnx_graph::Model& model, const std::map<std::string, Shape>* inputs);

}  // namespace assay::compiler
