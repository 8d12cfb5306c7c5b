#include "options.hpp"

namespace assay::null_backend {
namespace {

constexpr const char* kTimes[] = {"copy_in", "compute", "copy_out", nullptr};
constexpr const char* kShortBatches[] = {"reshape", "pad", nullptr};
// By the status that they stand for.
constexpr const char* kFailures[] = {"invalid_argument", "invalid_model", "unsupported", "unavailable", "out_of_memory",
                                     "framework",        "device_lost",   "internal",    nullptr};

assay_option text(const char* name, const char* value, const char* meaning, std::uint32_t flags = 0) {
  return {name, ASSAY_OPTION_TEXT, flags, value, 0, 0, nullptr, meaning};
}
assay_option number(const char* name, assay_option_type type, const char* value, double least, double most,
                    const char* meaning) {
  return {name, type, 0, value, least, most, nullptr, meaning};
}

const assay_option kOptions[] = {
    text("io", "input:float32:-1x3x224x224->output:float32:-1x1000",
         "the pretended model: inputs->outputs, each name:type:shape; where it is not given, the model's own",
         ASSAY_OPTION_SHAPES_GRAPH | ASSAY_OPTION_SIGNATURE),
    number("compute_ms", ASSAY_OPTION_REAL, "0", 0, 1e6, "time that a batch takes on the device, milliseconds"),
    number("jitter", ASSAY_OPTION_REAL, "0", 0, 1, "compute_ms varies by up to this share, either way"),
    number("noise_seed", ASSAY_OPTION_INT, "1", 0, 1e9, "of the variation"),
    number("copy_in_gb_s", ASSAY_OPTION_REAL, "0", 0, 1e6,
           "of the device gpu:0: bandwidth into its memory, GB/s; 0: no time"),
    number("copy_out_gb_s", ASSAY_OPTION_REAL, "0", 0, 1e6, "the same out of it"),
    number("launch_ms", ASSAY_OPTION_REAL, "0", 0, 1e6,
           "of the device gpu:0: time that the host takes to launch a batch's computing, milliseconds"),
    number("held_by", ASSAY_OPTION_INT, "0", 0, 64,
           "of the device gpu:0: a batch is not done before so many later ones were handed over"),
    number("held_batches", ASSAY_OPTION_INT, "0", 0, 1e9,
           "of held_by: how many batches there will be, after which none is waited for"),
    number("device_memory_mb", ASSAY_OPTION_INT, "0", 0, 1e6, "of the device gpu:0: its memory, MiB; 0: any"),
    number("open_ms", ASSAY_OPTION_REAL, "0", 0, 1e6,
           "time that opening takes when the graph is not in the cache, milliseconds"),
    number("memory_mb", ASSAY_OPTION_INT, "0", 0, 1e6, "memory that a session eats, MiB"),
    number("values_seed", ASSAY_OPTION_INT, "0", 0, 1e9, "another one gives other outputs for the same inputs"),
    text(
        "fail_at", "",
        "phase[:n] at which an error is answered, the n-th time: open, cache_read, cache_fill, describe, slot, submit, "
        "run, copy"),
    {"fail_as", ASSAY_OPTION_CHOICE, 0, "framework", 0, 0, kFailures, "the kind of error of fail_at"},
    text("hang_at", "", "the same, to hang for ever"),
    text("crash_at", "", "the same, to die by crash_signal"),
    number("crash_signal", ASSAY_OPTION_INT, "11", 1, 64, "the signal of crash_at"),
    number("useful_slots", ASSAY_OPTION_INT, "2", 1, 64, "batches outstanding that are called useful"),
    {"short_batch", ASSAY_OPTION_CHOICE, 0, "reshape", 0, 0, kShortBatches,
     "what is called faster for a last batch that is short"},
    number("alignment", ASSAY_OPTION_INT, "64", 1, 4096, "bytes to which memory is asked to be aligned"),
    {"computes_in_wait", ASSAY_OPTION_BOOL, 0, "false", 0, 0, nullptr, "ask for a thread of the host's for each batch"},
    {"untold", ASSAY_OPTION_LIST, 0, "", 0, 0, kTimes,
     "times of a batch that are not told, as of a framework without them"},
    text("reads_back", "", "KEY=VALUE: what is said to be in force, whatever is: to be found out"),
    {"any_precision", ASSAY_OPTION_BOOL, 0, "false", 0, 0, nullptr, "pretend to compute in any precision"},
};

std::string value(const kit::OpenRequest& request, const std::string& name) {
  for (const assay_option& option : kOptions) {
    if (name == option.name) return request.option(name, option.default_value);
  }
  throw kit::Failure(ASSAY_INTERNAL, "the null backend's table has no option " + name);
}

}  // namespace

std::span<const assay_option> option_table() { return kOptions; }

Settings read_settings(const kit::OpenRequest& request) {
  Settings s;
  s.io = value(request, "io");
  s.fail_at = value(request, "fail_at");
  const std::string failure = value(request, "fail_as");
  for (std::size_t i = 0; kFailures[i] != nullptr; ++i) {
    if (failure == kFailures[i]) s.fail_as = static_cast<assay_status>(i + 1);
  }
  s.reads_back = value(request, "reads_back");
  for (const std::string& time : request.elements("untold", "")) {
    s.tells_copy_in = s.tells_copy_in && time != "copy_in";
    s.tells_compute = s.tells_compute && time != "compute";
    s.tells_copy_out = s.tells_copy_out && time != "copy_out";
  }
  s.hang_at = value(request, "hang_at");
  s.crash_at = value(request, "crash_at");
  s.compute_ms = std::stod(value(request, "compute_ms"));
  s.copy_in_gb_s = std::stod(value(request, "copy_in_gb_s"));
  s.copy_out_gb_s = std::stod(value(request, "copy_out_gb_s"));
  s.launch_ms = std::stod(value(request, "launch_ms"));
  s.held_by = std::stoull(value(request, "held_by"));
  s.held_batches = std::stoull(value(request, "held_batches"));
  s.device_memory_mb = std::stoull(value(request, "device_memory_mb"));
  s.open_ms = std::stod(value(request, "open_ms"));
  s.jitter = std::stod(value(request, "jitter"));
  s.crash_signal = std::stoi(value(request, "crash_signal"));
  s.useful_slots = std::stoi(value(request, "useful_slots"));
  s.alignment = static_cast<std::uint32_t>(std::stoul(value(request, "alignment")));
  s.memory_mb = std::stoull(value(request, "memory_mb"));
  s.noise_seed = std::stoull(value(request, "noise_seed"));
  s.values_seed = std::stoull(value(request, "values_seed"));
  s.computes_in_wait = value(request, "computes_in_wait") == "true";
  s.pad = value(request, "short_batch") == "pad";
  return s;
}

const char* precision_name(assay_precision precision) {
  constexpr const char* kNames[] = {"f32", "bf16", "f16", "int8"};
  return precision >= ASSAY_PRECISION_F32 && precision <= ASSAY_PRECISION_INT8 ? kNames[precision] : "unknown";
}

}  // namespace assay::null_backend
