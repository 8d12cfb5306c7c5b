// bench_ensemble [--members A,B,C] [--batch N,…] [--sets B;B,B] [--window MS] [--blocks N] [--state FILE] [--report]
// The strategies for an ensemble against the bound of perfect sharing. Every turn is a process of its own that loads
// one case from the cache and measures it. For each batch size, first all are sorted out in one turn each: every member
// alone on every engine, set up for throughput and for latency, and every strategy on every engine. Then what came
// within a few percent of the best is measured again, in blocks that hold each case once, shuffled; these turns alone
// are reported. With T the best throughput of a member alone over the engines of a set, the bound of the set is
// 1 / Σ 1/T. Printed for each set: the bound, the best strategy and `sequential` on the best single engine, and their
// ratios block by block, so that what slows the machine for a while cancels: geometric means, with Student's t interval
// of the logarithms. What is best is chosen by the same turns that are reported. At last the ensemble's peak of memory
// over its members' together, the libraries left out, on each engine, for each strategy. With --state, turns that were
// taken are not taken again: the same command goes on where it was stopped;
// --report takes none. Exit 1 where a bound is missed.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "blocks.hpp"
#include "turns.hpp"

namespace assay::bench {
namespace {

struct Arguments {
  std::string sets = "onnxruntime;onnxruntime,openvino", state;
  std::vector<std::string> members = {"resnet50", "densenet201", "vgg19"};
  std::vector<std::int64_t> batches = {1, 8};
  int window_ms = 3000, blocks = 10;
  bool report = false;
};

using Set = std::vector<std::string>;  ///< engines

constexpr int kThreads = 2;
constexpr const char* kStrategies[] = {"sequential", "concurrent", "pipelined", "merged"};

/// What was measured of one case.
struct Way {
  Case test_case;
  double screened = 0;        ///< samples a second in the turn that sorted out; 0: failed
  std::vector<double> rates;  ///< of the turns that count, block by block
};

std::string describe_way(const Case& c) {
  return fmt::format("{} on {} for {}", c.strategy, c.backend, to_string(c.goal));
}

/// What a turn is known by in the state's file.
std::string key_of(const Case& c, const std::string& what) {
  return fmt::format("{} {} batch {} {} {}", c.model, c.backend, c.batch_size, c.strategy, what);
}

/// 1 / Σ 1/T, block by block.
std::vector<double> shared_bound(const std::vector<const Way*>& alone) {
  std::vector<double> bound;
  for (std::size_t block = 0;; ++block) {
    double sum = 0;
    for (const Way* way : alone) {
      if (block >= way->rates.size()) return bound;
      sum += 1 / way->rates[block];
    }
    bound.push_back(1 / sum);
  }
}

bool holds(const Set& set, const std::string& engine) { return std::find(set.begin(), set.end(), engine) != set.end(); }

/// The best on the engines of `set` of the ways for which `fits`, by `rate`; nullptr: there is none.
template <class Fits, class Rate>
const Way* best_of(const std::vector<Way>& ways, const Set& set, const Fits& fits, const Rate& rate) {
  const Way* best = nullptr;
  for (const Way& way : ways) {
    if (!holds(set, way.test_case.backend) || !fits(way.test_case) || rate(way) <= 0) continue;
    if (best == nullptr || rate(way) > rate(*best)) best = &way;
  }
  return best;
}
double screened(const Way& way) { return way.screened; }
double typical(const Way& way) { return way.rates.empty() ? 0 : geometric_mean(way.rates).value; }

auto of_model(const std::string& model) {
  return [model](const Case& c) { return c.model == model; };
}
auto sequential(const std::string& model) {
  return [model](const Case& c) { return c.model == model && c.strategy == "sequential"; };
}

class Benchmark {
 public:
  explicit Benchmark(Arguments arguments)
      : a_(std::move(arguments)),
        ensemble_(joined_members(a_.members)),
        state_(a_.state),
        turns_(a_.state.empty() ? folder_.path() / "cache" : std::filesystem::path(a_.state + ".cache"),
               std::chrono::milliseconds(a_.window_ms)) {
    std::istringstream sets(a_.sets);
    for (std::string set; std::getline(sets, set, ';');) {
      std::istringstream engines(set);
      sets_.emplace_back();
      for (std::string engine; std::getline(engines, engine, ',');) {
        sets_.back().push_back(engine);
        if (!holds(engines_, engine)) engines_.push_back(engine);
      }
    }
  }

  bool run() {
    bool kept = true;
    for (const std::int64_t batch : a_.batches) {
      std::vector<Way> ways = all_ways(batch);
      for (Way& way : ways) way.screened = turn(way.test_case, "screened");
      measure_again(ways);
      fmt::print("batch {}\n", batch);
      for (const Set& set : sets_) kept = report(ways, set) && kept;
      for (const std::string& engine : engines_) kept = report_memory(engine, batch) && kept;
      std::fflush(stdout);
    }
    return kept;
  }

 private:
  [[nodiscard]] Case make_case(const std::string& model, const std::string& strategy, const std::string& engine,
                               std::int64_t batch, Goal goal) const {
    Case c;
    c.model = model;
    c.strategy = strategy;
    c.backend = engine;
    c.batch_size = batch;
    c.threads = kThreads;
    c.goal = goal;
    return c;
  }

  [[nodiscard]] std::vector<Way> all_ways(std::int64_t batch) const {
    std::vector<Way> ways;
    for (const std::string& engine : engines_) {
      for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
        for (const std::string& m : a_.members) ways.push_back({make_case(m, "single", engine, batch, goal), 0, {}});
        for (const char* s : kStrategies) ways.push_back({make_case(ensemble_, s, engine, batch, goal), 0, {}});
      }
    }
    return ways;
  }

  /// Of the state, or measured now; 0: it failed, or was not measured.
  double turn(const Case& c, const std::string& what) {
    const std::string key = key_of(c, fmt::format("{} {} ms {}", to_string(c.goal), a_.window_ms, what));
    if (const double* known = state_.find(key)) return *known;
    if (a_.report) return 0;
    const Turn taken = turns_.take(c);
    std::fprintf(stderr, "%-90s %9.3f 1/s %s\n", key.c_str(), taken.rate, taken.why.c_str());
    return state_.keep(key, taken.rate);
  }

  /// Marks what of the ways that fit is at least `near` of the best.
  template <class Fits>
  void choose(std::vector<bool>& chosen, const std::vector<Way>& ways, const Set& set, double near,
              const Fits& fits) const {
    const Way* best = best_of(ways, set, fits, screened);
    for (std::size_t i = 0; best != nullptr && i < ways.size(); ++i) {
      const Case& c = ways[i].test_case;
      if (holds(set, c.backend) && fits(c) && ways[i].screened >= near * best->screened) chosen[i] = true;
    }
  }

  void measure_again(std::vector<Way>& ways) {
    // A better member or sequential that is missed would flatter the ratios; a better strategy that is, would not.
    constexpr double kRival = 0.95, kOurs = 0.97;
    std::vector<bool> chosen(ways.size());
    for (const Set& set : sets_) {
      for (const std::string& member : a_.members) choose(chosen, ways, set, kRival, of_model(member));
      choose(chosen, ways, set, kOurs, of_model(ensemble_));
      choose(chosen, ways, set, kRival, sequential(ensemble_));
    }
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < ways.size(); ++i) {
      if (chosen[i]) order.push_back(i);
    }
    std::mt19937 random(1);
    for (int block = 0; block < a_.blocks; ++block) {
      std::shuffle(order.begin(), order.end(), random);
      std::vector<double> rates;
      for (const std::size_t i : order) rates.push_back(turn(ways[i].test_case, fmt::format("block {}", block)));
      if (std::find(rates.begin(), rates.end(), 0) != rates.end()) continue;  // only whole blocks are comparable
      for (std::size_t i = 0; i < order.size(); ++i) ways[order[i]].rates.push_back(rates[i]);
    }
  }

  /// MiB; 0: it failed, or was not measured.
  double peak(const std::string& model, const std::string& strategy, const std::string& engine, std::int64_t batch) {
    const Case c = make_case(model, strategy, engine, batch, Goal::kThroughput);
    const std::string key = key_of(c, "peak");
    if (const double* known = state_.find(key)) return *known;
    return a_.report ? 0 : state_.keep(key, turns_.peak_mebibytes(c).value_or(0));
  }

  bool report(const std::vector<Way>& ways, const Set& set) const;
  bool report_memory(const std::string& engine, std::int64_t batch);

  Arguments a_;
  std::string ensemble_;
  TemporaryFolder folder_;
  State state_;
  Turns turns_;
  std::vector<Set> sets_;
  Set engines_;
};

bool Benchmark::report(const std::vector<Way>& ways, const Set& set) const {
  std::vector<const Way*> alone;
  for (const std::string& m : a_.members) alone.push_back(best_of(ways, set, of_model(m), typical));
  const Way* best = best_of(ways, set, of_model(ensemble_), typical);
  const Way* plain = best_of(ways, set, sequential(ensemble_), typical);
  if (best == nullptr || plain == nullptr || std::find(alone.begin(), alone.end(), nullptr) != alone.end()) {
    fmt::print("{{{}}}: not all could be measured\n", fmt::join(set, ", "));
    return false;
  }
  fmt::print("{{{}}}, {} blocks\n", fmt::join(set, ", "), best->rates.size());
  for (const Way* way : alone) print_rates(way->test_case.model + " alone", way->rates, describe_way(way->test_case));
  const std::vector<double> bound = shared_bound(alone);
  print_rates("perfect sharing", bound, "");
  print_rates("best strategy", best->rates, describe_way(best->test_case));
  print_rates("sequential", plain->rates, describe_way(plain->test_case));
  const Figure room = geometric_mean(quotients(bound, plain->rates));
  fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}]\n", "perfect sharing over sequential", room.value, room.low, room.high);
  constexpr double kRoom = 1.08;
  const bool gain_due = room.value >= kRoom;
  const bool shares =
      judge("best strategy over perfect sharing", geometric_mean(quotients(best->rates, bound)), 0.97, 0.95);
  const bool gains = judge("best strategy over sequential", geometric_mean(quotients(best->rates, plain->rates)),
                           gain_due ? 1.05 : 1.00, gain_due ? 1.0 : 0.98);
  return shares && gains;
}

bool Benchmark::report_memory(const std::string& engine, std::int64_t batch) {
  constexpr double kMost = 1.05;
  double sum = 0;
  for (const std::string& member : a_.members) {
    const double one = peak(member, "single", engine, batch);
    if (one == 0) return false;
    sum += one;
  }
  bool kept = true;
  for (const char* strategy : kStrategies) {
    const double together = peak(ensemble_, strategy, engine, batch);
    if (together == 0) {
      fmt::print("  memory, {:10} on {:12} was not measured\n", strategy, engine);
      kept = false;
      continue;
    }
    kept = kept && together <= kMost * sum;
    fmt::print("  memory, {:10} on {:12} {:5.0f} MiB, its members {:5.0f} together: {:.3f}, at most {:.2f}: {}\n",
               strategy, engine, together, sum, together / sum, kMost, together <= kMost * sum ? "kept" : "MISSED");
  }
  return kept;
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("The strategies for an ensemble against the bound of perfect sharing");
  app.add_option("--members", a.members, "A,B,C")->delimiter(',');
  app.add_option("--batch", a.batches, "N,…")->delimiter(',');
  app.add_option("--sets", a.sets, "engines that may be used: B;B,B;…");
  app.add_option("--window", a.window_ms, "of a turn, ms, but at least two batches");
  app.add_option("--blocks", a.blocks, "in which what is near the best is measured again");
  app.add_option("--state", a.state, "a file that keeps turns; a cache of graphs lies beside it");
  app.add_flag("--report", a.report, "take no turns: what the state has");
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
