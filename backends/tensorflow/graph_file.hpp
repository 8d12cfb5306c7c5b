#pragma once

#include "loaded_graph.hpp"

namespace assay::tensorflow {

/// A frozen GraphDef: its inputs are the placeholders that something takes, its outputs what nothing takes, unless the
/// options inputs and outputs name them. Never cached.
LoadedGraph load_graph_file(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings);

}  // namespace assay::tensorflow
