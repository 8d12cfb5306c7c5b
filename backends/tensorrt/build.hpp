#pragma once
// From a model to a serialized engine.

#include <NvInfer.h>

#include <memory>
#include <string>

#include "engine_cache.hpp"
#include "options.hpp"
#include "runtime.hpp"

namespace assay::tensorrt {

struct BuiltEngine {
  std::unique_ptr<nvinfer1::IHostMemory> bytes;
  std::unique_ptr<nvinfer1::IHostMemory> timing;  ///< nullptr: the builder measured none
  Facts facts;
};

std::span<const std::byte> bytes_of(const nvinfer1::IHostMemory* memory);

/// Builds for the calling thread's device, of compute capability `major`.x. `timing`: kernels' times of an earlier
/// build, or "". Minutes, where the network is large.
BuiltEngine build_engine(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings, int major,
                         const std::string& timing);

}  // namespace assay::tensorrt
