#pragma once
// The backend's options, and what they and the common settings become among OpenVINO's properties. Pure.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "assay/backend_kit.hpp"
#include "cpu_features/cpu_features.hpp"

namespace assay::openvino {

using Properties = std::vector<std::pair<std::string, std::string>>;

std::span<const assay_option> option_table();

/// Throws Failure(ASSAY_UNSUPPORTED) with the reason where the processor or the model cannot give `precision`: OpenVINO
/// itself accepts bf16 on a processor without it (and is slower), and f16 (and computes in f32).
void check_precision(assay_precision precision, const cpu_features::CpuFeatures& cpu, bool quantized_model);

/// As OpenVINO names it: "f32", "bf16", "f16". An int8 graph is the model's own; what is left is f32.
const char* precision_hint(assay_precision precision);

/// For reading the model: properties of the core.
Properties core_properties(const kit::OpenRequest& request);

/// For compiling, or importing, it.
Properties compile_properties(const kit::OpenRequest& request);

}  // namespace assay::openvino
