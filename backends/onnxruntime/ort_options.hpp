#pragma once
// The plugin's settings, and what they and the request come to. Pure: no library needed.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "assay/backend_kit.hpp"
#include "ort_api.hpp"

namespace assay::ort {

std::span<const assay_option> option_table();

/// How a session is set up.
struct Setup {
  OptimizationLevel level = OptimizationLevel::kAll;
  std::string disabled_optimizers;  ///< "A;B"
  int threads = 1;                  ///< in all: callers and both pools
  int streams = 1;                  ///< batches that compute at the same time, each on its caller's thread
  int intra_op_threads = 1;         ///< the pool has one less: the caller takes part
  int inter_op_threads = 1;
  bool spinning = true;
  bool inter_op_spinning = true;
  std::string affinity;
  ExecutionMode mode = ExecutionMode::kSequential;
  bool memory_pattern = true;
  bool arena = true;
  bool arena_shrink = false;
  bool denormals_as_zero = false;
  bool deterministic = false;
  bool prepacking = true;
};

/// `cpus`: how many this process may use, for a request that names no number of threads.
/// Throws ASSAY_INVALID_ARGUMENT for settings that contradict each other.
Setup resolve_setup(const kit::OpenRequest& request, int cpus);

/// Throws ASSAY_UNSUPPORTED, with the reason, for arithmetic that this backend does not choose on a CPU.
void check_precision(assay_precision precision);

std::string to_string(OptimizationLevel level);
std::string to_string(ExecutionMode mode);
inline std::string to_string(bool value) { return value ? "true" : "false"; }

/// The session's configuration entries, in the library's own names.
std::vector<std::pair<std::string, std::string>> config_entries(const Setup& setup);

}  // namespace assay::ort
