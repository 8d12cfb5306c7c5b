#pragma once
// Messages of the format that are written in more than one place. For this library's own sources.

#include <string>

#include "onnx_graph/graph.hpp"
#include "onnx_graph/writer.hpp"

namespace assay::onnx_graph {

/// Contents by reference: see MessageWriter::view. A name that is empty is left out.
MessageWriter tensor_message(const std::string& name, const Tensor& t);

MessageWriter value_message(const ValueInfo& value);

}  // namespace assay::onnx_graph
