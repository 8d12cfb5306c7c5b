#pragma once
// Texts about a session, as JSON.

#include <string>
#include <vector>

#include "ort_library.hpp"
#include "placement.hpp"

namespace assay::ort {

/// Ends the session's profiling and answers what the library wrote: Chrome trace events, one per operator and run.
std::string end_profiling(const Library& library, OrtSession* session);

/// The statistics of the arena in `memory`: {"InUse": …, "MaxInUse": …}. Throws ASSAY_UNSUPPORTED where there is none.
std::string memory_report(const Library& library, const OrtSession* session, const OrtMemoryInfo* memory);

/// Of a session that was made with the placement recorded. As the library shared the nodes out: what it fused later
/// counts as before.
std::vector<PlacedNodes> read_placement(const Library& library, const OrtSession* session);

/// [{"provider": …, "nodes": [{"name": …, "operator": …}]}]
std::string placement_report(const Library& library, const OrtSession* session);

}  // namespace assay::ort
