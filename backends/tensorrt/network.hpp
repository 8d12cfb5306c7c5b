#pragma once
// A model read by TensorRT's ONNX parser: its network, with the shapes that the engine is to have.

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <memory>
#include <string>
#include <vector>

#include "precision.hpp"
#include "profile_shapes.hpp"
#include "runtime.hpp"

namespace assay::tensorrt {

/// The parser keeps weights that the network names: it goes after it.
struct Network {
  std::unique_ptr<nvonnxparser::IParser> parser;
  std::unique_ptr<nvinfer1::INetworkDefinition> definition;
};

/// Throws Failure, naming every node that is not supported; the log gets all of them where they are many.
Network parse_model(const Runtime& runtime, nvinfer1::IBuilder& builder, const kit::OpenRequest& request);

/// The same, nodes and all, of a model in float32 that is converted first (libs/onnx_graph/float16.hpp). Throws
/// Failure(ASSAY_UNSUPPORTED), with the reason, where it is not known to mean the same in float16.
Network parse_in_float16(const Runtime& runtime, nvinfer1::IBuilder& builder, const kit::OpenRequest& request);

/// The network's inputs; -1 where an axis is free. Throws Failure(ASSAY_UNSUPPORTED) for one that decides on shapes:
/// an engine must know the range of its values when it is built.
std::vector<kit::TensorInfo> inputs_of(const nvinfer1::INetworkDefinition& network);

/// Fixes what is fixed in the network itself; answers whether anything is left free.
bool fix_shapes(nvinfer1::INetworkDefinition& network, const std::vector<InputRange>& ranges);

/// For what is left free. Throws Failure(ASSAY_UNSUPPORTED) where TensorRT refuses a range.
void add_profile(nvinfer1::IOptimizationProfile& profile, const std::vector<InputRange>& ranges);

TypeCounts count_types(const nvinfer1::INetworkDefinition& network);

/// As ours. Throws Failure(ASSAY_UNSUPPORTED), naming the tensor, for a type that has no counterpart.
assay_dtype dtype_of(nvinfer1::DataType type, const std::string& tensor);
std::vector<std::int64_t> shape_of(const nvinfer1::Dims& dims);
/// Throws Failure(ASSAY_UNSUPPORTED) for more axes than TensorRT has.
nvinfer1::Dims dims_of(std::span<const std::int64_t> shape);

}  // namespace assay::tensorrt
