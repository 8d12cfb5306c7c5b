#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "model/zoo/graph.hpp"

namespace assay::model {

struct WriteSettings {
  std::uint64_t seed = 1;                   ///< of the weights
  const std::atomic<bool>* stop = nullptr;  ///< where it turns true, writing ends
};

/// Writes the model file (opset 17): to a temporary name, synced, renamed. Weights are made as they are written: memory
/// stays small whatever the size. Throws Error: kIo, or kCancelled where it was stopped; leaves nothing behind.
void write_model(const Graph& graph, const WriteSettings& settings, const std::string& doc,
                 const std::filesystem::path& path);

}  // namespace assay::model
