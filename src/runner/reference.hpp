#pragma once
// The answers that every case's outputs are compared with: ONNX Runtime's, optimizations off, f32, in a process of its
// own, kept in the cache folder.

#include <filesystem>
#include <string>

#include "measure/effort.hpp"
#include "runner/facts.hpp"
#include "worker/protocol.hpp"

namespace assay::runner {

inline constexpr const char* kReferenceBackend = "onnxruntime";

/// What is asked of the worker that makes the reference of a case.
worker::Request reference_request(const Case& c, const ModelFacts& facts, const measure::Effort& effort);

/// Name of a reference's file: changes with everything that the answers depend on.
std::string reference_name(const worker::Request& request, const std::string& model_hash,
                           const std::string& reference_version);

}  // namespace assay::runner
