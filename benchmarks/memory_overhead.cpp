// What Assay itself adds in memory: PSS of a worker with the null backend and a 1 kB model, less that of a bare process
// that maps the same plugin. Arms interleaved; exit 1 beyond the bound.
#include <array>
#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "base/file.hpp"
#include "measure/statistics.hpp"
#include "model/zoo.hpp"
#include "worker/launcher.hpp"

namespace {

using namespace assay;

constexpr double kBoundMebibytes = 15;
constexpr int kRounds = 10;
constexpr double kMebibyte = 1024.0 * 1024.0;

double bare_mebibytes(const std::string& bare, const std::string& plugin) {
  const std::string command = "'" + bare + "' '" + plugin + "'";
  FILE* const pipe = ::popen(command.c_str(), "r");
  unsigned long long bytes = 0;
  const bool read = pipe != nullptr && std::fscanf(pipe, "%llu", &bytes) == 1;
  if (pipe == nullptr || ::pclose(pipe) != 0 || !read) throw Error(ErrorCode::kInternal, "the bare process failed");
  return static_cast<double>(bytes) / kMebibyte;
}

struct WorkerMemory {
  double resting = 0, peak = 0;
};

WorkerMemory worker_mebibytes(const std::filesystem::path& model) {
  worker::Request request;
  request.kind = worker::Request::Kind::kMemory;
  request.model = model;
  request.test_case.backend = "null";
  request.test_case.threads = 1;
  request.test_case.options = {{"io", "input:float32:-1x8->probabilities:float32:-1x4"}};
  const std::atomic<bool> stop{false};
  const worker::Exit exit = worker::process_launcher()->run(request, {}, {}, stop);
  if (!exit.ok) throw Error(exit.code, exit.reason, exit.phase);
  return {exit.result.values.at("memory.resting").front() / kMebibyte,
          exit.result.values.at("memory.peak").front() / kMebibyte};
}

void print(const char* what, const std::vector<double>& values) {
  const auto interval = measure::t_interval(values).value_or(measure::Interval{});
  std::printf("%-44s %7.2f MiB  [%.2f, %.2f]  n=%zu\n", what, measure::mean(values), interval.low, interval.high,
              values.size());
}

int compare() {
  const TemporaryFolder folder;
  const std::filesystem::path model = model::write_zoo_network({.name = "tiny-mlp"}, folder.path());
  const std::string plugin = backend::load_backend("null").plugin().string();
  const std::string bare = (executable_path().parent_path() / "bench_memory_bare").string();
  std::array<std::vector<double>, 5> series;
  for (int round = 0; round < kRounds; ++round) {
    const double without = bare_mebibytes(bare, plugin);
    const WorkerMemory with = worker_mebibytes(model);
    const std::array<double, 5> values = {without, with.resting, with.peak, with.resting - without,
                                          with.peak - without};
    for (std::size_t i = 0; i < values.size(); ++i) series[i].push_back(values[i]);
  }
  print("bare process with the null plugin, PSS", series[0]);
  print("worker, null backend, 1 kB model, resting", series[1]);
  print("the same, peak", series[2]);
  print("Assay adds, resting", series[3]);
  print("Assay adds, peak", series[4]);
  const bool met = measure::t_interval(series[4]).value_or(measure::Interval{}).high <= kBoundMebibytes;
  std::printf("bound %.0f MiB at the peak: %s\n", kBoundMebibytes, met ? "met" : "NOT met");
  return met ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return compare();
  } catch (const Error& e) {
    std::fprintf(stderr, "memory_overhead: %s\n", e.what());
    return 1;
  }
}
