#pragma once
// Texts about a session, as JSON.

#include <string>

#include "ort_library.hpp"

namespace assay::ort {

/// Ends the session's profiling and answers what the library wrote: Chrome trace events, one per operator and run.
std::string end_profiling(const Library& library, OrtSession* session);

/// The CPU arena's statistics: {"InUse": …, "MaxInUse": …}. Throws ASSAY_UNSUPPORTED where there is no arena.
std::string memory_report(const Library& library, const OrtSession* session);

/// [{"provider": …, "nodes": [{"name": …, "operator": …}]}]
std::string placement_report(const Library& library, const OrtSession* session);

}  // namespace assay::ort
