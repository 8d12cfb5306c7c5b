#pragma once
// The inputs and outputs of a session.

#include <vector>

#include "assay/backend_kit.hpp"
#include "ort_library.hpp"

namespace assay::ort {

/// Throws ASSAY_UNSUPPORTED, naming it, for one that no tensor of Assay's holds.
std::vector<kit::TensorInfo> read_inputs(const Library& library, const OrtSession* session);
std::vector<kit::TensorInfo> read_outputs(const Library& library, const OrtSession* session);

}  // namespace assay::ort
