#include "settings.hpp"

#include <array>

#include "model_kind.hpp"
#include "wire.hpp"

namespace assay::tensorflow {
namespace {

constexpr const char* kAuto = "auto";
constexpr double kMostThreads = 1024;

constexpr std::array<const char*, 3> kLayouts = {"channels_last", "channels_first", nullptr};
constexpr std::array<const char*, 4> kPasses = {kAuto, "few", "all", nullptr};
constexpr std::array<const char*, 4> kConversions = {"none", "to_channels_last", "to_channels_first", nullptr};

const std::array<assay_option, 15> kOptions = {{
    {"xla", ASSAY_OPTION_BOOL, ASSAY_OPTION_SHAPES_GRAPH, "false", 0, 0, nullptr,
     "compile clusters of operations with XLA, at the first batch of each shape"},
    {"jit_level", ASSAY_OPTION_INT, 0, "2", 1, 2, nullptr, "how eagerly XLA is used where it is on"},
    {"intra_op_threads", ASSAY_OPTION_INT, 0, kAuto, 1, kMostThreads, nullptr,
     "threads within an operation, of the whole process; auto: the threads asked for"},
    {"inter_op_threads", ASSAY_OPTION_INT, 0, kAuto, 1, kMostThreads, nullptr,
     "operations, and batches, that run side by side; auto: as many as streams"},
    {"streams", ASSAY_OPTION_INT, 0, kAuto, 1, kMostThreads, nullptr,
     "batches computed side by side; auto: 1 for latency, 2 for throughput"},
    {"onednn", ASSAY_OPTION_BOOL, ASSAY_OPTION_SHAPES_GRAPH, kAuto, 0, 0, nullptr,
     "oneDNN's kernels where XLA does not compile, for the whole process; auto: TF_ENABLE_ONEDNN_OPTS, on without"},
    {"layout", ASSAY_OPTION_CHOICE, ASSAY_OPTION_SHAPES_GRAPH, "channels_last", 0, 0, kLayouts.data(),
     "of images in the graph; an ONNX file has channels first"},
    {"layout_conversion", ASSAY_OPTION_CHOICE, ASSAY_OPTION_SHAPES_GRAPH, "none", 0, 0, kConversions.data(),
     "grappler's layout optimizer for the CPU"},
    {"remapper", ASSAY_OPTION_BOOL, ASSAY_OPTION_SHAPES_GRAPH, kAuto, 0, 0, nullptr,
     "grappler fuses operations, such as Conv2D and Relu; auto: without XLA, which does not compile the fused ones"},
    {"constant_folding", ASSAY_OPTION_BOOL, ASSAY_OPTION_SHAPES_GRAPH, "true", 0, 0, nullptr,
     "grappler computes what is constant once"},
    {"passes", ASSAY_OPTION_CHOICE, ASSAY_OPTION_SHAPES_GRAPH, kAuto, 0, 0, kPasses.data(),
     "grappler's: few: the two above and what is asked for, once; all: TensorFlow's own choice, twice over, for which "
     "a large model waits; auto: few for an ONNX file"},
    {"grappler", ASSAY_OPTION_BOOL, ASSAY_OPTION_SHAPES_GRAPH, "true", 0, 0, nullptr,
     "TensorFlow's graph optimizer; false: none of its passes"},
    {"signature", ASSAY_OPTION_TEXT, 0, "serving_default", 0, 0, nullptr,
     "of a SavedModel: which of its signatures names the inputs and outputs"},
    {"inputs", ASSAY_OPTION_TEXT, 0, kAuto, 0, 0, nullptr,
     "of a frozen graph (*.pb): name:0,name2:0; auto: its placeholders"},
    {"outputs", ASSAY_OPTION_TEXT, 0, kAuto, 0, 0, nullptr,
     "of a frozen graph (*.pb): name:0,name2:0; auto: what no operation takes"},
}};

bool is_true(const kit::OpenRequest& request, const char* option) { return request.option(option, "true") == "true"; }

int number(const kit::OpenRequest& request, const char* option, int automatic) {
  const std::string value = request.option(option, kAuto);
  return value == kAuto ? automatic : std::stoi(value);
}

void check_precision(assay_precision precision, const cpu_features::CpuFeatures& cpu) {
  const std::string here = cpu.described();
  switch (precision) {
    case ASSAY_PRECISION_F32:
      return;
    case ASSAY_PRECISION_BF16:
      if (cpu.computes_bf16()) return;
      throw kit::Failure(ASSAY_UNSUPPORTED, "bf16 needs a CPU with avx512_bf16 or amx_bf16, and " + here +
                                                " has neither: TensorFlow would emulate it. Use f32.");
    case ASSAY_PRECISION_F16:
      throw kit::Failure(ASSAY_UNSUPPORTED,
                         "TensorFlow has no automatic f16 on the CPU: convert the model to float16, or use f32");
    default:
      throw kit::Failure(ASSAY_UNSUPPORTED,
                         "TensorFlow computes a quantized (QDQ) model in f32 here, which would be no int8: use f32");
  }
}

// Field numbers of config.proto and rewriter_config.proto.
namespace field {
constexpr int kIntraOpThreads = 2, kInterOpThreads = 5, kUsePerSessionThreads = 9;
constexpr int kAllowSoftPlacement = 7, kGraphOptions = 10;                        // ConfigProto
constexpr int kOptimizerOptions = 3, kRewriteOptions = 10;                        // GraphOptions
constexpr int kOptLevel = 3, kGlobalJitLevel = 5, kCpuGlobalJit = 7;              // OptimizerOptions
constexpr int kConstantFolding = 3, kRemapping = 14, kDisableMetaOptimizer = 19;  // RewriterConfig
constexpr int kMixedPrecisionBf16 = 31, kCpuLayoutConversion = 50;
constexpr int kIterations = 12, kMemory = 4;
/// Arithmetic, dependency, loop, function, shape, implementation selector, common subgraphs: what a translated graph
/// has no need of. Each of them copies the graph, with its weights.
constexpr std::array kNotNeeded = {7, 8, 9, 10, 13, 22, 24};
constexpr int kLayout = 1;
}  // namespace field

constexpr int kJitOff = -1, kNotOptimized = -1;
constexpr int kToggleOn = 1, kToggleOff = 2;
constexpr int kOnce = 1, kNoMemoryOptimization = 1;

}  // namespace

std::span<const assay_option> option_table() { return kOptions; }

Settings settings_of(const kit::OpenRequest& request, const cpu_features::CpuFeatures& cpu) {
  check_precision(request.precision, cpu);
  Settings s;
  s.xla = request.option("xla", "false") == "true";
  s.jit_level = number(request, "jit_level", 2);
  s.streams = number(request, "streams", request.goal == ASSAY_GOAL_LATENCY ? 1 : 2);
  s.intra_op_threads = number(request, "intra_op_threads", request.threads);
  s.inter_op_threads = number(request, "inter_op_threads", s.streams);
  const std::string onednn = request.option("onednn", kAuto);
  if (onednn != kAuto) s.onednn = onednn == "true";
  s.channels_last = request.option("layout", "channels_last") == "channels_last";
  const std::string conversion = request.option("layout_conversion", "none");
  if (conversion == "to_channels_last") s.conversion = LayoutConversion::kToChannelsLast;
  if (conversion == "to_channels_first") s.conversion = LayoutConversion::kToChannelsFirst;
  const std::string remapper = request.option("remapper", kAuto);
  s.remapper = remapper == kAuto ? !s.xla : remapper == "true";
  s.constant_folding = is_true(request, "constant_folding");
  s.grappler = is_true(request, "grappler");
  const std::string passes = request.option("passes", kAuto);
  s.few_passes = passes == kAuto ? kind_of(request.model_path) == ModelKind::kOnnx : passes == "few";
  s.bf16 = request.precision == ASSAY_PRECISION_BF16;
  return s;
}

std::string config_proto(const Settings& s) {
  MessageWriter optimizer;
  optimizer.integer(field::kGlobalJitLevel, s.xla ? s.jit_level : kJitOff);
  optimizer.integer(field::kCpuGlobalJit, s.xla ? 1 : 0);
  if (!s.graph_optimizer) optimizer.integer(field::kOptLevel, kNotOptimized);
  MessageWriter rewriter;
  rewriter.integer(field::kConstantFolding, s.constant_folding ? kToggleOn : kToggleOff);
  rewriter.integer(field::kRemapping, s.remapper ? kToggleOn : kToggleOff);
  if (!s.grappler) rewriter.integer(field::kDisableMetaOptimizer, 1);
  if (s.bf16) rewriter.integer(field::kMixedPrecisionBf16, kToggleOn);
  rewriter.integer(field::kCpuLayoutConversion, static_cast<int>(s.conversion));
  if (s.few_passes) {
    rewriter.integer(field::kIterations, kOnce).integer(field::kMemory, kNoMemoryOptimization);
    for (const int pass : field::kNotNeeded) rewriter.integer(pass, kToggleOff);
    if (s.conversion == LayoutConversion::kNone) rewriter.integer(field::kLayout, kToggleOff);
  }
  MessageWriter graph;
  graph.message(field::kOptimizerOptions, optimizer).message(field::kRewriteOptions, rewriter);
  MessageWriter config;
  config.integer(field::kIntraOpThreads, s.intra_op_threads);
  config.integer(field::kInterOpThreads, s.inter_op_threads);
  config.integer(field::kUsePerSessionThreads, 1);
  config.integer(field::kAllowSoftPlacement, 1);  // a model saved on another machine may name its GPU
  config.message(field::kGraphOptions, graph);
  return config.bytes();
}

void check_layout(const Settings& s) {
  const bool converted = s.grappler && s.conversion == LayoutConversion::kToChannelsLast;
  const bool first = !s.channels_last || (s.grappler && s.conversion == LayoutConversion::kToChannelsFirst);
  if (!first || converted || s.onednn.value_or(true)) return;
  throw kit::Failure(ASSAY_UNSUPPORTED,
                     "images with channels first were asked for, without oneDNN, and TensorFlow's own kernels for the "
                     "CPU take channels last only (XLA does not compile every graph): turn oneDNN on (--option "
                     "tensorflow.onednn=true), or leave layout and layout_conversion as they are");
}

const char* to_string(LayoutConversion conversion) { return kConversions[static_cast<std::size_t>(conversion)]; }

}  // namespace assay::tensorflow
