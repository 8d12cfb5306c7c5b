// bench_compiler [--networks A,B] [--batch N,…] [--threads N,…] [--others B,B] [--variants KEY=VALUE,…] [--least X]
//                [--window MS] [--blocks N] [--state FILE] [--report]
// Throughput of the compiler of our own (the backend mlir) over the better of the other engines, for each network,
// batch size and number of threads. Every turn is a process of its own that loads from the cache and measures; the
// turns of one batch size are taken in blocks that hold each case once, shuffled. Ratios are taken block by block:
// geometric means, with Student's t interval of the logarithms. Then, where both were asked for, two threads over one;
// the peak of memory over ONNX Runtime's, the libraries left out; and how long loads take, cold and from the cache.
// --variants are options of mlir (math=strict, target=avx2) that are measured beside the default, and held to no bound.
// Networks of the zoo have bounds of their own, others --least. Exit 1 where a bound is missed.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "blocks.hpp"
#include "stamp.hpp"
#include "state.hpp"
#include "turns.hpp"

namespace assay::bench {
namespace {

constexpr const char* kOurs = "mlir";
constexpr const char* kRival = "onnxruntime";
constexpr double kSlack = 0.03;       // of a bound, for its interval's lower end
constexpr double kTwoOverOne = 1.85;  // threads
constexpr std::int64_t kScalingBatch = 8;
constexpr double kMostMemory = 1.5;
constexpr const char* kLoadBoundOf = "resnet50";
constexpr double kMostColdSeconds = 20, kMostCachedOverCold = 0.1;  // of loads; the cold one is the rival's

const std::map<std::string, double> kBounds = {
    {"vgg19", 1.6}, {"resnet50", 1.05}, {"densenet201", 1.05}, {"efficientnetb0", 1.15}};

struct Arguments {
  std::vector<std::string> networks = {"vgg19", "resnet50", "densenet201", "efficientnetb0"};
  std::vector<std::string> others = {"onnxruntime", "openvino"}, variants;
  std::vector<std::int64_t> batches = {1, 8};
  std::vector<int> threads = {1, 2};
  double least = 0.7;
  int window_ms = 3000, blocks = 6;
  std::string state;
  bool report = false;
};

struct Arm {
  Case test_case;
  std::string name;           ///< "mlir", "mlir math=strict", "onnxruntime"
  std::vector<double> rates;  ///< block by block
};

double typical(const Arm& arm) { return arm.rates.empty() ? 0 : geometric_mean(arm.rates).value; }

class Benchmark {
 public:
  explicit Benchmark(Arguments arguments)
      : a_(std::move(arguments)),
        state_(a_.state, a_.report),
        turns_(a_.state.empty() ? folder_.path() / "cache" : std::filesystem::path(a_.state + ".cache"),
               std::chrono::milliseconds(a_.window_ms)) {}

  bool run() {
    std::vector<std::string> engines = a_.others;
    engines.emplace_back(kOurs);
    require_same(state_, engines, a_.networks);
    bool kept = true;
    for (const std::int64_t batch : a_.batches) {
      std::vector<Arm> arms = all_arms(batch);
      measure(arms);
      for (const std::string& network : a_.networks) {
        for (const int threads : a_.threads) kept = report(arms, network, threads, batch) && kept;
        if (batch == kScalingBatch) kept = report_scaling(arms, network) && kept;
        kept = report_memory(network, batch) && kept;
        kept = report_loads(network, batch) && kept;
        std::fflush(stdout);
      }
    }
    return kept;
  }

 private:
  [[nodiscard]] static Arm arm(const std::string& network, const std::string& engine, const std::string& variant,
                               int threads, std::int64_t batch) {
    Arm made;
    made.test_case.model = network;
    made.test_case.backend = engine;
    made.test_case.batch_size = batch;
    made.test_case.threads = threads;
    made.test_case.goal = Goal::kThroughput;
    made.name = engine;
    if (variant.empty()) return made;
    const std::size_t equals = variant.find('=');
    made.test_case.options[variant.substr(0, equals)] = variant.substr(equals + 1);
    made.name += " " + variant;
    return made;
  }

  [[nodiscard]] std::vector<Arm> all_arms(std::int64_t batch) const {
    std::vector<Arm> arms;
    for (const std::string& network : a_.networks) {
      for (const int threads : a_.threads) {
        arms.push_back(arm(network, kOurs, "", threads, batch));
        for (const std::string& variant : a_.variants) arms.push_back(arm(network, kOurs, variant, threads, batch));
        for (const std::string& engine : a_.others) arms.push_back(arm(network, engine, "", threads, batch));
      }
    }
    return arms;
  }

  static std::string key_of(const Arm& arm, const std::string& what) {
    const Case& c = arm.test_case;
    return fmt::format("{} {} batch {} threads {} {}", c.model, arm.name, c.batch_size, c.threads, what);
  }

  [[nodiscard]] std::string turn_key(const Arm& arm, int block) const {
    return key_of(arm, fmt::format("{} ms block {}", a_.window_ms, block));
  }

  /// Of the state, or measured now; 0: it failed.
  double turn(const Arm& arm, int block) {
    const std::string key = turn_key(arm, block);
    const auto measured = [&] {
      const Turn taken = turns_.take(arm.test_case);
      std::fprintf(stderr, "%-80s %9.3f 1/s %s\n", key.c_str(), taken.rate, taken.why.c_str());
      return taken.rate;
    };
    return state_.figure(key, measured).value_or(0);
  }

  void measure(std::vector<Arm>& arms) {
    BlocksToTake plan;
    plan.arms = arms.size();
    plan.blocks = a_.blocks;
    plan.known = [&](std::size_t i, int block) { return state_.known(turn_key(arms[i], block)); };
    if (!a_.report) {
      for (const Arm& arm : arms) (void)turn(arm, -1);  // the first load of each fills the cache
      plan.turn = [&](std::size_t i, int block) {
        state_.forget(turn_key(arms[i], block));
        return turn(arms[i], block);
      };
    }
    const Blocks taken = take_blocks(plan);
    for (std::size_t i = 0; i < arms.size(); ++i) arms[i].rates = taken.rates[i];
  }

  static const Arm* find(const std::vector<Arm>& arms, const std::string& network, const std::string& name,
                         int threads) {
    for (const Arm& arm : arms) {
      if (arm.test_case.model == network && arm.name == name && arm.test_case.threads == threads) return &arm;
    }
    return nullptr;
  }

  bool report(const std::vector<Arm>& arms, const std::string& network, int threads, std::int64_t batch) const {
    const Arm* ours = find(arms, network, kOurs, threads);
    const Arm* best = nullptr;
    for (const std::string& engine : a_.others) {
      const Arm* other = find(arms, network, engine, threads);
      if (best == nullptr || typical(*other) > typical(*best)) best = other;
    }
    fmt::print("{}, batch {}, {} thread{}\n", network, batch, threads, threads == 1 ? "" : "s");
    if (ours == nullptr || best == nullptr || ours->rates.empty() || best->rates.empty()) {
      fmt::print("  not all could be measured\n");
      return false;
    }
    bool all = true;  // one that failed may have been the best of the others
    for (const Arm& arm : arms) {
      if (arm.test_case.model != network || arm.test_case.threads != threads) continue;
      all = all && !arm.rates.empty();
      if (arm.rates.empty()) {
        fmt::print("  {:20} FAILED, no figure\n", arm.name);
      } else {
        print_rates(arm.name, arm.rates, fmt::format("{} blocks", arm.rates.size()));
      }
    }
    const auto bound = kBounds.find(network);
    const double least = bound == kBounds.end() ? a_.least : bound->second;
    const bool kept = judge("mlir over " + best->name, quotients(ours->rates, best->rates), least, least - kSlack);
    for (const std::string& variant : a_.variants) {
      const Arm* other = find(arms, network, fmt::format("{} {}", kOurs, variant), threads);
      if (other->rates.empty()) continue;
      const Figure f = geometric_mean(quotients(other->rates, best->rates));
      fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}]\n", other->name + " over " + best->name, f.value, f.low, f.high);
    }
    return kept && all;
  }

  bool report_scaling(const std::vector<Arm>& arms, const std::string& network) const {
    const Arm *one = find(arms, network, kOurs, 1), *two = find(arms, network, kOurs, 2);
    if (one == nullptr || two == nullptr || one->rates.empty() || two->rates.empty()) return true;
    return judge(network + ", two threads over one", quotients(two->rates, one->rates), kTwoOverOne,
                 kTwoOverOne - kSlack);
  }

  /// MiB; 0: it failed, or was not measured.
  double peak(const Arm& arm) {
    const auto measured = [&] {
      const Turn taken = turns_.peak_mebibytes(arm.test_case);
      if (taken.rate == 0) std::fprintf(stderr, "memory of %s: %s\n", arm.name.c_str(), taken.why.c_str());
      return taken.rate;
    };
    return state_.figure(key_of(arm, "peak"), measured).value_or(0);
  }

  bool report_memory(const std::string& network, std::int64_t batch) {
    const int threads = a_.threads.back();
    const double ours = peak(arm(network, kOurs, "", threads, batch));
    const double theirs = peak(arm(network, kRival, "", threads, batch));
    if (ours == 0 || theirs == 0) {
      fmt::print("  memory was not measured\n");
      return false;
    }
    const bool kept = ours <= kMostMemory * theirs;
    fmt::print("  memory {:.0f} MiB, {}'s {:.0f}: {:.3f}, at most {:.2f}: {}\n", ours, kRival, theirs, ours / theirs,
               kMostMemory, kept ? "kept" : "MISSED");
    return kept;
  }

  double load(const Arm& arm, Turns::Load way, int block) {
    const bool cached = way == Turns::Load::kCached;
    const std::string key = key_of(arm, fmt::format("load {} block {}", cached ? "cached" : "cold", block));
    return state_.figure(key, [&] { return turns_.load_seconds(arm.test_case, way); }).value_or(0);
  }

  /// Cold and cached ones in turn with the rival's.
  bool report_loads(const std::string& network, std::int64_t batch) {
    const int threads = a_.threads.back();
    const Arm ours = arm(network, kOurs, "", threads, batch), rival = arm(network, kRival, "", threads, batch);
    std::vector<double> cold, cached, theirs;
    for (int block = 0; block < a_.blocks; ++block) {
      const std::array<double, 3> s = {load(ours, Turns::Load::kCold, block), load(rival, Turns::Load::kCold, block),
                                       load(ours, Turns::Load::kCached, block)};
      if (std::find(s.begin(), s.end(), 0) != s.end()) continue;
      cold.push_back(s[0]);
      theirs.push_back(s[1]);
      cached.push_back(s[2]);
    }
    if (cold.empty()) {
      fmt::print("  loads were not measured\n");
      return network != kLoadBoundOf;
    }
    const Figure seconds = geometric_mean(cold), ratio = geometric_mean(quotients(cached, theirs));
    const bool bound = network == kLoadBoundOf;
    const bool kept = !bound || (seconds.value <= kMostColdSeconds && ratio.value <= kMostCachedOverCold);
    fmt::print(
        "  cold load {:.3f} [{:.3f}, {:.3f}] s, {}'s {:.3f} s; cached {:.4f} s, over the latter {:.3f} [{:.3f}, "
        "{:.3f}]{}\n",
        seconds.value, seconds.low, seconds.high, kRival, geometric_mean(theirs).value, geometric_mean(cached).value,
        ratio.value, ratio.low, ratio.high,
        !bound ? ""
        : kept ? ": kept"
               : ": MISSED");
    return kept;
  }

  Arguments a_;
  TemporaryFolder folder_;
  State state_;
  Turns turns_;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("The compiler of our own over the other engines");
  app.add_option("--networks", a.networks, "of the zoo, or ONNX files: A,B,…")->delimiter(',');
  app.add_option("--batch", a.batches, "N,…")->delimiter(',');
  app.add_option("--threads", a.threads, "N,…")->delimiter(',');
  app.add_option("--others", a.others, "engines: B,B,…")->delimiter(',');
  app.add_option("--variants", a.variants, "options of mlir to measure beside the default: KEY=VALUE,…")
      ->delimiter(',');
  app.add_option("--least", a.least, "the bound for networks that are not the zoo's four");
  app.add_option("--window", a.window_ms, "of a turn, ms, but at least two batches");
  app.add_option("--blocks", a.blocks, "in which each case is measured once");
  CLI::Option* state = app.add_option("--state", a.state, "a file that keeps turns; a cache of graphs lies beside it");
  app.add_flag("--report", a.report, "take no turns: what the state has")->needs(state);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  return a;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  try {
    return assay::bench::Benchmark(assay::bench::parse(argc, argv)).run() ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
