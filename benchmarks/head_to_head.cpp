// bench_head_to_head MODEL BACKEND [--batch N,…] [--goal throughput|latency] [--processes N] [--rounds N] [--seconds S]
//                    [--threads N]
// Throughput through predict against a plain loop over the framework's own interface with the same settings and as many
// batches outstanding, and the load from the cache against the load without. Each of N processes interleaves the two
// arms; the figures are medians over processes with a 95 % interval; exit 1 where a bound is missed. MODEL has one
// float input and one float output.

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "arms.hpp"
#include "backend/backend.hpp"
#include "base/cpu.hpp"
#include "base/file.hpp"
#include "native.hpp"

namespace assay::bench {
namespace {

struct Arguments {
  std::string model, backend;
  std::vector<std::int64_t> batches = {1, 8, 32};
  int processes = 10, rounds = 4, threads = allowed_cores();
  double seconds = 1.5;
  Goal goal = Goal::kThroughput;
  bool load_once = false, ratio_once = false, native_first = false;
  std::string load_cache;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--batch") {
      a.batches = numbers_of(value());
    } else if (word == "--rounds") {
      a.rounds = std::stoi(value());
    } else if (word == "--threads") {
      a.threads = std::stoi(value());
    } else if (word == "--seconds") {
      a.seconds = std::stod(value());
    } else if (word == "--processes") {
      a.processes = std::stoi(value());
    } else if (word == "--ratio-once") {
      a.ratio_once = true;
      a.native_first = value() == "1";
    } else if (word == "--load-once") {
      a.load_once = true;
      a.load_cache = value();
    } else if (word == "--goal") {
      a.goal = value() == "latency" ? Goal::kLatency : Goal::kThroughput;
    } else {
      (a.model.empty() ? a.model : a.backend) = word;
    }
  }
  return a;
}

/// This program again, for the same model and engine.
std::string command_of(const Arguments& a) {
  return fmt::format("{} {} {} --threads {} --goal {}", executable_path().string(), a.model, a.backend, a.threads,
                     a.goal == Goal::kLatency ? "latency" : "throughput");
}

std::unique_ptr<NativeLoop> native(const std::string& backend, const NativeSettings& settings) {
  if (backend == "openvino") return native_openvino(settings);
  return backend == "tensorflow" ? native_tensorflow(settings) : native_onnxruntime(settings);
}

/// Median ratio of throughputs, predict's over the plain loop's, in this process. Both arms answer the same batches in
/// the same memory; while one runs, the other's session is idle. Which is loaded first (`native_first`) decides which
/// memory each gets, and with it a per cent or so of its speed.
double ratio_once(const Arguments& a, std::int64_t batch, bool native_first) {
  const TemporaryFolder cache;
  Params params{.backend = a.backend, .goal = a.goal, .batch_size = batch, .threads = a.threads};
  if (a.backend == "tensorflow") params.cache = cache.path();
  std::optional<Session> session;
  session.emplace(load(a.model, params));
  const TensorInfo in = session->inputs().at(0), out = session->outputs().at(0);
  const NativeSettings settings = {.model = a.model,
                                   .library = backend::load_backend(a.backend).probe({}).library,
                                   .graph = file_in(cache.path(), "graph.pb"),
                                   .goal = a.goal,
                                   .in_flight = session->in_flight(),
                                   .in_force = session->in_force(),
                                   .input = in.name,
                                   .output = out.name,
                                   .input_shape = with_batch(in, batch),
                                   .output_shape = with_batch(out, batch)};
  if (native_first) session.reset();
  const auto loop = native(a.backend, settings);
  if (native_first) session.emplace(load(a.model, params));

  const Answer through_predict = [&](const Tensor& x, Tensor& y, int) { predict_into(*session, x, y); };
  const Answer plain = [&](const Tensor& x, Tensor& y, int batches) {
    loop->predict(x.as<float>(), y.as<float>(), batches);
  };
  return throughput_ratio(through_predict, plain, {in, out, batch, 2 * session->in_flight(), a.rounds, a.seconds});
}

bool throughput(const Arguments& a, std::int64_t batch) {
  std::vector<double> ratios;
  for (int process = 0; process < a.processes; ++process) {
    ratios.push_back(number_printed_by(fmt::format("{} --ratio-once {} --batch {} --rounds {} --seconds {}",
                                                   command_of(a), process % 2, batch, a.rounds, a.seconds)));
  }
  const std::string what = fmt::format("{} for {}, batch {}: predict over a plain loop", a.backend,
                                       a.goal == Goal::kLatency ? "latency" : "throughput", batch);
  return show(what.c_str(), median_of(ratios), "x", a.backend == "tensorflow" ? 0.98 : 0.99, false);
}

/// One load in this process, which does nothing else; milliseconds, the opening of the framework's library left out, as
/// in a worker. `cache` "": none.
double load_once(const Arguments& a, const std::string& cache) {
  (void)backend::load_backend(a.backend).probe({});
  const Session session =
      load(a.model, {.backend = a.backend, .goal = a.goal, .batch_size = 1, .threads = a.threads, .cache = cache});
  if (!cache.empty() && !session.from_cache()) std::fprintf(stderr, "%s\n", session.cache_remark().c_str());
  return static_cast<double>(session.load_time().count()) * 1e-6;
}

double bound_of_cached_load(const std::string& backend) {
  if (backend == "openvino") return 0.25;
  return backend == "tensorflow" ? 1 : 0.5;  // most of TensorFlow's load is in the first batch
}

/// Each load in a process of its own, as a service starts; the files are in the page cache.
bool loading(const Arguments& a) {
  const TemporaryFolder folder;
  const std::string self = command_of(a) + " --load-once ";
  const auto load_ms = [&](const std::string& cache) { return number_printed_by(self + "'" + cache + "'"); };
  number_printed_by(self + "'" + folder.path().string() + "' 2>/dev/null");  // fills it
  const Pairs pairs =
      interleave(a.processes, [&] { return load_ms(folder.path().string()); }, [&] { return load_ms(""); });
  std::printf("%s, load of a new process: cached %.0f ms, cold %.0f ms\n", a.backend.c_str(), median_of(pairs.a).value,
              median_of(pairs.b).value);
  return show("  cached load over the cold one", median_ratio(pairs), "x", bound_of_cached_load(a.backend), true);
}

}  // namespace

}  // namespace assay::bench

int main(int argc, char** argv) try {
  using namespace assay::bench;  // NOLINT
  const Arguments a = parse(argc, argv);
  if (a.backend.empty()) {
    std::fprintf(stderr,
                 "usage: bench_head_to_head MODEL BACKEND [--batch N,...] [--goal throughput|latency] [--processes N] "
                 "[--rounds N] [--seconds S] [--threads N]\n");
    return 2;
  }
  if (a.load_once) {
    std::printf("%.3f\n", load_once(a, a.load_cache));
    return 0;
  }
  if (a.ratio_once) {
    std::printf("%.6f\n", ratio_once(a, a.batches.at(0), a.native_first));
    return 0;
  }
  bool kept = loading(a);
  for (const std::int64_t batch : a.batches) kept = throughput(a, batch) && kept;
  return kept ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
