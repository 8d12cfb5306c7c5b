#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "model/zoo/graph.hpp"

namespace assay::model {

/// Writes the model file (opset 17): to a temporary name, synced, renamed. Weights are made as they are written: memory
/// stays small whatever the size. Throws Error(kIo), leaving nothing behind.
void write_model(const Graph& graph, std::uint64_t seed, const std::string& doc, const std::filesystem::path& path);

}  // namespace assay::model
