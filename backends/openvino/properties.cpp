#include "properties.hpp"

#include <array>

namespace assay::openvino {
namespace {

constexpr const char* kAuto = "auto";
constexpr double kMostStreams = 1024;
constexpr double kMostRequests = 4096;

constexpr std::array<const char*, 4> kHints = {kAuto, "throughput", "latency", nullptr};
constexpr std::array<const char*, 3> kModes = {"performance", "accuracy", nullptr};
constexpr std::array<const char*, 4> kCores = {"any", "performance", "efficiency", nullptr};
constexpr std::array<const char*, 4> kPartitioners = {kAuto, "static", "auto_partitioner", nullptr};

const std::array<assay_option, 11> kOptions = {{
    {"performance_hint", ASSAY_OPTION_CHOICE, 0, kAuto, 0, 0, kHints.data(),
     "what OpenVINO sets streams and threads up for; auto: as --for says"},
    {"streams", ASSAY_OPTION_INT, 0, kAuto, 1, kMostStreams, nullptr,
     "batches computed side by side, each on its share of the threads; auto: by the performance hint"},
    {"requests", ASSAY_OPTION_INT, 0, kAuto, 1, kMostRequests, nullptr,
     "limit for the streams that the performance hint makes; auto: the batches in flight"},
    {"pinning", ASSAY_OPTION_BOOL, 0, kAuto, 0, 0, nullptr,
     "bind each thread to a core; auto: OpenVINO's choice for the machine"},
    {"hyper_threading", ASSAY_OPTION_BOOL, 0, kAuto, 0, 0, nullptr,
     "use both threads of a core; auto: OpenVINO's choice (not for latency)"},
    {"cores", ASSAY_OPTION_CHOICE, 0, "any", 0, 0, kCores.data(), "which cores of a hybrid processor to use"},
    {"partitioner", ASSAY_OPTION_CHOICE, 0, kAuto, 0, 0, kPartitioners.data(),
     "how TBB shares a layer out over threads; auto: OpenVINO's choice"},
    {"execution_mode", ASSAY_OPTION_CHOICE, ASSAY_OPTION_SHAPES_GRAPH, "performance", 0, 0, kModes.data(),
     "accuracy: never a lower precision than the model's, whatever it costs"},
    {"dynamic_quantization", ASSAY_OPTION_BOOL, ASSAY_OPTION_SHAPES_GRAPH, "false", 0, 0, nullptr,
     "quantize the activations of layers whose weights are compressed (less exact)"},
    {"denormals_as_zero", ASSAY_OPTION_BOOL, 0, kAuto, 0, 0, nullptr,
     "flush denormal numbers to zero; auto: OpenVINO's choice"},
    {"mmap", ASSAY_OPTION_BOOL, 0, "true", 0, 0, nullptr, "map the model's weights instead of reading them"},
}};

const char* yes_or_no(const std::string& value) { return value == "true" ? "YES" : "NO"; }

std::string hint(const kit::OpenRequest& request) {
  const std::string asked = request.option("performance_hint", kAuto);
  if (asked == "latency") return "LATENCY";
  if (asked == "throughput") return "THROUGHPUT";
  return request.goal == ASSAY_GOAL_LATENCY ? "LATENCY" : "THROUGHPUT";
}

/// Adds `key` with what `translate` makes of the option, unless it was left to OpenVINO.
template <class Translate>
void add(Properties& to, const kit::OpenRequest& request, const char* option, const char* key, Translate translate) {
  const std::string value = request.option(option, kAuto);
  if (value != kAuto) to.emplace_back(key, translate(value));
}

}  // namespace

std::span<const assay_option> option_table() { return kOptions; }

void check_precision(assay_precision precision, const cpu_features::CpuFeatures& cpu, bool quantized_model) {
  const std::string here = cpu.described();
  switch (precision) {
    case ASSAY_PRECISION_F32:
      return;
    case ASSAY_PRECISION_BF16:
      if (cpu.computes_bf16()) return;
      throw kit::Failure(ASSAY_UNSUPPORTED, "bf16 needs a CPU with avx512_bf16 or amx_bf16, and " + here +
                                                " has neither: OpenVINO would emulate it, slower than f32. Use f32.");
    case ASSAY_PRECISION_F16:
      if (cpu.computes_f16()) return;
      throw kit::Failure(ASSAY_UNSUPPORTED, "f16 needs a CPU with avx512_fp16 or amx_fp16, and " + here +
                                                " has neither: OpenVINO would compute in f32 and not say so. Use f32.");
    case ASSAY_PRECISION_INT8:
      if (quantized_model) return;
      throw kit::Failure(ASSAY_UNSUPPORTED,
                         "int8 is a property of the model for OpenVINO, and this one holds no QuantizeLinear or "
                         "DequantizeLinear: quantize it first (a QDQ model), or use f32");
    default:
      throw kit::Failure(ASSAY_UNSUPPORTED, "OpenVINO's CPU device knows f32, bf16, f16 and int8 only");
  }
}

const char* precision_hint(assay_precision precision) {
  switch (precision) {
    case ASSAY_PRECISION_BF16:
      return "bf16";
    case ASSAY_PRECISION_F16:
      return "f16";
    default:
      return "f32";
  }
}

Properties core_properties(const kit::OpenRequest& request) {
  return {{"ENABLE_MMAP", yes_or_no(request.option("mmap", "true"))}};
}

Properties compile_properties(const kit::OpenRequest& request) {
  Properties p;
  p.emplace_back("PERFORMANCE_HINT", hint(request));
  // Never left to OpenVINO: on a processor with bf16 it would choose bf16 for an f32 model by itself.
  p.emplace_back("INFERENCE_PRECISION_HINT", precision_hint(request.precision));
  p.emplace_back("INFERENCE_NUM_THREADS", std::to_string(request.threads));
  const auto same = [](const std::string& value) { return value; };
  add(p, request, "streams", "NUM_STREAMS", same);
  if (request.option("requests", kAuto) != kAuto) {
    p.emplace_back("PERFORMANCE_HINT_NUM_REQUESTS", request.option("requests", kAuto));
  } else if (request.in_flight > 0) {
    p.emplace_back("PERFORMANCE_HINT_NUM_REQUESTS", std::to_string(request.in_flight));
  }
  if (request.option("pinning", kAuto) != kAuto || !request.shared_cores) {
    add(p, request, "pinning", "ENABLE_CPU_PINNING", yes_or_no);
  } else {
    p.emplace_back("ENABLE_CPU_PINNING", "NO");
  }
  add(p, request, "hyper_threading", "ENABLE_HYPER_THREADING", yes_or_no);
  add(p, request, "denormals_as_zero", "CPU_DENORMALS_OPTIMIZATION", yes_or_no);
  const std::string cores = request.option("cores", "any");
  if (cores != "any") p.emplace_back("SCHEDULING_CORE_TYPE", cores == "performance" ? "PCORE_ONLY" : "ECORE_ONLY");
  add(p, request, "partitioner", "TBB_PARTITIONER",
      [](const std::string& value) { return value == "static" ? "STATIC" : "AUTO"; });
  p.emplace_back("EXECUTION_MODE_HINT",
                 request.option("execution_mode", "performance") == "accuracy" ? "ACCURACY" : "PERFORMANCE");
  if (request.option("dynamic_quantization", "false") != "true") {
    p.emplace_back("DYNAMIC_QUANTIZATION_GROUP_SIZE", "0");
  }
  if (request.profile) p.emplace_back("PERF_COUNT", "YES");
  return p;
}

}  // namespace assay::openvino
