#pragma once
// The parts of reading, one function per message of the format. For this library's own sources.

#include "onnx_graph/graph.hpp"
#include "onnx_graph/storage.hpp"
#include "onnx_graph/wire.hpp"

namespace assay::onnx_graph {

struct Source {
  Reading& reading;
  Storage& storage;
};

Tensor read_tensor(Source& source, ByteSpan bytes);
Attribute read_attribute(Source& source, ByteSpan bytes, int depth);
Graph read_graph(Source& source, ByteSpan bytes, int depth);
ValueInfo read_value_info(Reading& reading, ByteSpan bytes);

/// Checks names and edges, brings nodes into topological order, and lists what is captured from around the graph:
/// nothing may be where it is the outermost.
void check_and_sort(Reading& reading, Graph& graph, bool outermost);

}  // namespace assay::onnx_graph
