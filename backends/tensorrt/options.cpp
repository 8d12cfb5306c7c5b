#include "options.hpp"

#include <array>

namespace assay::tensorrt {
namespace {

constexpr const char* kAutomatic = "auto";
constexpr std::uint32_t kInEngine = ASSAY_OPTION_SHAPES_GRAPH;
constexpr double kMostMebibytes = 1e7;
constexpr double kMostLevel = 5;
constexpr double kLargestAxis = 1e9;
constexpr double kMostAuxStreams = 128;
constexpr int kMebibyteBits = 20;
constexpr int kSteps = 3;  // copy in, compute, copy out

constexpr std::array<const char*, 5> kVerbosities = {kAutomatic, "none", "names", "detailed", nullptr};

const std::array<assay_option, 10> kOptions = {{
    {"workspace_mb", ASSAY_OPTION_INT, kInEngine, kAutomatic, 1, kMostMebibytes, nullptr,
     "limit for the scratch memory of a layer, MiB; auto: all that the device has"},
    {"optimization_level", ASSAY_OPTION_INT, kInEngine, "3", 0, kMostLevel, nullptr,
     "how long the builder searches for kernels: 0 takes the first that works, 5 compiles and compares the most"},
    {"tf32", ASSAY_OPTION_BOOL, kInEngine, "false", 0, 0, nullptr,
     "round the inputs of f32 products to 10 bits of mantissa (faster; TensorRT's own default)"},
    {"timing_cache", ASSAY_OPTION_TEXT, 0, "", 0, 0, nullptr,
     "a file of kernels' times: read where it is there, and written, so that a similar engine is built sooner"},
    {"cuda_graph", ASSAY_OPTION_BOOL, 0, "false", 0, 0, nullptr,
     "launch a batch's kernels as one CUDA graph, captured at a slot's second batch"},
    {"profiling_verbosity", ASSAY_OPTION_CHOICE, kInEngine, kAutomatic, 0, 0, kVerbosities.data(),
     "what the engine tells of its layers; auto: names, and details where a profile is collected"},
    {"dynamic_batch", ASSAY_OPTION_BOOL, kInEngine, "false", 0, 0, nullptr,
     "build for 1 to the batch size (chosen for the batch size), and compute a short batch as it is; else it is "
     "padded"},
    {"typical_size", ASSAY_OPTION_INT, kInEngine, "1", 1, kLargestAxis, nullptr,
     "of axes that are left free, where no batch size is given: the size that kernels are chosen for"},
    {"largest_size", ASSAY_OPTION_INT, kInEngine, kAutomatic, 1, kLargestAxis, nullptr,
     "of axes that are left free: the largest size that will run; auto: the batch size, or 64 without one"},
    {"aux_streams", ASSAY_OPTION_INT, kInEngine, kAutomatic, 0, kMostAuxStreams, nullptr,
     "streams within one batch, for branches side by side; auto: TensorRT's choice"},
}};

bool flag(const kit::OpenRequest& request, const char* name) { return request.option(name, "false") == "true"; }

template <class Value>
std::optional<Value> number(const kit::OpenRequest& request, const char* name) {
  const std::string value = request.option(name, kAutomatic);
  if (value == kAutomatic) return std::nullopt;
  return static_cast<Value>(std::stoll(value));
}

Verbosity verbosity_asked(const kit::OpenRequest& request) {
  const std::string value = request.option("profiling_verbosity", kAutomatic);
  if (value == "none") return Verbosity::kNone;
  if (value == "detailed" || (value == kAutomatic && request.profile)) return Verbosity::kDetailed;
  return Verbosity::kNames;
}

}  // namespace

std::span<const assay_option> option_table() { return kOptions; }

Settings read_settings(const kit::OpenRequest& request) {
  Settings s;
  s.workspace_bytes = number<std::uint64_t>(request, "workspace_mb");
  if (s.workspace_bytes) *s.workspace_bytes <<= kMebibyteBits;
  s.optimization_level = number<int>(request, "optimization_level").value_or(s.optimization_level);
  s.tf32 = flag(request, "tf32");
  s.timing_cache = request.option("timing_cache", "");
  s.cuda_graph = flag(request, "cuda_graph");
  s.verbosity = verbosity_asked(request);
  s.dynamic_batch = flag(request, "dynamic_batch");
  s.typical_size = number<std::int64_t>(request, "typical_size").value_or(s.typical_size);
  s.largest_size = number<std::int64_t>(request, "largest_size");
  s.aux_streams = number<int>(request, "aux_streams");
  if (s.cuda_graph && request.profile) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       "cuda_graph is on and a profile was asked for, which times every layer by itself: collect it "
                       "without cuda_graph");
  }
  return s;
}

int useful_slots(const kit::OpenRequest& request) {
  if (request.in_flight > 0) return request.in_flight;
  return request.goal == ASSAY_GOAL_LATENCY ? 1 : kSteps;
}

}  // namespace assay::tensorrt
