#pragma once

#include "loaded_graph.hpp"

namespace assay::tensorflow {

/// An ONNX file, translated; or what an earlier translation left in the cache.
LoadedGraph load_onnx(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings);

}  // namespace assay::tensorflow
