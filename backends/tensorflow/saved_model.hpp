#pragma once

#include "loaded_graph.hpp"

namespace assay::tensorflow {

/// A folder that holds saved_model.pb: TensorFlow loads it and restores its variables; the inputs and outputs are those
/// of one of its signatures, in the order of their names. Never cached.
LoadedGraph load_saved_model(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings);

}  // namespace assay::tensorflow
