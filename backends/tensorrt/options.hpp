#pragma once
// The plugin's options, and what they come to. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {

std::span<const assay_option> option_table();

/// How much an engine tells of its layers.
enum class Verbosity { kNone, kNames, kDetailed };

struct Settings {
  std::optional<std::uint64_t> workspace_bytes;  ///< nothing: all that the device has
  int optimization_level = 3;
  bool tf32 = false;
  std::string timing_cache;  ///< a file; empty: none
  bool cuda_graph = false;
  Verbosity verbosity = Verbosity::kNames;
  bool dynamic_batch = false;
  std::int64_t typical_size = 1;
  std::optional<std::int64_t> largest_size;
  std::optional<int> aux_streams;
};

/// Throws Failure(ASSAY_INVALID_ARGUMENT) for options that contradict each other.
Settings read_settings(const kit::OpenRequest& request);

/// Batches outstanding that are worth having: one that is copied in, one that computes, one that is copied out; for
/// latency, one.
int useful_slots(const kit::OpenRequest& request);

}  // namespace assay::tensorrt
