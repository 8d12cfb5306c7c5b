#pragma once
// For whoever measures: assay::load of an ensemble with settings that users do not have.

#include "assay/ensemble.hpp"
#include "engine/stream.hpp"

namespace assay::engine {

Session load(const Ensemble& ensemble, const Params& params, const LoadSettings& settings);

}  // namespace assay::engine
