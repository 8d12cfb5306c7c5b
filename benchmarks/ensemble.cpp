// bench_ensemble [--members A,B,C] [--batch N,…] [--sets B;B,B] [--among WORDS;WORDS] [--window MS]
//                [--blocks N] [--minutes M] [--timeout S] [--state FILE] [--report]
// The strategies for an ensemble against the bound of perfect sharing. Every turn is a process of its own that loads
// one case from the cache and measures it; one that takes longer than --timeout has failed. For each batch size, first
// all are sorted out in turns of half a window: every member alone on every engine, set up for throughput and for
// latency, and every strategy on every engine; then, for each set of engines, the plans that have each member on the
// engine that does it best. What was not far from the best has a second turn, minutes after the first, and the better
// counts. Then the peak of memory: the ensemble's over its members' together, what the engine's
// library and the start of a process take left out, for each strategy on each engine and for the best plan of each set.
// Then what came within a few percent of the best is measured again, in blocks that hold each case once, shuffled;
// these turns alone are reported, but for a mixed plan that was far from the best. With T the best throughput of a
// member alone over the engines of a set, the bound of the set is 1 / Σ 1/T. Printed for each set: the bound, the best
// strategy and `sequential` on the best single engine, and their ratios block by block, so that what slows the machine
// for a while cancels: geometric means, with Student's t interval of the logarithms. What is compared is chosen by all
// blocks, and the best of several by the same turns is rather too high; so what the best strategy has where it is
// chosen for each block by the others is printed, too, and whether a gain is told depends on that. What failed twice is
// left out, and said. At the beginning it says how long it takes, about; with --minutes no block begins that would end
// later, but there are four. With --state, turns that were taken are not taken again: the same command goes on where it
// was stopped, as long as programs, engines and machine are the same; --report takes none. Exit 1 where a bound is
// missed, or where what failed might have missed it. --among "single on;sequential on B;pipelined" leaves out what an
// earlier run found to be no rival and far from the best, to take more blocks of the rest in the time.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "arms.hpp"
#include "base/file.hpp"
#include "contest.hpp"
#include "ensemble_report.hpp"
#include "stamp.hpp"

namespace assay::bench {
namespace {

using std::chrono::milliseconds;

struct Arguments {
  std::string sets = "onnxruntime;onnxruntime,openvino", state;
  std::vector<std::string> members = {"resnet50", "densenet201", "vgg19"}, among;
  std::vector<std::int64_t> batches = {1, 8};
  int window_ms = 3000, blocks = 10, timeout_s = 300;
  double minutes = 0;
  bool report = false;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  CLI::App app("The strategies for an ensemble against the bound of perfect sharing");
  app.add_option("--members", a.members, "A,B,C")->delimiter(',');
  app.add_option("--batch", a.batches, "N,…")->delimiter(',');
  app.add_option("--sets", a.sets, "engines that may be used: B;B,B;…");
  app.add_option("--among", a.among, "only ways that have one of these in their description, as an earlier run gave it")
      ->delimiter(';');
  app.add_option("--window", a.window_ms, "of a turn, ms, but at least two batches; half of it to sort out");
  app.add_option("--blocks", a.blocks, "in which what is near the best is measured again, at most");
  app.add_option("--minutes", a.minutes, "of each batch size: fewer blocks where they would not fit, but four");
  app.add_option("--timeout", a.timeout_s, "of a turn, s")->check(CLI::PositiveNumber);
  CLI::Option* state = app.add_option("--state", a.state, "a file that keeps turns; a cache of graphs lies beside it");
  app.add_flag("--report", a.report, "take no turns: what the state has")->needs(state);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  if (a.members.size() < 2) throw std::runtime_error("an ensemble has two members or more");
  return a;
}

bool run(const Arguments& a) {
  const TemporaryFolder folder;
  State state(a.state, a.report);
  Turns turns(a.state.empty() ? folder.path() / "cache" : std::filesystem::path(a.state + ".cache"),
              milliseconds(a.window_ms), milliseconds(1000) * a.timeout_s);
  const Means means{
      .take = [&](const Case& c, milliseconds window) { return turns.take(c, window); },
      .peak = [&](const Case& c) { return turns.peak_mebibytes(c); },
      .estimate = [&](const Case& c, milliseconds window, Turns::Load load) { return turns.estimate(c, window, load); },
      .now = [] { return now_ns() * 1e-9; },
      .tell = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); },
  };
  const ContestSettings settings{.window = milliseconds(a.window_ms), .blocks = a.blocks, .minutes = a.minutes};
  Field field{.members = a.members, .sets = sets_of(a.sets), .among = a.among};
  require_same(state, field.engines(), field.members);
  bool kept = true;
  for (const std::int64_t batch : a.batches) {
    field.batch = batch;
    kept = report_batch(field, Contest(field, settings, state, means).run()) && kept;
  }
  return kept;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  try {
    return assay::bench::run(assay::bench::parse(argc, argv)) ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
