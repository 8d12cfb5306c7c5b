#pragma once
// The plugin's settings, and what they and the request come to. Pure: no library needed.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "assay/backend_kit.hpp"
#include "ort_api.hpp"

namespace assay::ort {

std::span<const assay_option> option_table();

/// How CUDA's provider is set up; of a session on a GPU.
struct CudaSetup {
  bool tf32 = false;  ///< 10 bits of mantissa in f32's products: fast, and another arithmetic than was asked for
  bool graph = false;
  bool max_workspace = true;
  bool nhwc = false;
  bool copy_in_default_stream = true;
  std::string conv_search = "exhaustive";
  std::string arena_extend = "next_power_of_two";
  std::int64_t memory_limit_mb = 0;  ///< 0: none
};

/// How a session is set up.
struct Setup {
  OptimizationLevel level = OptimizationLevel::kAll;
  std::string disabled_optimizers;  ///< "A;B"
  int threads = 1;                  ///< in all: callers and both pools
  int streams = 1;                  ///< batches that compute at the same time, each on its caller's thread
  int intra_op_threads = 1;         ///< the pool has one less: the caller takes part
  int inter_op_threads = 1;
  bool spinning = true;
  bool spinning_stops = false;  ///< at a batch's end: the pool would spin on for milliseconds
  bool inter_op_spinning = true;
  std::string affinity;
  ExecutionMode mode = ExecutionMode::kSequential;
  bool memory_pattern = true;
  bool arena = true;
  bool arena_shrink = false;
  bool denormals_as_zero = false;
  bool deterministic = false;
  bool prepacking = true;
  CudaSetup cuda;
};

/// "gpu:0", "gpu:1" …
bool is_gpu(const std::string& device);

/// `cpus`: how many this process may use, for a request that names no number of threads.
/// Throws ASSAY_INVALID_ARGUMENT for settings that contradict each other, ASSAY_UNSUPPORTED for those that mean nothing
/// on the device.
Setup resolve_setup(const kit::OpenRequest& request, int cpus);

/// Is a model, whose own arithmetic is `of_model` ("f32", "int8" …), to be converted to float16? Throws
/// ASSAY_UNSUPPORTED, with the reason, for arithmetic that this backend does not choose.
bool converts_to_float16(assay_precision asked, const std::string& device, const std::string& of_model);

/// CUDA's provider options, in the library's own names; the stream goes by another way. `device`: CUDA's number.
std::vector<std::pair<std::string, std::string>> cuda_provider_options(const CudaSetup& setup, int device);

/// "a=1;b=x": as the library tells the options that are in force.
std::map<std::string, std::string> parse_provider_options(const std::string& text);

std::string to_string(OptimizationLevel level);
std::string to_string(ExecutionMode mode);
inline std::string to_string(bool value) { return value ? "true" : "false"; }

/// The session's configuration entries, in the library's own names.
std::vector<std::pair<std::string, std::string>> config_entries(const Setup& setup);

}  // namespace assay::ort
