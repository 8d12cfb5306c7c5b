#pragma once
// A graph as TensorFlow runs it, taken out of a session: after grappler's passes and the choice of oneDNN's kernels.
// Who loads it from the cache waits for none of them.

#include <string>

#include "settings.hpp"
#include "translate.hpp"

namespace assay::tensorflow {

/// The optimized form of the translated `graph`, a serialized GraphDef in which inputs and outputs go by the names that
/// `find_places` knows. TensorFlow optimizes a graph when it first runs: so it is run once, on zeros. Throws Failure
/// where the graph cannot be run so, or is not given out.
std::string optimized_graph(const Runtime& runtime, TF_Graph* graph, const Signature& signature,
                            const Settings& settings);

/// What a session over such a graph is set up with: nothing is optimized twice.
Settings settings_of_optimized(Settings settings);

/// The same nodes with inputs and outputs as a translated graph has them: the nodes that pass a run's arguments become
/// placeholders under the inputs' names, those that pass its results go, and what they passed must go by the outputs'
/// names. Throws Failure(ASSAY_INVALID_MODEL) where it does not.
std::string with_placeholders(std::string_view graph_def, const Signature& signature);

}  // namespace assay::tensorflow
