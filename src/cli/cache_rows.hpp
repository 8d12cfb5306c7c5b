#pragma once
// The lines of `assay cache list`.

#include <ctime>
#include <string>
#include <vector>

#include "engine/graph_cache.hpp"

namespace assay::cli {

/// A line for each graph: engine, model, batch, and whatever else tells it from the others of the same model on that
/// engine. `now` is what ages are counted from.
std::vector<std::string> rows_of(const std::vector<engine::CachedGraph>& graphs, std::time_t now);
/// What is being filled, and what is left of processes that died.
std::vector<std::string> rows_of(const std::vector<engine::UnfinishedGraph>& graphs, std::time_t now);

}  // namespace assay::cli
