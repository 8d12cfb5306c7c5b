#pragma once
// Texts about a session, as JSON.

#include <string>
#include <utility>
#include <vector>

#include "ort_library.hpp"

namespace assay::ort {

/// Ends the session's profiling and answers what the library wrote: Chrome trace events, one per operator and run.
std::string end_profiling(const Library& library, OrtSession* session);

/// The statistics of the arena in `memory`: {"InUse": …, "MaxInUse": …}. Throws ASSAY_UNSUPPORTED where there is none.
std::string memory_report(const Library& library, const OrtSession* session, const OrtMemoryInfo* memory);

/// Nodes that the library gave to one provider, each with its name and operator.
struct PlacedNodes {
  std::string provider;
  std::vector<std::pair<std::string, std::string>> nodes;
};
/// Of a session that was made with the placement recorded. As the library shared the nodes out: what it fused later
/// counts as before.
std::vector<PlacedNodes> read_placement(const Library& library, const OrtSession* session);

/// How many nodes are where.
struct PlacementCount {
  std::size_t here = 0, elsewhere = 0;
  std::string names;  ///< of the first ones elsewhere: "Shape /a/Shape, NonZero /b, …"
};
/// `provider`: here.
PlacementCount count_placement(const std::vector<PlacedNodes>& placed, const std::string& provider);

/// [{"provider": …, "nodes": [{"name": …, "operator": …}]}]
std::string placement_report(const Library& library, const OrtSession* session);

}  // namespace assay::ort
