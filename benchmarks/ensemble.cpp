// bench_ensemble ASSAY [--members A,B,C] [--batch N,…] [--sets B;B,B] [--effort E] [--duration T] [--db FILE]
// The strategies for an ensemble against the bound of perfect sharing, by `assay bench` itself, for each batch size in
// two campaigns, whose processes are interleaved. The first sorts out: every member alone on every engine, set up for
// throughput and for latency, and every strategy on every engine, in short. The second measures what came within a few
// percent of the best, in several processes each (--effort, --duration); its numbers alone are used. With T the best
// throughput of a member alone over the engines of a set, the bound of the set is 1 / Σ 1/T. Printed for each set of
// engines: the bound, the best strategy, and `sequential` on the best single engine, with the ratios' 95 % intervals;
// and the ensemble's peak of memory over its members' together. Exit 1 where a bound is missed.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.hpp"

namespace assay::bench {
namespace {

using nlohmann::json;

/// A quantity with its interval; relative widths are added in squares, as of independent quantities.
struct Quantity {
  double value = 0, low = 0, high = 0;
};

Quantity ratio(const Quantity& a, const Quantity& b) {
  const double value = a.value / b.value;
  const double down = std::hypot(1 - a.low / a.value, b.high / b.value - 1);
  const double up = std::hypot(a.high / a.value - 1, 1 - b.low / b.value);
  return {value, value * (1 - down), value * (1 + up)};
}

/// 1 / Σ 1/T.
Quantity shared_bound(const std::vector<Quantity>& rates) {
  double sum = 0, down = 0, up = 0;
  for (const Quantity& t : rates) {
    sum += 1 / t.value;
    down += std::pow(1 / t.low - 1 / t.value, 2);
    up += std::pow(1 / t.value - 1 / t.high, 2);
  }
  return {1 / sum, 1 / (sum + std::sqrt(down)), 1 / (sum - std::sqrt(up))};
}

struct Arguments {
  std::string assay, effort = "standard", db, duration;
  std::vector<std::string> members = {"resnet50", "densenet201", "vgg19"};
  std::vector<std::string> batches = {"1", "8"};
  std::vector<std::vector<std::string>> sets = {{"onnxruntime"}, {"onnxruntime", "openvino"}};
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--members") {
      a.members = split(value(), ',');
    } else if (word == "--batch") {
      a.batches = split(value(), ',');
    } else if (word == "--effort") {
      a.effort = value();
    } else if (word == "--duration") {
      a.duration = value();
    } else if (word == "--db") {
      a.db = value();
    } else if (word == "--sets") {
      a.sets.clear();
      for (const std::string& set : split(value(), ';')) a.sets.push_back(split(set, ','));
    } else {
      a.assay = word;
    }
  }
  return a;
}

std::vector<std::string> engines_of(const Arguments& a) {
  std::vector<std::string> all;
  for (const auto& set : a.sets) {
    for (const std::string& engine : set) {
      if (std::find(all.begin(), all.end(), engine) == all.end()) all.push_back(engine);
    }
  }
  return all;
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char part[1 << 16];
  for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, pipe)) > 0;) text.append(part, n);
  ::pclose(pipe);
  return text;
}

std::string ensemble_of(const Arguments& a) { return fmt::format("{}", fmt::join(a.members, "+")); }

/// The outcomes of a campaign.
json outcomes_of(const std::string& bench) {
  std::fprintf(stderr, "%s\n", bench.c_str());
  return json::parse(output_of(bench)).at("outcomes");
}

json sorted_out(const Arguments& a, const std::string& batch, const std::string& db) {
  return outcomes_of(
      fmt::format("{} bench {} {} --strategy all --backend {} --batch-size {} --duration 2s --db {} --json", a.assay,
                  fmt::join(a.members, " "), ensemble_of(a), fmt::join(engines_of(a), ","), batch, db));
}

/// Samples a second of a case: its throughput, or where it was set up for latency, one batch after the other.
std::optional<Quantity> rate_of(const json& outcome) {
  if (outcome.at("state") != "measured") return std::nullopt;
  const json& c = outcome.at("case");
  const bool latency = c.at("for") == "latency";
  for (const json& m : outcome.at("metrics")) {
    if (m.at("tag") != (latency ? "latency.p50" : "throughput") || m.at("value").is_null()) continue;
    const double value = m.at("value");
    const auto bound = [&](const char* key) { return m.at(key).is_null() ? value : m.at(key).get<double>(); };
    if (!latency) return Quantity{value, bound("low"), bound("high")};
    const double batch = 1e3 * c.at("batch_size").get<double>();
    return Quantity{batch / value, batch / bound("high"), batch / bound("low")};
  }
  return std::nullopt;
}

struct Best {
  Quantity rate;
  std::string what;
};

/// The best of the outcomes for which `fits`.
template <class Fits>
std::optional<Best> best_of(const json& outcomes, const std::vector<std::string>& set, const Fits& fits) {
  std::optional<Best> best;
  for (const json& o : outcomes) {
    const json& c = o.at("case");
    const std::string engine = c.at("backend");
    if (std::find(set.begin(), set.end(), engine) == set.end() || !fits(c)) continue;
    const auto rate = rate_of(o);
    if (!rate || (best && best->rate.value >= rate->value)) continue;
    best = Best{*rate, fmt::format("{} on {} for {}", c.at("strategy").get<std::string>(), engine,
                                   c.at("for").get<std::string>())};
  }
  return best;
}

/// What of the outcomes for which `fits` is near enough to the best to be measured again.
template <class Fits>
void add_near_best(json& plan, const json& outcomes, const std::vector<std::string>& set, const Fits& fits) {
  constexpr double kNear = 0.95;
  const auto best = best_of(outcomes, set, fits);
  if (!best) return;
  for (const json& o : outcomes) {
    const json& c = o.at("case");
    const auto alone = [&](const json& fit) { return fit == c; };
    const auto rate = fits(c) ? best_of({o}, set, alone) : std::nullopt;
    if (!rate || rate->rate.value < kNear * best->rate.value) continue;
    json part = {{"model", c.at("model")},
                 {"backend", c.at("backend")},
                 {"for", c.at("for")},
                 {"batch-size", c.at("batch_size")}};
    if (c.at("strategy") != "single") part["strategy"] = c.at("strategy");
    if (std::find(plan.begin(), plan.end(), part) == plan.end()) plan.push_back(part);
  }
}

json finals(const Arguments& a, const json& outcomes) {
  json plan = json::array();
  const std::string ensemble = ensemble_of(a);
  for (const auto& set : a.sets) {
    for (const std::string& member : a.members) {
      add_near_best(plan, outcomes, set, [&](const json& c) { return c.at("model") == member; });
    }
    add_near_best(plan, outcomes, set, [&](const json& c) { return c.at("model") == ensemble; });
    add_near_best(plan, outcomes, set,
                  [&](const json& c) { return c.at("model") == ensemble && c.at("strategy") == "sequential"; });
  }
  return plan;
}

json measured(const Arguments& a, const json& plan, const std::filesystem::path& folder, const std::string& db) {
  const std::string file = (folder / "finals.json").string();
  write_file_atomically(file, plan.dump());
  return outcomes_of(fmt::format("{} bench --plan {} --effort {}{} --db {} --json", a.assay, file, a.effort,
                                 a.duration.empty() ? "" : " --duration " + a.duration, db));
}

bool show(const std::string& what, const Quantity& q, double least, double lowest) {
  const bool kept = q.value >= least && q.low >= lowest;
  fmt::print("  {:58} {:.3f} [{:.3f}, {:.3f}], at least {:.2f} (lower end {:.2f}): {}\n", what, q.value, q.low, q.high,
             least, lowest, kept ? "kept" : "MISSED");
  return kept;
}

bool report(const Arguments& a, const json& outcomes, const std::vector<std::string>& set) {
  std::vector<Quantity> alone;
  fmt::print("{{{}}}\n", fmt::join(set, ", "));
  for (const std::string& member : a.members) {
    const auto best = best_of(outcomes, set, [&](const json& c) { return c.at("model") == member; });
    if (!best) {
      fmt::print("  {} could not be measured\n", member);
      return false;
    }
    fmt::print("  {:14} alone {:8.3f} [{:.3f}, {:.3f}] 1/s  {}\n", member, best->rate.value, best->rate.low,
               best->rate.high, best->what);
    alone.push_back(best->rate);
  }
  const std::string ensemble = ensemble_of(a);
  const auto any = best_of(outcomes, set, [&](const json& c) { return c.at("model") == ensemble; });
  const auto sequential = best_of(
      outcomes, set, [&](const json& c) { return c.at("model") == ensemble && c.at("strategy") == "sequential"; });
  if (!any || !sequential) {
    fmt::print("  the ensemble could not be measured\n");
    return false;
  }
  const Quantity bound = shared_bound(alone);
  const auto line = [](const char* what, const Quantity& q, const std::string& which) {
    fmt::print("  {:20} {:8.3f} [{:.3f}, {:.3f}] 1/s  {}\n", what, q.value, q.low, q.high, which);
  };
  line("perfect sharing", bound, "");
  line("best strategy", any->rate, any->what);
  line("sequential", sequential->rate, sequential->what);
  const Quantity room = ratio(bound, sequential->rate);
  line("room over sequential", room, "");
  constexpr double kRoom = 1.08;
  bool kept = show("best strategy over perfect sharing", ratio(any->rate, bound), 0.97, 0.95);
  const bool gain_due = room.value >= kRoom;
  kept = show("best strategy over sequential", ratio(any->rate, sequential->rate), gain_due ? 1.05 : 1.00,
              gain_due ? 1.0 : 0.98) &&
         kept;
  return kept;
}

/// The highest peak of memory of a model's cases on an engine, MiB; 0 where none was measured.
double peak_of(const json& outcomes, const std::string& model, const std::string& engine) {
  double peak = 0;
  for (const json& o : outcomes) {
    const json& c = o.at("case");
    if (c.at("model") != model || c.at("backend") != engine || o.at("state") != "measured") continue;
    for (const json& m : o.at("metrics")) {
      if (m.at("tag") == "memory.peak" && !m.at("value").is_null()) peak = std::max(peak, m.at("value").get<double>());
    }
  }
  return peak;
}

/// Of each engine, one after the other: the ensemble's peak, whatever the strategy, over its members' own together.
bool report_memory(const Arguments& a, const json& outcomes) {
  constexpr double kMost = 1.05;
  bool kept = true;
  for (const std::string& engine : engines_of(a)) {
    double members = 0;
    for (const std::string& member : a.members) members += peak_of(outcomes, member, engine);
    const double together = peak_of(outcomes, ensemble_of(a), engine);
    if (members == 0 || together == 0) continue;
    const double ratio = together / members;
    kept = kept && ratio <= kMost;
    fmt::print("  memory on {:12} {:.0f} MiB, its members {:.0f} together: {:.3f}, at most {:.2f}: {}\n", engine,
               together, members, ratio, kMost, ratio <= kMost ? "kept" : "MISSED");
  }
  return kept;
}

int run(const Arguments& a) {
  const TemporaryFolder folder;
  const std::string db = a.db.empty() ? (folder.path() / "results.db").string() : a.db;
  bool kept = true;
  for (const std::string& batch : a.batches) {
    const json all = sorted_out(a, batch, db);
    const json outcomes = measured(a, finals(a, all), folder.path(), db);
    fmt::print("batch {}\n", batch);
    kept = report_memory(a, all) && kept;
    for (const auto& set : a.sets) kept = report(a, outcomes, set) && kept;
    std::fflush(stdout);
  }
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  const assay::bench::Arguments arguments = assay::bench::parse(argc, argv);
  if (arguments.assay.empty()) {
    std::fprintf(stderr, "usage: bench_ensemble build/release/bin/assay [--members A,B,C] [--batch N,…] …\n");
    return 2;
  }
  return assay::bench::run(arguments);
}
