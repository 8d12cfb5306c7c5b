// bench_placement ASSAY [--window T] [--members A,B,C] [--batch N] [--rounds N]
// `assay bench --strategy placed` against an exhaustive scan of the same space at the same effort a point: one process,
// the same window. The space: members resnet50, densenet201 and efficientnetb0 in an ensemble's batch of 8 on 2
// threads, each on onnxruntime or openvino in batches of 1 or 8, strategies sequential, concurrent and pipelined:
// (2*2)^3*3 = 192 plans. What either found best is then measured in turns, a process each turn. Printed: the ratio of
// their throughputs with its 95 % interval, and that of the times that search and scan took. "merged", which `placed`
// measures beside its plans, is not in the space, so it is not counted as what the search found. Search, scan and turns
// have results files and caches of their own in a temporary folder: nothing measured before is used. Exit 1 where a
// bound is missed, by the ratio or by the lower end of its interval; and where the scan, which tries what failed
// once more in time that is not counted, has not measured every plan: one that is missing may be the best.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arms.hpp"
#include "base/file.hpp"
#include "blocks.hpp"
#include "report/exporters.hpp"
#include "scan.hpp"
#include "store/store.hpp"
#include "tune/place.hpp"

namespace assay::bench {
namespace {

constexpr const char* kEngines[] = {"onnxruntime", "openvino"};
constexpr const char* kStrategies[] = {kSequential, kConcurrent, kPipelined};
constexpr int kThreads = 2;
constexpr double kLeastRatio = 0.98, kLowestRatio = 0.95, kMostTime = 0.2;

struct Arguments {
  std::string assay, window, batch = "8";
  std::vector<std::string> members = {"resnet50", "densenet201", "efficientnetb0"};
  int rounds = 10;  ///< so that a few percent of noise leave the interval's lower end above its bound
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("The search for a placement against a scan of its whole space");
  app.add_option("ASSAY", a.assay, "build/release/bin/assay")->required();
  app.add_option("--members", a.members, "A,B,C")->delimiter(',');
  app.add_option("--batch", a.batch, "of the ensemble");
  app.add_option("--window", a.window, "of each process; default: quick's");
  app.add_option("--rounds", a.rounds, "turns in which what either found is measured")->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  return a;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

/// A campaign, and the seconds that it took from the start of the program to its end.
struct Run {
  Campaign campaign;
  double seconds = 0;
};

/// The program, on results files and caches of its own.
class Assay {
 public:
  explicit Assay(const Arguments& arguments)
      : arguments_(arguments), ensemble_(fmt::format("{}", fmt::join(arguments.members, "+"))) {}

  /// Models of the zoo are written before anything is timed.
  void write_models() const {
    (void)call(fmt::format("bench {} --backend {} --dry-run", ensemble_, fmt::join(kEngines, ",")), "models");
  }

  /// The campaign that verified what was found.
  [[nodiscard]] Run search() const {
    const std::string window = arguments_.window.empty() ? "" : " --duration " + arguments_.window;
    return run(fmt::format("bench {} --strategy placed --backend {} --batch-size {} --threads {}{}", ensemble_,
                           fmt::join(kEngines, ","), arguments_.batch, kThreads, window),
               "search");
  }

  /// Measures the cases as the search's campaign measured its own; `name`: of the results file.
  Run measure(const std::vector<Case>& cases, const Campaign& like, const std::string& name) {
    Campaign campaign;
    campaign.id = fmt::format("{:08x}", ++campaigns_);
    campaign.effort = like.effort;
    campaign.environment["effort.window_ms"] = like.environment.at("effort.window_ms");
    campaign.plan = cases;
    const std::filesystem::path file = folder_.path() / "plan.json";
    std::ofstream out(file);
    report::write_bundle({.campaign = &campaign, .recommendation = {}}, out);
    out.close();
    return run(fmt::format("bench --resume {}", file.string()), name);
  }

  /// Cases that the campaigns of a results file measured.
  [[nodiscard]] int measured(const std::string& name) const {
    int count = 0;
    for (const store::CampaignSummary& c : store::Store(database(name), store::Store::Access::kRead).list()) {
      count += c.measured;
    }
    return count;
  }

 private:
  [[nodiscard]] std::filesystem::path database(const std::string& name) const {
    return folder_.path() / (name + ".db");
  }

  [[nodiscard]] double call(const std::string& what, const std::string& name) const {
    const std::string command =
        fmt::format("{} {} --db {} --cache {} >{}", arguments_.assay, what, database(name).string(),
                    (folder_.path() / (name + "-cache")).string(), (folder_.path() / "output").string());
    std::fprintf(stderr, "%s\n", command.c_str());
    const double begin = now_ns();
    (void)std::system(command.c_str());  // rows that failed are seen in what is stored
    return (now_ns() - begin) * 1e-9;
  }

  [[nodiscard]] Run run(const std::string& what, const std::string& name) const {
    Run r;
    r.seconds = call(what, name);
    r.campaign = store::Store(database(name), store::Store::Access::kRead).load("");
    if (r.campaign.finished.empty()) give_up("a campaign was not finished: see above");
    return r;
  }

  const Arguments& arguments_;
  std::string ensemble_;
  TemporaryFolder folder_;
  unsigned campaigns_ = 0;
};

/// Every plan of the space, each once.
std::vector<Case> space_of(const tune::PlaceRequest& request) {
  tune::Problem problem;
  std::vector<tune::Way> ways;
  for (const std::string& engine : request.backends) {
    for (const std::int64_t batch : tune::batches_of(request)) ways.push_back({.backend = engine, .batch_size = batch});
  }
  problem.members.assign(members_of(request.ensemble.model).size(), ways);
  std::vector<Case> cases;
  for (const char* strategy : kStrategies) {
    tune::Plan plan{strategy, std::vector<std::size_t>(problem.members.size(), 0), 0, 0};
    for (std::size_t digit = 0; digit < plan.ways.size();) {
      cases.push_back(tune::plan_case(request, problem, plan));
      for (digit = 0; digit < plan.ways.size() && ++plan.ways[digit] == ways.size(); ++digit) plan.ways[digit] = 0;
    }
  }
  return cases;
}

double rate_of(const Outcome& outcome) { return measured_value(outcome, "throughput").value_or(0); }

/// The quickest that lies in the space.
Outcome quickest_in(const std::set<std::string>& space, const Campaign& campaign) {
  std::vector<Outcome> inside;
  std::copy_if(campaign.outcomes.begin(), campaign.outcomes.end(), std::back_inserter(inside),
               [&](const Outcome& o) { return space.contains(case_key(o.test_case)); });
  const std::optional<std::size_t> best = tune::fastest(inside);
  if (!best) give_up("none of the plans could be measured");
  return inside[*best];
}

/// One process' throughput; a disturbed one is tried again.
double turn(Assay& assay, const Case& c, const Campaign& like) {
  constexpr int kTries = 3;
  std::string why;
  for (int i = 0; i < kTries; ++i) {
    const Run r = assay.measure({c}, like, "turns");
    const Outcome& o = r.campaign.outcomes.at(0);
    if (const double rate = rate_of(o); rate > 0) return rate;
    why = o.reason;
  }
  give_up(fmt::format("{}: {}", describe(c), why));
}

/// Every plan; what failed is tried once more. That is not in the time of the scan, which a plan that hangs would make
/// longer.
Run scan_all(Assay& assay, const std::vector<Case>& cases, const Campaign& like) {
  Run scan = assay.measure(cases, like, "scan");
  std::vector<Case> again;
  for (const Missing& m : not_measured(cases, scan.campaign)) again.push_back(m.test_case);
  if (again.empty()) return scan;
  const Run second = assay.measure(again, like, "scan");
  fmt::print("scan: {} of {} plans failed at first and were tried again, in {:.0f} s that do not count\n", again.size(),
             cases.size(), second.seconds);
  scan.campaign.outcomes.insert(scan.campaign.outcomes.end(), second.campaign.outcomes.begin(),
                                second.campaign.outcomes.end());
  return scan;
}

int run(const Arguments& arguments) {
  Assay assay(arguments);
  assay.write_models();
  const Run search = assay.search();
  const Campaign& like = search.campaign;
  const std::string key = "placed.requests";
  const tune::PlaceRequest request = tune::requests_from_text(like.environment.at(key), key).at(0);
  const std::vector<Case> cases = space_of(request);
  std::set<std::string> space;
  for (const Case& c : cases) space.insert(case_key(c));
  const Run scan = scan_all(assay, cases, like);

  const Outcome found = quickest_in(space, search.campaign);
  const Outcome scanned = quickest_in(space, scan.campaign);
  fmt::print("search: {} cases measured in {:.0f} s: {}, {:.4g} 1/s\n", assay.measured("search"), search.seconds,
             describe(found.test_case), rate_of(found));
  const std::vector<Missing> missing = not_measured(cases, scan.campaign);
  fmt::print("scan: {} of {} plans measured in {:.0f} s: {}, {:.4g} 1/s\n", cases.size() - missing.size(), cases.size(),
             scan.seconds, describe(scanned.test_case), rate_of(scanned));
  for (const Missing& m : missing) fmt::print("scan: not measured: {}: {}\n", describe(m.test_case), m.reason);
  std::fflush(stdout);
  bool kept = missing.empty();
  if (case_key(found.test_case) != case_key(scanned.test_case)) {
    const Pairs pairs = interleave(
        arguments.rounds, [&] { return turn(assay, found.test_case, like); },
        [&] { return turn(assay, scanned.test_case, like); });
    kept = judge("found by search over by scan", quotients(pairs.a, pairs.b), kLeastRatio, kLowestRatio) && kept;
  } else {
    fmt::print("both found the same plan\n");
  }
  const double time = search.seconds / scan.seconds;
  kept = show("time, search over scan", {time, time, time}, "x", kMostTime, true) && kept;
  return kept ? 0 : 1;
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
