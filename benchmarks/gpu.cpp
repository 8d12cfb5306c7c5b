// bench_gpu MODEL BACKEND [--batch N,…] [--precision f32,f16] [--processes N] [--rounds N] [--seconds S]
// On the first GPU that CUDA sees, BACKEND onnxruntime or tensorrt:
//   throughput through predict over a plain loop on device memory with copies included, as many batches outstanding;
//   in f16, overlapped over synchronous: as many batches outstanding as the engine likes over one, at --overlap-batch
//   8; of TensorRT, the load from the cache over the build.
// Each of N processes interleaves its two arms; the figures are medians over processes with a 95 % interval. A figure
// that cannot be had is named, and the others are taken all the same. Exit 1 where there was one, or where a bound is
// missed, 2 where there is no GPU, with the backend's own reason. MODEL has one float input and one
// float output, in f32: f16 is that file converted.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arms.hpp"
#include "backend/backend.hpp"
#include "base/cpu.hpp"
#include "base/file.hpp"
#include "core/case.hpp"
#include "native.hpp"
#include "onnx_graph/float16.hpp"

namespace assay::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDevice = "gpu:0";
constexpr const char* kTensorRt = "tensorrt";
constexpr const char* kEngineFile = "model.engine";  // as the plugin calls it in its cache
constexpr double kOverLoop = 0.98, kOverlapped = 1.2, kCachedOverBuild = 0.1;
constexpr int kNoGpu = 2;

struct Arguments {
  std::string model, backend;
  std::vector<std::int64_t> batches = {1, 8, 64};
  std::vector<std::string> precisions = {"f32", "f16"};
  std::int64_t overlap_batch = 8;
  int processes = 10, rounds = 4;
  double seconds = 1.5;
  // Of a child, which takes one figure once:
  std::string once, cache;
  bool other_first = false;
};

/// Why the backend has no GPU here; "" where it has one.
std::string why_no_gpu(const std::string& backend) {
  const backend::Probe probe = backend::load_backend(backend).probe();
  if (!probe.available) return probe.reason;
  for (const backend::Device& d : probe.devices) {
    if (d.name == kDevice) return "";
  }
  return probe.absent.empty() ? "it knows of no GPU" : probe.absent;
}

Params params_of(const Arguments& a, int in_flight) {
  return {.backend = a.backend,
          .device = kDevice,
          .batch_size = a.batches.at(0),
          .in_flight = in_flight,
          .threads = allowed_cores(),
          .precision = precision_from_string(a.precisions.at(0)),
          .cache = a.cache};
}

std::unique_ptr<NativeLoop> native(const Arguments& a, const NativeSettings& settings) {
#ifdef ASSAY_WITH_TENSORRT
  if (a.backend == kTensorRt) return native_tensorrt(settings);
#endif
  if (a.backend == "onnxruntime") return native_onnxruntime_gpu(settings);
  native_failure("there is no plain loop over " + a.backend);
}

ArmsSetup setup_of(const Arguments& a, const Session& session) {
  return {
      session.inputs().at(0), session.outputs().at(0), a.batches.at(0), 2 * session.in_flight(), a.rounds, a.seconds};
}

/// Predict's throughput over the plain loop's, in this process.
double over_loop_once(const Arguments& a) {
  const auto loaded = [&] { return std::make_unique<Session>(load(a.model, params_of(a, 0))); };
  std::unique_ptr<Session> session = loaded();
  const TensorInfo in = session->inputs().at(0), out = session->outputs().at(0);
  const NativeSettings settings = {.model = a.model,
                                   .library = backend::load_backend(a.backend).probe().library,
                                   .graph = a.backend == kTensorRt ? file_in(a.cache, kEngineFile) : "",
                                   .in_flight = session->in_flight(),
                                   .in_force = session->in_force(),
                                   .input = in.name,
                                   .output = out.name,
                                   .input_shape = with_batch(in, a.batches.at(0)),
                                   .output_shape = with_batch(out, a.batches.at(0))};
  // Which is loaded first decides which memory each gets.
  if (a.other_first) session.reset();
  const auto loop = native(a, settings);
  if (a.other_first) session = loaded();
  const Answer through_predict = [&](const Tensor& x, Tensor& y, int) { predict_into(*session, x, y); };
  const Answer plain = [&](const Tensor& x, Tensor& y, int batches) {
    loop->predict(x.as<float>(), y.as<float>(), batches);
  };
  return throughput_ratio(through_predict, plain, setup_of(a, *session));
}

/// As many batches outstanding as the engine likes, over one.
double overlap_once(const Arguments& a) {
  const auto loaded = [&](int in_flight) { return std::make_unique<Session>(load(a.model, params_of(a, in_flight))); };
  std::unique_ptr<Session> overlapped, synchronous;
  if (!a.other_first) overlapped = loaded(0);
  synchronous = loaded(1);
  if (a.other_first) overlapped = loaded(0);
  const auto through = [](Session& session) -> Answer {
    return [&session](const Tensor& x, Tensor& y, int) { predict_into(session, x, y); };
  };
  return throughput_ratio(through(*overlapped), through(*synchronous), setup_of(a, *overlapped));
}

/// Milliseconds of one load in this process, which has opened the library before.
double load_once(const Arguments& a) {
  (void)backend::load_backend(a.backend).probe();
  const Session session = load(a.model, params_of(a, 0));
  if (!a.cache.empty() && !session.from_cache()) std::fprintf(stderr, "%s\n", session.cache_remark().c_str());
  return static_cast<double>(session.load_time().count()) * 1e-6;
}

/// Whether `take` answers that its figure keeps its bound. What the figure fails of is said on stderr: a command with
/// paths in it, below what its process said.
template <class Take>
bool taken(const std::string& title, const Take& take) {
  try {
    return take();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", title.c_str(), e.what());
    std::printf("%s: FAILED, no figure\n", title.c_str());
    std::fflush(stdout);
    return false;
  }
}

/// The figures of one precision, each of children of this program.
class Figures {
 public:
  Figures(const Arguments& arguments, std::string precision)
      : a_(arguments), precision_(std::move(precision)), model_(a_.model) {
    if (precision_ != to_string(Precision::kFloat16)) return;
    model_ = folder_.path() / "float16.onnx";
    write_file_atomically(model_, onnx_graph::in_float16(onnx_graph::read(a_.model)));
  }

  bool over_loop() {
    bool kept = true;
    for (const std::int64_t batch : a_.batches) {
      kept = show_ratios("loop", batch, "predict over a plain loop", kOverLoop) && kept;
    }
    return kept;
  }
  bool overlap() {
    return show_ratios("overlap", a_.overlap_batch, "overlapped over one batch at a time", kOverlapped);
  }
  bool cached_load() {
    return taken(fmt::format("{} {}, cached load over the build", a_.backend, precision_), [this] { return loads(); });
  }

 private:
  bool loads() {
    const fs::path cache = folder_.path() / "loads";
    const auto load_ms = [&](const fs::path& from) {
      return number_from(command("load", a_.overlap_batch, from, false));
    };
    load_ms(cache);  // fills it
    const Pairs pairs = interleave(a_.processes, [&] { return load_ms(cache); }, [&] { return load_ms({}); });
    std::printf("%s %s, load of a new process at batch %lld: cached %.0f ms, built %.0f ms\n", a_.backend.c_str(),
                precision_.c_str(), static_cast<long long>(a_.overlap_batch), median_of(pairs.a).value,
                median_of(pairs.b).value);
    return show("  cached load over the build", median_ratio(pairs), "x", kCachedOverBuild, true);
  }

  [[nodiscard]] std::string command(const char* once, std::int64_t batch, const fs::path& cache,
                                    bool other_first) const {
    const std::string with_cache = cache.empty() ? "" : fmt::format(" --cache '{}'", cache.string());
    return fmt::format("'{}' '{}' {} --once {} --batch {} --precision {} --rounds {} --seconds {}{}{}",
                       executable_path().string(), model_.string(), a_.backend, once, batch, precision_, a_.rounds,
                       a_.seconds, with_cache, other_first ? " --other-first" : "");
  }
  bool show_ratios(const char* once, std::int64_t batch, const char* what, double bound) {
    const std::string title = fmt::format("{} {}, batch {}: {}", a_.backend, precision_, batch, what);
    return taken(title, [&] { return show(title.c_str(), ratios(once, batch), "x", bound, false); });
  }
  Figure ratios(const char* once, std::int64_t batch) {
    // A cache of their own: an engine is built once for all of the processes.
    const fs::path cache = folder_.path() / fmt::format("{}_{}", once, batch);
    std::vector<double> all;
    for (int process = 0; process < a_.processes; ++process) {
      all.push_back(number_from(command(once, batch, cache, process % 2 == 1)));
    }
    return median_of(std::move(all));
  }

  const Arguments& a_;
  std::string precision_;
  TemporaryFolder folder_;
  fs::path model_;
};

bool figures_in(const Arguments& a, const std::string& precision) {
  Figures figures(a, precision);
  bool kept = figures.over_loop();
  if (precision == to_string(Precision::kFloat16)) kept = figures.overlap() && kept;
  if (a.backend == kTensorRt) kept = figures.cached_load() && kept;
  return kept;
}

bool all_figures(const Arguments& a) {
  bool kept = true;
  for (const std::string& precision : a.precisions) {
    // A model that cannot be converted ends the figures of its precision alone.
    kept = taken(a.backend + " " + precision, [&] { return figures_in(a, precision); }) && kept;
  }
  return kept;
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("Assay on a GPU against plain loops over the frameworks' own interfaces");
  app.add_option("MODEL", a.model, "an ONNX file in f32")->required();
  app.add_option("BACKEND", a.backend, "onnxruntime or tensorrt")->required();
  app.add_option("--batch", a.batches, "N,…")->delimiter(',');
  app.add_option("--precision", a.precisions, "f32,f16")->delimiter(',');
  app.add_option("--overlap-batch", a.overlap_batch, "of overlapping and of loads");
  app.add_option("--processes", a.processes, "for each figure");
  app.add_option("--rounds", a.rounds, "of each arm in a process");
  app.add_option("--seconds", a.seconds, "a round, about");
  app.add_option("--once", a.once, "")->group("");  // no group: for children of this program
  app.add_option("--cache", a.cache, "")->group("");
  app.add_flag("--other-first", a.other_first, "")->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  return a;
}

int run(const Arguments& a) {
  if (a.once.empty()) {
    const std::string why = why_no_gpu(a.backend);
    if (why.empty()) return all_figures(a) ? 0 : 1;
    fmt::print(stderr, "bench_gpu needs an NVIDIA GPU that {} can use, and here: {}\n", a.backend, why);
    return kNoGpu;
  }
  const double figure = a.once == "loop" ? over_loop_once(a) : a.once == "overlap" ? overlap_once(a) : load_once(a);
  fmt::print("{:.6f}\n", figure);
  return 0;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  try {
    return assay::bench::run(assay::bench::parse(argc, argv));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
