#pragma once
// An ONNX graph as a TensorFlow graph.

#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "onnx_graph/graph.hpp"
#include "runtime.hpp"

namespace assay::tensorflow {

/// An input or output of the model, and where it is in TensorFlow's graph.
struct Port {
  kit::TensorInfo info;
  TF_Output place;
};

struct Signature {
  std::vector<Port> inputs, outputs;
};

/// What the graph calls the model's inputs and outputs.
std::string input_name(std::size_t i);
std::string output_name(std::size_t i);

/// Of the boundary's types, all of which TensorFlow has.
DataType data_type_of(assay_dtype type);

struct TranslationRequest {
  std::vector<kit::FixedShape> shapes;
  std::int64_t batch_size = 0;  ///< > 0: what axes are that are free still
  bool channels_last = true;
  bool onednn = true;
};

/// Types and shapes of the model's inputs and outputs, with no place yet. Throws Failure: a shape that does not fit, a
/// type that TensorFlow has not.
Signature signature_of(const onnx_graph::Model& model, const TranslationRequest& request);

/// Writes the model into `graph`, and finds the places. Throws one Failure(ASSAY_UNSUPPORTED) that lists all nodes that
/// cannot be translated.
Signature translate(const Runtime& runtime, const onnx_graph::Model& model, const TranslationRequest& request,
                    TF_Graph* graph);

/// The places, in a graph that `translate` once wrote. Throws Failure(ASSAY_INVALID_MODEL) where it is another's.
void find_places(const Runtime& runtime, TF_Graph* graph, Signature& signature);

}  // namespace assay::tensorflow
