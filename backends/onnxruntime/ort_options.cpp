#include "ort_options.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

namespace assay::ort {
namespace {

constexpr std::array<const char*, 6> kLevels = {"disabled", "basic", "extended", "layout", "all", nullptr};
constexpr std::array<OptimizationLevel, 5> kLevelValues = {OptimizationLevel::kDisabled, OptimizationLevel::kBasic,
                                                           OptimizationLevel::kExtended, OptimizationLevel::kLayout,
                                                           OptimizationLevel::kAll};
constexpr std::array<const char*, 3> kModes = {"sequential", "parallel", nullptr};
constexpr std::array<const char*, 4> kSearches = {"exhaustive", "heuristic", "default", nullptr};
constexpr std::array<const char*, 3> kExtends = {"next_power_of_two", "same_as_requested", nullptr};
constexpr double kMostMegabytes = 1 << 24;
/// Of CUDA's provider alone.
constexpr std::array<const char*, 8> kCudaOnly = {
    "use_tf32",    "enable_cuda_graph", "cudnn_conv_algo_search", "cudnn_conv_use_max_workspace",
    "prefer_nhwc", "gpu_mem_limit_mb",  "arena_extend_strategy",  "do_copy_in_default_stream"};
constexpr std::uint32_t kGraph = ASSAY_OPTION_SHAPES_GRAPH;

constexpr assay_option choice(const char* name, std::uint32_t flags, const char* fallback, const char* const* choices,
                              const char* meaning) {
  return {name, ASSAY_OPTION_CHOICE, flags, fallback, 0, 0, choices, meaning};
}
constexpr assay_option boolean(const char* name, std::uint32_t flags, const char* fallback, const char* meaning) {
  return {name, ASSAY_OPTION_BOOL, flags, fallback, 0, 0, nullptr, meaning};
}
constexpr assay_option integer(const char* name, const char* fallback, const char* meaning, double most = 1024) {
  return {name, ASSAY_OPTION_INT, 0, fallback, 1, most, nullptr, meaning};
}
constexpr assay_option text(const char* name, std::uint32_t flags, const char* meaning) {
  return {name, ASSAY_OPTION_TEXT, flags, "", 0, 0, nullptr, meaning};
}

constexpr std::array kOptions = {
    choice("graph_optimization_level", kGraph, "all", kLevels.data(),
           "How far the graph is rewritten at load; layout and all also choose the CPU's blocked data layout"),
    text("disabled_optimizers", kGraph, "Optimizers to leave out, by ONNX Runtime's names, separated by ';'"),
    integer("intra_op_threads", "auto",
            "Threads within an operator, caller included; auto: all threads, shared by streams"),
    integer("inter_op_threads", "auto", "Threads between operators in parallel mode; auto: half of all threads"),
    integer("streams", "auto",
            "Batches computing at once on the one session, each on a thread of its own; auto: by goal"),
    boolean("spinning", 0, "auto",
            "Idle threads of the pool spin for a while before they sleep; auto: where there is one stream, and no "
            "other model"),
    boolean("inter_op_spinning", 0, "auto",
            "The same for the pool between operators (parallel mode); auto: as spinning"),
    text("affinity", 0,
         "CPUs of the pool's threads, ONNX Runtime's format ('1;2': one a thread, from 1); empty: not pinned"),
    choice("execution_mode", 0, "sequential", kModes.data(),
           "Operators one after another, or independent branches at once"),
    boolean("memory_pattern", 0, "true", "Plan activations into one block per input shape; off with parallel mode"),
    boolean("arena", 0, "true", "Keep freed memory in an arena; off: malloc for each tensor, less memory, slower"),
    boolean("arena_shrink", 0, "false", "Give the arena's free memory back after each batch"),
    boolean("denormals_as_zero", 0, "false", "Flush denormal numbers to zero: faster where there are many, not exact"),
    boolean("deterministic", 0, "false", "Only kernels that give the same bits each time, where there is a choice"),
    boolean("prepacking", 0, "true", "Rearrange constant weights for the kernels at load; off: less memory, slower"),
    boolean("use_tf32", 0, "false",
            "GPU: TensorFloat-32 in f32's matrix products and convolutions: faster, 10 bits of mantissa instead of 23"),
    boolean("enable_cuda_graph", 0, "false",
            "GPU: launch a batch as one captured graph; the whole model must run on the GPU with fixed shapes"),
    choice(
        "cudnn_conv_algo_search", 0, "exhaustive", kSearches.data(),
        "GPU: how cuDNN's algorithm of a convolution is found: measured when first met, guessed, or always the same"),
    boolean("cudnn_conv_use_max_workspace", 0, "true",
            "GPU: algorithms of convolutions that need much memory may be taken"),
    boolean("prefer_nhwc", kGraph, "false", "GPU: convolutions with channels last; off: as the model has them"),
    integer("gpu_mem_limit_mb", "auto",
            "GPU: MiB that the arena of weights and activations may grow to; auto: no limit", kMostMegabytes),
    choice("arena_extend_strategy", 0, "next_power_of_two", kExtends.data(),
           "GPU: by how much the arena grows: doubling, or by what is needed (less memory, slower to warm up)"),
    boolean("do_copy_in_default_stream", 0, "true",
            "GPU: the library's copies between nodes on CPU and GPU go in the computing stream; off: in one of their "
            "own"),
};

int to_int(const std::string& value, int automatic) { return value == "auto" ? automatic : std::stoi(value); }
bool to_bool(const std::string& value, bool automatic) { return value == "auto" ? automatic : value == "true"; }

/// For throughput, batches side by side: no thread waits for another at the end of each operator (README.md has the
/// measurements). More than a few streams cost memory and gain nothing more.
int automatic_streams(const kit::OpenRequest& request, int threads, bool parallel) {
  constexpr int kEnough = 4;
  if (request.goal == ASSAY_GOAL_LATENCY || parallel || is_gpu(request.device)) return 1;
  return std::min(request.in_flight > 0 ? request.in_flight : kEnough, threads);
}

[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& why) {
  throw kit::Failure(ASSAY_UNSUPPORTED, option + " is " + value + ", but " + why);
}

std::string default_of(const std::string& name) {
  const auto* option = std::find_if(kOptions.begin(), kOptions.end(), [&](const auto& o) { return o.name == name; });
  return option->default_value;
}

/// A value that does nothing on the device would be measured under a wrong name.
void check_meaning(const kit::OpenRequest& request) {
  if (!is_gpu(request.device)) {
    for (const char* name : kCudaOnly) {
      const std::string value = request.option(name, default_of(name));
      if (value == default_of(name)) continue;
      refuse(name, value, "it is for GPUs alone, and the device is " + request.device);
    }
    return;
  }
  const std::string streams = request.option("streams", "auto");
  if (streams != "auto" && streams != "1") {
    refuse("streams", streams,
           "on a GPU batches compute one after another in one stream, and copies of others go beside it: leave streams "
           "out, and set how many batches are outstanding");
  }
  if (request.option("execution_mode", "sequential") == "parallel") {
    refuse("execution_mode", "parallel", "CUDA's provider runs operators one by one: leave it out");
  }
}

CudaSetup cuda_setup(const kit::OpenRequest& request) {
  const auto flag = [&](const char* name, bool fallback) {
    return to_bool(request.option(name, fallback ? "true" : "false"), fallback);
  };
  CudaSetup c;
  c.tf32 = flag("use_tf32", c.tf32);
  c.graph = flag("enable_cuda_graph", c.graph);
  c.max_workspace = flag("cudnn_conv_use_max_workspace", c.max_workspace);
  c.nhwc = flag("prefer_nhwc", c.nhwc);
  c.copy_in_default_stream = flag("do_copy_in_default_stream", c.copy_in_default_stream);
  c.conv_search = request.option("cudnn_conv_algo_search", c.conv_search);
  c.arena_extend = request.option("arena_extend_strategy", c.arena_extend);
  c.memory_limit_mb = to_int(request.option("gpu_mem_limit_mb", "auto"), 0);
  return c;
}

/// "1;2,3;4-5": for each thread of the pool the CPUs that it may use, counted from 1.
void check_affinity(const std::string& affinity, int pool_threads) {
  if (affinity.empty()) return;
  const auto groups = std::count(affinity.begin(), affinity.end(), ';') + 1;
  bool valid = groups == pool_threads;
  char before = ';';
  for (const char c : affinity + ';') {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) valid = valid && (c == ';' || c == ',' || c == '-') && before >= '0' && before <= '9';
    before = c;
  }
  if (!valid) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       "affinity is '" + affinity + "'; the pool has " + std::to_string(pool_threads) +
                           " threads beside the caller's, and each needs its CPUs, counted from 1: ids and ranges "
                           "separated by ',', threads by ';', such as '2' for one thread or '2;3-4' for two");
  }
}

}  // namespace

std::span<const assay_option> option_table() { return kOptions; }

bool is_gpu(const std::string& device) { return device.starts_with("gpu"); }

Setup resolve_setup(const kit::OpenRequest& request, int cpus) {
  check_meaning(request);
  Setup s;
  s.cuda = cuda_setup(request);
  const std::string level = request.option("graph_optimization_level", "all");
  for (std::size_t i = 0; i < kLevelValues.size(); ++i) {
    if (level == kLevels[i]) s.level = kLevelValues[i];
  }
  s.disabled_optimizers = request.option("disabled_optimizers", "");
  s.mode = request.option("execution_mode", "sequential") == "parallel" ? ExecutionMode::kParallel
                                                                        : ExecutionMode::kSequential;
  const bool parallel = s.mode == ExecutionMode::kParallel;
  s.threads = request.threads > 0 ? request.threads : std::max(1, cpus);
  s.streams = to_int(request.option("streams", "auto"), automatic_streams(request, s.threads, parallel));
  if (s.streams > s.threads) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "streams is " + std::to_string(s.streams) + ", but there are " +
                                                   std::to_string(s.threads) +
                                                   " threads in all and every stream needs one: lower streams or "
                                                   "raise threads");
  }
  s.inter_op_threads = to_int(request.option("inter_op_threads", "auto"), parallel ? std::max(1, s.threads / 2) : 1);
  // Each stream brings its caller's thread; the pool has one thread less than its number, and all streams share it.
  const int rest = s.threads - s.streams - (parallel ? s.inter_op_threads - 1 : 0);
  s.intra_op_threads = to_int(request.option("intra_op_threads", "auto"), std::max(1, rest + 1));
  s.spinning =
      to_bool(request.option("spinning", "auto"), s.streams == 1 && !request.shared_cores && !is_gpu(request.device));
  s.spinning_stops = request.cores_in_turn;
  s.inter_op_spinning = to_bool(request.option("inter_op_spinning", "auto"), s.spinning);
  s.affinity = request.option("affinity", "");
  check_affinity(s.affinity, s.intra_op_threads - 1);
  s.memory_pattern = to_bool(request.option("memory_pattern", "true"), true) && !parallel;
  s.arena = to_bool(request.option("arena", "true"), true);
  s.arena_shrink = to_bool(request.option("arena_shrink", "false"), false);
  s.denormals_as_zero = to_bool(request.option("denormals_as_zero", "false"), false);
  s.deterministic = to_bool(request.option("deterministic", "false"), false);
  s.prepacking = to_bool(request.option("prepacking", "true"), true);
  if (s.arena_shrink && s.cuda.graph) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       "arena_shrink is on, but so is enable_cuda_graph, whose graphs need the memory that they were "
                       "captured with: leave one out");
  }
  if (s.arena_shrink && !s.arena) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "arena_shrink is on, but arena is off: there is no arena to shrink");
  }
  return s;
}

bool converts_to_float16(assay_precision asked, const std::string& device, const std::string& of_model) {
  if (asked == ASSAY_PRECISION_F32) return false;
  if (asked == ASSAY_PRECISION_F16 && is_gpu(device)) {
    if (of_model == "f32") return true;
    if (of_model == "f16") return false;
    throw kit::Failure(ASSAY_UNSUPPORTED, "precision f16 was asked for a model in " + of_model +
                                              "; a model in f32 is converted, one in f16 taken as it is");
  }
  const char* name = asked == ASSAY_PRECISION_BF16 ? "bf16" : asked == ASSAY_PRECISION_F16 ? "f16" : "int8";
  throw kit::Failure(
      ASSAY_UNSUPPORTED,
      std::string("precision ") + name +
          " was asked for, but ONNX Runtime computes in the types that the model names, and this backend "
          "converts models only to f16 on a GPU: for int8 give it a quantized (QDQ) model and precision "
          "f32, for bf16 use a backend that lowers precision itself, such as openvino");
}

std::vector<std::pair<std::string, std::string>> cuda_provider_options(const CudaSetup& setup, int device) {
  const auto digit = [](bool value) { return value ? "1" : "0"; };
  std::string search = setup.conv_search;
  std::transform(search.begin(), search.end(), search.begin(),
                 [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
  std::vector<std::pair<std::string, std::string>> options = {
      {"device_id", std::to_string(device)},
      {"cudnn_conv_algo_search", search},
      {"cudnn_conv_use_max_workspace", digit(setup.max_workspace)},
      {"do_copy_in_default_stream", digit(setup.copy_in_default_stream)},
      {"arena_extend_strategy", setup.arena_extend == "same_as_requested" ? "kSameAsRequested" : "kNextPowerOfTwo"},
      {"enable_cuda_graph", digit(setup.graph)},
      {"prefer_nhwc", digit(setup.nhwc)},
      {"use_tf32", digit(setup.tf32)},
  };
  constexpr unsigned kMegabyteBits = 20;
  if (setup.memory_limit_mb > 0) {
    options.emplace_back("gpu_mem_limit",
                         std::to_string(static_cast<std::uint64_t>(setup.memory_limit_mb) << kMegabyteBits));
  }
  return options;
}

std::map<std::string, std::string> parse_provider_options(const std::string& text) {
  std::map<std::string, std::string> options;
  std::istringstream all(text);
  for (std::string one; std::getline(all, one, ';');) {
    const std::size_t equals = one.find('=');
    if (equals != std::string::npos) options[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return options;
}

std::string to_string(OptimizationLevel level) {
  for (std::size_t i = 0; i < kLevelValues.size(); ++i) {
    if (level == kLevelValues[i]) return kLevels[i];
  }
  return "unknown";
}

std::string to_string(ExecutionMode mode) { return mode == ExecutionMode::kParallel ? "parallel" : "sequential"; }

std::vector<std::pair<std::string, std::string>> config_entries(const Setup& s) {
  const auto digit = [](bool value) { return value ? "1" : "0"; };
  std::vector<std::pair<std::string, std::string>> entries = {
      {"session.intra_op.allow_spinning", digit(s.spinning)},
      {"session.inter_op.allow_spinning", digit(s.inter_op_spinning)},
      {"session.set_denormal_as_zero", digit(s.denormals_as_zero)},
      {"session.disable_prepacking", digit(!s.prepacking)},
  };
  if (s.spinning_stops) entries.emplace_back("session.force_spinning_stop", "1");
  if (!s.affinity.empty()) entries.emplace_back("session.intra_op_thread_affinities", s.affinity);
  if (!s.disabled_optimizers.empty()) {
    entries.emplace_back("optimization.disable_specified_optimizers", s.disabled_optimizers);
  }
  return entries;
}

}  // namespace assay::ort
