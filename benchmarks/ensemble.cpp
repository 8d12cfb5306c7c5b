// bench_ensemble ASSAY [--members A,B,C] [--batch N,…] [--sets B;B,B] [--effort E] [--window T] [--screen T] [--db FILE]
// The strategies for an ensemble against the bound of perfect sharing, by `assay bench` itself, for each batch size in
// two campaigns, whose processes are interleaved. The first sorts out: every member alone on every engine, set up for
// throughput and for latency, and every strategy on every engine, in one process each with a window of --screen. The
// second measures what came within a few percent of the best, in several processes each (--effort, --window); its
// numbers alone are used. With T the best throughput of a member alone over the engines of a set, the bound of the set
// is 1 / Σ 1/T. Printed for each set of engines: the bound, the best strategy, and `sequential` on the best single
// engine; their ratios block by block of the interleaved campaign, so that what slows the machine for a while cancels,
// as geometric means with Student's t interval of the logarithms; and the ensemble's peak of memory over its members'
// together. With --db, campaigns that are there are not run again and an interrupted one goes on: the same command
// takes up where it was stopped. Exit 1 where a bound is missed.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "arms.hpp"
#include "base/file.hpp"
#include "core/json.hpp"
#include "measure/series.hpp"
#include "store/store.hpp"

namespace assay::bench {
namespace {

struct Arguments {
  std::string assay, effort = "standard", db, window, screen = "4s";
  std::vector<std::string> members = {"resnet50", "densenet201", "vgg19"};
  std::vector<std::string> batches = {"1", "8"};
  std::string sets = "onnxruntime;onnxruntime,openvino";
};

using Set = std::vector<std::string>;  ///< engines

/// What was measured of one case.
struct Way {
  Case test_case;
  std::vector<double> rates;  ///< samples a second, process by process, in the order of the blocks
};

double middle(const Way& way) { return measure::median(way.rates); }

std::string describe_way(const Way& way) {
  return fmt::format("{} on {} for {}", way.test_case.strategy, way.test_case.backend, to_string(way.test_case.goal));
}

/// The geometric mean; its interval is Student's t of the logarithms, and open below two values.
Figure geometric_mean(std::vector<double> values) {
  for (double& v : values) v = std::log(v);
  const double centre = std::exp(measure::mean(values));
  const auto interval = measure::t_interval(values);
  if (!interval) return {centre, 0, INFINITY};
  return {centre, std::exp(interval->low), std::exp(interval->high)};
}

/// a / b, block by block.
std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> q;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) q.push_back(a[i] / b[i]);
  return q;
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

std::vector<Way> ways_of(const Campaign& campaign) {
  std::vector<Way> ways;
  for (const Outcome& o : campaign.outcomes) {
    if (o.state != OutcomeState::kMeasured) continue;
    Way way{o.test_case, {}};
    for (const ProcessSamples& s : o.samples) {
      const auto rate = s.kept ? measure::samples_per_second(o.test_case, s.values) : std::nullopt;
      if (rate) way.rates.push_back(*rate);
    }
    if (!way.rates.empty()) ways.push_back(std::move(way));
  }
  return ways;
}

bool holds(const Set& set, const std::string& engine) {
  return std::find(set.begin(), set.end(), engine) != set.end();
}

/// The best on the engines of `set` of the ways for which `fits`; nullptr: there is none.
template <class Fits>
const Way* best_of(const std::vector<Way>& ways, const Set& set, const Fits& fits) {
  const Way* best = nullptr;
  for (const Way& way : ways) {
    if (!holds(set, way.test_case.backend) || !fits(way.test_case)) continue;
    if (best == nullptr || middle(way) > middle(*best)) best = &way;
  }
  return best;
}

auto of_model(const std::string& model) {
  return [model](const Case& c) { return c.model == model; };
}
auto sequential(const std::string& model) {
  return [model](const Case& c) { return c.model == model && c.strategy == "sequential"; };
}

class Benchmark {
 public:
  explicit Benchmark(Arguments arguments) : a_(std::move(arguments)), ensemble_(fmt::format("{}", fmt::join(a_.members, "+"))) {
    if (a_.db.empty()) a_.db = (folder_.path() / "results.db").string();
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
    for (const std::string& batch : a_.batches) {
      const std::vector<Way> screened = ways_of(screen(batch));
      const Campaign campaign = finals(batch, screened);
      const std::vector<Way> ways = ways_of(campaign);
      fmt::print("batch {}, campaign {}\n", batch, campaign.id);
      kept = report_memory(campaign) && kept;
      for (const Set& set : sets_) kept = report(ways, set) && kept;
      std::fflush(stdout);
    }
    return kept;
  }

 private:
  Campaign screen(const std::string& batch) {
    return campaign(fmt::format("bench {} {} --strategy all --backend {} --batch-size {} --duration {} --db {} --json",
                                fmt::join(a_.members, " "), ensemble_, fmt::join(engines_, ","), batch, a_.screen,
                                a_.db));
  }

  /// The campaign that this command made, or makes now, or that is gone on with.
  Campaign campaign(const std::string& command) {
    std::string call = command;
    std::string id;
    if (std::filesystem::exists(a_.db)) {
      for (const store::CampaignSummary& c : store::Store(a_.db, store::Store::Access::kRead).list()) {
        if (c.command != "assay " + command) continue;
        id = c.id;
        if (c.finished.empty()) call = fmt::format("bench --resume {} --db {} --json", id, a_.db);
        break;
      }
    }
    if (id.empty() || call != command) {
      std::fprintf(stderr, "%s\n", call.c_str());
      (void)std::system(fmt::format("{} {} >/dev/null", a_.assay, call).c_str());  // rows that failed are seen below
    }
    Campaign done = store::Store(a_.db, store::Store::Access::kRead).load(id);
    if (done.finished.empty()) throw std::runtime_error("the campaign was interrupted; the same command goes on");
    return done;
  }

  /// Adds what of the ways that fit is near enough to the best to be measured again.
  template <class Fits>
  void add_near_best(nlohmann::json& plan, const std::vector<Way>& ways, const Set& set, const Fits& fits) const {
    constexpr double kNear = 0.95;
    const Way* best = best_of(ways, set, fits);
    if (best == nullptr) return;
    for (const Way& way : ways) {
      const Case& c = way.test_case;
      if (!holds(set, c.backend) || !fits(c) || middle(way) < kNear * middle(*best)) continue;
      nlohmann::json part = {
          {"model", c.model}, {"backend", c.backend}, {"for", to_string(c.goal)}, {"batch-size", c.batch_size}};
      if (c.model == ensemble_) part["strategy"] = c.strategy;
      if (std::find(plan.begin(), plan.end(), part) == plan.end()) plan.push_back(part);
    }
  }

  Campaign finals(const std::string& batch, const std::vector<Way>& screened) {
    nlohmann::json plan = nlohmann::json::array();
    for (const Set& set : sets_) {
      for (const std::string& member : a_.members) add_near_best(plan, screened, set, of_model(member));
      add_near_best(plan, screened, set, of_model(ensemble_));
      add_near_best(plan, screened, set, sequential(ensemble_));
    }
    const std::string file = fmt::format("{}.batch-{}.json", a_.db, batch);
    write_file_atomically(file, plan.dump(1));
    return campaign(fmt::format("bench --plan {} --effort {}{} --db {} --json", file, a_.effort,
                                a_.window.empty() ? "" : " --duration " + a_.window, a_.db));
  }

  [[nodiscard]] bool report(const std::vector<Way>& ways, const Set& set) const;
  [[nodiscard]] bool report_memory(const Campaign& campaign) const;

  Arguments a_;
  std::string ensemble_;
  TemporaryFolder folder_;
  std::vector<Set> sets_;
  Set engines_;
};

void line(const std::string& name, const std::vector<double>& rates, const std::string& what) {
  const Figure f = geometric_mean(rates);
  fmt::print("  {:20} {:8.3f} [{:.3f}, {:.3f}] 1/s  {}\n", name, f.value, f.low, f.high, what);
}

bool judge(const std::string& what, const Figure& f, double least, double lowest) {
  const bool kept = f.value >= least && f.low >= lowest;
  fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}], at least {:.2f} (lower end {:.2f}): {}\n", what, f.value, f.low, f.high,
             least, lowest, kept ? "kept" : "MISSED");
  return kept;
}

bool Benchmark::report(const std::vector<Way>& ways, const Set& set) const {
  fmt::print("{{{}}}\n", fmt::join(set, ", "));
  std::vector<const Way*> alone;
  for (const std::string& member : a_.members) {
    alone.push_back(best_of(ways, set, of_model(member)));
    if (alone.back() == nullptr) {
      fmt::print("  {} could not be measured\n", member);
      return false;
    }
    line(member + " alone", alone.back()->rates, describe_way(*alone.back()));
  }
  const Way* best = best_of(ways, set, of_model(ensemble_));
  const Way* plain = best_of(ways, set, sequential(ensemble_));
  if (best == nullptr || plain == nullptr) {
    fmt::print("  the ensemble could not be measured\n");
    return false;
  }
  const std::vector<double> bound = shared_bound(alone);
  line("perfect sharing", bound, "");
  line("best strategy", best->rates, describe_way(*best));
  line("sequential", plain->rates, describe_way(*plain));
  const Figure room = geometric_mean(quotients(bound, plain->rates));
  fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}]\n", "perfect sharing over sequential", room.value, room.low, room.high);
  constexpr double kRoom = 1.08;
  const bool gain_due = room.value >= kRoom;
  const bool shares = judge("best strategy over perfect sharing", geometric_mean(quotients(best->rates, bound)), 0.97,
                            0.95);
  const bool gains = judge("best strategy over sequential", geometric_mean(quotients(best->rates, plain->rates)),
                           gain_due ? 1.05 : 1.00, gain_due ? 1.0 : 0.98);
  return shares && gains;
}

/// A model's highest peak of memory on an engine, MiB; 0 where none was measured.
double peak_of(const Campaign& campaign, const std::string& model, const std::string& engine) {
  double peak = 0;
  for (const Outcome& o : campaign.outcomes) {
    const Metric* metric = find_metric(o, "memory.peak");
    if (o.test_case.model != model || o.test_case.backend != engine || metric == nullptr) continue;
    peak = std::max(peak, metric->value.value_or(0));
  }
  return peak;
}

/// Of each engine on which all were measured: the ensemble's peak, whatever the strategy, over its members' together.
bool Benchmark::report_memory(const Campaign& campaign) const {
  constexpr double kMost = 1.05;
  bool kept = true;
  for (const std::string& engine : engines_) {
    std::vector<double> members;
    for (const std::string& member : a_.members) members.push_back(peak_of(campaign, member, engine));
    const double together = peak_of(campaign, ensemble_, engine);
    if (together == 0 || std::find(members.begin(), members.end(), 0) != members.end()) continue;
    const double sum = std::accumulate(members.begin(), members.end(), 0.0);
    kept = kept && together <= kMost * sum;
    fmt::print("  memory on {:12} {:.0f} MiB, its members {:.0f} together: {:.3f}, at most {:.2f}: {}\n", engine,
               together, sum, together / sum, kMost, together <= kMost * sum ? "kept" : "MISSED");
  }
  return kept;
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("The strategies for an ensemble against the bound of perfect sharing");
  app.add_option("ASSAY", a.assay, "build/release/bin/assay")->required();
  app.add_option("--members", a.members, "A,B,C")->delimiter(',');
  app.add_option("--batch", a.batches, "N,…")->delimiter(',');
  app.add_option("--sets", a.sets, "engines that may be used: B;B,B;…");
  app.add_option("--effort", a.effort, "of what is measured again");
  app.add_option("--window", a.window, "the window of what is measured again");
  app.add_option("--screen", a.screen, "the window of what is sorted out");
  app.add_option("--db", a.db, "a results file to keep");
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
