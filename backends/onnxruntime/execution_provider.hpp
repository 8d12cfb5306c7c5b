#pragma once
// The devices that ONNX Runtime can run on here, and how a session is put on one. Only the CPU so far.

#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "ort_library.hpp"

namespace assay::ort {

/// The providers that the library was built with, in its order of preference.
std::vector<std::string> available_providers(const Library& library);

std::vector<kit::Device> devices();

/// How many CPUs this process may use.
int usable_cpus();

/// Puts sessions made with `options` on `device`. Throws ASSAY_UNAVAILABLE for one that is not there.
/// Answers the provider's name.
std::string append_provider(const Library& library, OrtSessionOptions* options, const std::string& device);

}  // namespace assay::ort
