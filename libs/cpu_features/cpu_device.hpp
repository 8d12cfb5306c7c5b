#pragma once
// This machine's processor as the device "cpu" that a plugin offers.

#include "assay/backend_kit.hpp"
#include "cpu_features/cpu_features.hpp"

namespace assay::cpu_features {

/// With the processor's name and identity, its cores and the machine's memory.
kit::Device cpu_device(const CpuFeatures& cpu);

}  // namespace assay::cpu_features
