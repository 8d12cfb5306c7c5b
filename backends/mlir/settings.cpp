#include "settings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "compiler/passes/pass.hpp"

namespace assay::mlir_backend {
namespace {

constexpr const char* kAuto = "auto";
constexpr double kMostThreads = 1024, kMostSeconds = 3600;
constexpr std::array<const char*, 3> kMath = {"fast", "strict", nullptr};
constexpr std::array<const char*, 4> kShortBatch = {kAuto, "pad", "compile", nullptr};
constexpr std::array<const char*, 4> kTargets = {"host", "avx512", "avx2", nullptr};

/// The compiler's own table, as the boundary has lists.
const char* const* pass_names() {
  static const std::vector<const char*> kNames = [] {
    std::vector<const char*> names;
    for (const compiler::Pass& pass : compiler::passes()) names.push_back(pass.name);
    names.push_back(nullptr);
    return names;
  }();
  return kNames.data();
}

const std::array<assay_option, 8> kOptions = {{
    {"streams", ASSAY_OPTION_INT, 0, kAuto, 1, kMostThreads, nullptr,
     "batches computed side by side, each by its share of the threads; auto: 1 for latency, one a thread for "
     "throughput"},
    {"spin", ASSAY_OPTION_BOOL, 0, kAuto, 0, 0, nullptr,
     "threads of a stream wait awake between the steps of a batch; auto: where no other session "
     "of Assay shares the cores"},
    {"target", ASSAY_OPTION_CHOICE, ASSAY_OPTION_SHAPES_GRAPH, "host", 0, 0, kTargets.data(),
     "the instructions that are compiled for"},
    {"math", ASSAY_OPTION_CHOICE, ASSAY_OPTION_SHAPES_GRAPH, "fast", 0, 0, kMath.data(),
     "fast: convolutions by Winograd's method, too, where it takes less time, which rounds otherwise; strict: none so"},
    {"short_batch", ASSAY_OPTION_CHOICE, 0, "auto", 0, 0, kShortBatch.data(),
     "what becomes of a last batch that is shorter. pad: it is filled up, which costs a whole batch each time; "
     "compile: each size is compiled for when a session first meets it, which takes seconds; auto: filled up until "
     "that has wasted the time that compiling takes, then compiled for"},
    {"autotune", ASSAY_OPTION_INT, ASSAY_OPTION_SHAPES_GRAPH, "0", 0, kMostSeconds, nullptr,
     "seconds to measure other ways of computing each convolution than the one that a model of the CPU finds best, "
     "when "
     "a model is first opened; the result goes into the cache"},
    {"without", ASSAY_OPTION_LIST, ASSAY_OPTION_SHAPES_GRAPH, "", 0, 0, pass_names(),
     "passes that are left out, to see what each is worth"},
    {"dump", ASSAY_OPTION_TEXT, 0, "", 0, 0, nullptr,
     "a folder, which must exist, to write each stage to: the graph, the steps, MLIR before and after its passes, "
     "LLVM's form, assembly"},
}};

int number(const kit::OpenRequest& request, const char* option, int automatic) {
  const std::string value = request.option(option, kAuto);
  return value == kAuto ? automatic : std::stoi(value);
}

/// Told before anything is compiled, with the path in full: a worker's folder may be another than the user thinks.
void check_dump_folder(const std::string& folder) {
  if (folder.empty()) return;
  std::error_code ignored;
  const char* why = nullptr;
  if (!std::filesystem::exists(folder, ignored)) {
    why = "does not exist: create it, or name another";
  } else if (!std::filesystem::is_directory(folder, ignored)) {
    why = "is no folder: name one that exists";
  } else if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    why = "cannot be written to: change its permissions, or name another";
  }
  if (why == nullptr) return;
  throw kit::Failure(
      ASSAY_INVALID_ARGUMENT,
      "option mlir.dump: '" + std::filesystem::absolute(folder, ignored).lexically_normal().string() + "' " + why);
}

}  // namespace

std::span<const assay_option> option_table() { return kOptions; }

Settings settings_of(const kit::OpenRequest& request) {
  if (request.precision != ASSAY_PRECISION_F32) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "the MLIR compiler computes in f32 only: use f32");
  }
  Settings s;
  s.streams = number(request, "streams", request.goal == ASSAY_GOAL_LATENCY ? 1 : request.threads);
  s.threads_of_stream = std::max(1, request.threads / s.streams);
  const std::string spin = request.option("spin", kAuto);
  s.spin = spin == kAuto ? !request.shared_cores : spin == "true";
  s.target = request.option("target", "host");
  s.strict = request.option("math", "fast") == "strict";
  const std::string short_batch = request.option("short_batch", kAuto);
  if (short_batch != kAuto) s.short_batch = short_batch == "pad" ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
  s.autotune_s = number(request, "autotune", 0);
  s.without = request.option("without", "");
  s.dump = request.option("dump", "");
  check_dump_folder(s.dump);
  return s;
}

}  // namespace assay::mlir_backend
