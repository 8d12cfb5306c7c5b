#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "cli/bench.hpp"
#include "core/json.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

/// Cases that follow each other and differ in the batch alone, and are of one fate, on one line.
struct Row {
  Case first;
  std::vector<std::string> batches;
  std::string skipped;
  double seconds = 0;
};

std::vector<Row> rows_of(const std::vector<runner::Preview>& previews) {
  std::vector<Row> rows;
  for (const runner::Preview& p : previews) {
    bool joins = false;
    if (!rows.empty()) {
      Case same = p.test_case;
      same.batch_size = rows.back().first.batch_size;
      joins = case_key(same) == case_key(rows.back().first) && p.skipped.empty() == rows.back().skipped.empty();
    }
    if (!joins) rows.push_back({p.test_case, {}, p.skipped, 0});
    rows.back().batches.push_back(report::batch_name(p.test_case));
    rows.back().seconds += p.estimated.count();
  }
  return rows;
}

using CaseOptions = std::map<std::string, std::string>;

/// What all cases of an engine have was typed; what only some have, --ablate switched.
std::map<std::string, CaseOptions> common_options(const std::vector<runner::Preview>& previews) {
  std::map<std::string, CaseOptions> common;
  for (const runner::Preview& p : previews) {
    const auto [it, first] = common.emplace(p.test_case.backend, p.test_case.options);
    if (first) continue;
    std::erase_if(it->second, [&](const auto& option) {
      const auto own = p.test_case.options.find(option.first);
      return own == p.test_case.options.end() || own->second != option.second;
    });
  }
  return common;
}

std::string title(const Row& row, const CaseOptions& common) {
  Case c = row.first;
  std::string text = fmt::format("{} · {} · {}", c.model, c.backend, to_string(c.goal));
  if (is_ensemble(c)) text += " · " + c.strategy;
  if (c.device != kCpu) text += " · " + c.device;
  if (c.precision != Precision::kFloat32) text += fmt::format(" · {}", to_string(c.precision));
  if (c.in_flight != 0) text += fmt::format(" · in flight {}", c.in_flight);
  for (const auto& [name, value] : c.options) {
    if (!common.contains(name)) text += fmt::format(" · {}={}", name, value);
  }
  return fmt::format("{} · batch {}", text, fmt::join(row.batches, ","));
}

void print_json(const std::vector<runner::Preview>& previews, double seconds, std::ostream& out) {
  nlohmann::json cases = nlohmann::json::array();
  for (const runner::Preview& p : previews) {
    cases.push_back({{"case", to_json(p.test_case)}, {"skipped", p.skipped}, {"seconds", p.estimated.count()}});
  }
  out << nlohmann::json{{"schema", 1}, {"cases", cases}, {"seconds", seconds}}.dump(
             2, ' ', false, nlohmann::json::error_handler_t::replace)
      << "\n";
}

}  // namespace

int interrupted_dry_run(std::ostream& err) {
  err << "interrupted: nothing was to be stored\n";
  return kInterrupted;
}

void print_previews(const BenchOptions& options, const std::vector<runner::Preview>& previews,
                    const runner::RunSettings& settings, const runner::HistoryLookup& history, std::ostream& out) {
  std::vector<Case> runs;
  for (const runner::Preview& p : previews) {
    if (p.skipped.empty()) runs.push_back(p.test_case);
  }
  const std::size_t skipped = previews.size() - runs.size();
  // With what no case has to itself: references, A/A twins, the control case.
  const auto seconds = static_cast<double>(runner::estimate(runs, settings.effort, settings.models, history).count());
  if (options.json) {
    print_json(previews, seconds, out);
    return;
  }
  const std::map<std::string, CaseOptions> common = common_options(previews);
  std::set<std::string> said;  // where an engine was looked for is several lines: once is enough
  for (const Row& row : rows_of(previews)) {
    std::string fate = row.skipped.empty() ? "about " + report::duration(row.seconds) : "skipped: " + row.skipped;
    if (!row.skipped.empty() && !said.insert(row.skipped).second) fate = "skipped, as above";
    out << report::wrap(title(row, common.at(row.first.backend)) + ": " + fate, report::kColumns, 4) << "\n";
  }
  out << "\n"
      << report::wrap(fmt::format("{}, {} of them skipped; effort {}: about {} if no curve is cut short",
                                  report::counted(previews.size(), "case"), skipped, settings.effort.name,
                                  report::duration(seconds)),
                      report::kColumns)
      << "\n";
}

int dry_run(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
            const runner::HistoryLookup& history, Context& context) {
  const auto previews = runner::preview(plan.cases, settings, *context.launcher, history, *context.stop);
  if (*context.stop) return interrupted_dry_run(*context.err);
  print_previews(options, previews, settings, history, *context.out);
  return kOk;
}

}  // namespace assay::cli
