#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "report/format.hpp"

namespace assay::cli {
namespace {

/// One less than a terminal's: a cursor in the last column wraps.
constexpr std::size_t kBarColumns = 79;
constexpr int kBar = 20;
constexpr const char* kRed = "\033[31m";
constexpr const char* kYellow = "\033[33m";
constexpr const char* kPlain = "\033[0m";

std::string figures_of(const Outcome& o) {
  if (o.state != OutcomeState::kMeasured) return fmt::format("{} ({}): {}", to_string(o.state), o.phase, o.reason);
  if (const Metric* m = report::value_of(o, "throughput")) return report::with_interval(m) + " 1/s";
  if (const Metric* m = report::value_of(o, "latency.p50")) return report::with_interval(m) + " ms";
  return "measured";
}

/// With the name that the engine's row will have.
std::string describe_finished(const Outcome& o) {
  Case c = without_variant(o);
  c.backend = engine_name(o);
  return describe(c);
}

/// "3/12 runs", "3/12 runs +1 repeat": the total is what was foreseen. A case is several runs: each starts a process.
std::string count_of(const runner::Progress& p) {
  const std::string count = fmt::format("{}/{} runs", p.runs_done, p.runs_total);
  if (p.repeats == 0) return count;
  return fmt::format("{} +{} repeat{}", count, p.repeats, p.repeats == 1 ? "" : "s");
}

}  // namespace

/// Where an engine that is missing was looked for is several lines, the same for all of its cases: once is enough.
std::string ProgressView::result_of(const Outcome& o) {
  const bool again = o.state == OutcomeState::kSkipped && !skipped_.insert(o.reason).second;
  return again ? fmt::format("skipped ({}), as above", o.phase) : figures_of(o);
}

void ProgressView::clear() {
  if (!drawn_) return;
  out_ << "\r\033[K" << std::flush;
  drawn_ = false;
}

void ProgressView::line(const std::string& text) {
  clear();
  out_ << text << "\n" << std::flush;
}

void ProgressView::draw(const runner::Progress& p) {
  const double done = p.runs_total == 0 ? 0 : static_cast<double>(p.runs_done) / p.runs_total;
  const int full = static_cast<int>(std::clamp(done, 0.0, 1.0) * kBar);
  std::string bar;
  for (int i = 0; i < kBar; ++i) bar += i < full ? "█" : "░";
  std::string text =
      fmt::format("{} {}, {} left", bar, count_of(p), report::duration(static_cast<double>(p.estimated_left.count())));
  if (p.test_case != nullptr) text += "  " + describe(*p.test_case);
  if (!p.text.empty()) text += ": " + p.text;
  out_ << "\r\033[K" << report::cut(text, kBarColumns) << std::flush;
  drawn_ = true;
}

void ProgressView::show(const runner::Progress& p) {
  using Kind = runner::Progress::Kind;
  const auto painted = [&](const char* color, const std::string& text) {
    return color_ ? color + text + kPlain : text;
  };
  switch (p.kind) {
    case Kind::kWarning:
      return line(painted(kYellow, "warning: ") + p.text);
    case Kind::kNote:
      return line("note: " + p.text);
    case Kind::kCaseFinished: {
      const bool failed = p.outcome->state == OutcomeState::kFailed;
      if (live_ && p.outcome->state != OutcomeState::kFailed) return draw(p);
      const std::string text =
          fmt::format("[{}] {}: {}", count_of(p), describe_finished(*p.outcome), result_of(*p.outcome));
      return line(failed ? painted(kRed, text) : text);
    }
    case Kind::kPlanned:
    case Kind::kCaseStarted:
    case Kind::kPhase:
      if (live_) draw(p);
      return;
  }
}

}  // namespace assay::cli
