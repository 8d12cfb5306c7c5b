#pragma once
// The TensorRT that was met: found, opened once in a process, its version checked.

#include <NvInferVersion.h>

#include <cstdint>
#include <string>

#include "assay/backend_kit.hpp"
#include "version.hpp"

namespace assay::tensorrt {

/// Of the headers that this plugin was compiled with.
inline constexpr Version kHeaders{NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR, NV_TENSORRT_PATCH};

/// The functions that are looked up in the libraries; all else of TensorRT's is virtual functions of what they answer.
struct Runtime {
  void* (*create_builder)(void* logger, std::int32_t version) = nullptr;
  /// Answers a pointer that is none where there is no driver: ask for devices first.
  void* (*create_runtime)(void* logger, std::int32_t version) = nullptr;
  void* (*create_parser)(void* network, void* logger, int version) = nullptr;
  std::string version;  ///< "11.2.0"
  std::string library, origin, parser_library;
};

/// Opens the first libnvinfer of the headers' major version that is found, and the ONNX parser beside it. Throws
/// Failure(ASSAY_UNAVAILABLE): none found, no TensorRT, another version, no parser, or another one is open already in
/// this process. Thread-safe.
const Runtime& open_runtime(const kit::Host& host);
/// As `open_runtime`, but the caller's own instead of the process's: for tests.
Runtime load_runtime(const kit::Host& host);

/// The host's places and, unless the user named one to this backend, the one that TENSORRT_ROOT names, first.
kit::Host with_tensorrt_root(kit::Host host);

}  // namespace assay::tensorrt
