#pragma once

#include <filesystem>

#include "worker/protocol.hpp"

namespace assay::worker {

/// f16 and bf16: what is rounded shows in the answers, as much as the network lets it.
bool is_reduced(Precision precision);

/// `request` with copies of its models in `folder`, under their own names, whose weights are rounded as it asks; with
/// its models as they are where it asks for nothing. Throws what onnx_graph::with_rounded_weights throws.
Request with_rounded_weights(Request request, const std::filesystem::path& folder);

}  // namespace assay::worker
