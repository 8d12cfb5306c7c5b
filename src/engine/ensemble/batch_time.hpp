#pragma once
// What a member costs, by trying it.

#include <chrono>
#include <cstdint>

#include "assay/assay.hpp"

namespace assay::engine {

/// Whether the inputs have a size. Those of a graph that is taken as it is (batch size 0) may have none yet.
bool has_whole_inputs(const Session& session);

/// The second of two batches of zeros: the first also allocates. Its inputs must have a size (has_whole_inputs).
std::chrono::nanoseconds batch_time(Session& session, std::int64_t samples);

}  // namespace assay::engine
