#pragma once
// From a request to a compiled model: read, fix the shapes, compile; or import what an earlier run exported.

#include <memory>
#include <string>

#include "assay/backend_kit_file.hpp"
#include "onnx_signature.hpp"
#include "runtime.hpp"

namespace assay::openvino {

/// A compiled model and what must outlive it. The members go in the reverse of this order.
struct Compiled {
  std::unique_ptr<kit::MappedFile> blob;  // an imported model uses the weights where they lie in it
  Handle<ov_core> core;
  Handle<ov_compiled_model> model;
  bool from_cache = false;

  /// Of the compiled model, or "" where it does not know `key`.
  [[nodiscard]] std::string property(const Runtime& runtime, const char* key) const;
};

/// The file that a cache folder holds.
inline constexpr const char* kBlobName = "model.blob";

/// Each session has a core of its own (2 ms): a core's settings are seen by all who use it, and importing takes its
/// settings from nowhere else.
Compiled compile(const Runtime& runtime, const kit::OpenRequest& request, const OnnxSignature& signature);

}  // namespace assay::openvino
