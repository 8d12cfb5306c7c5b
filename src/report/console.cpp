// The table that bench prints: what both goals say of a setting on one line, reasons below it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>

#include "base/add_once.hpp"
#include "report/exporters.hpp"
#include "report/format.hpp"
#include "report/search.hpp"

namespace assay::report {
namespace {

constexpr std::size_t kMemory = 9, kBetween = 6;  // in all, between columns
constexpr std::size_t kMostReasons = 12;

/// One line: the outcomes that differ in the goal alone, each in the column of what it was set up for; or one alone, in
/// the other column.
struct Line {
  const Outcome* throughput = nullptr;
  const Outcome* latency = nullptr;
  [[nodiscard]] const Outcome& any() const { return throughput != nullptr ? *throughput : *latency; }
  [[nodiscard]] bool has(const Outcome* outcome) const { return throughput == outcome || latency == outcome; }
  [[nodiscard]] bool in_other_column() const {
    return any().test_case.goal != (throughput != nullptr ? Goal::kThroughput : Goal::kLatency);
  }
};

struct Group {
  std::string title;
  std::vector<Line> lines;
};

/// Columns that are as wide as what is in them; figures have what is left of the screen.
struct Columns {
  std::size_t backend, batch, figure;
};

/// That of the one who told what it ran as: a case that failed did not.
const Outcome& teller(const Line& line) {
  const Outcome& any = line.any();
  return line.latency != nullptr && !any.in_force.contains(kVariant) ? *line.latency : any;
}

bool same_but_goal(const Case& a, const Case& b) {
  Case other = b;
  other.goal = a.goal;
  return case_key(a) == case_key(other);
}

std::vector<Group> group(const Campaign& campaign) {
  std::vector<Group> groups;
  std::vector<const Outcome*> sorted;
  for (const Outcome& o : campaign.outcomes) sorted.push_back(&o);
  // As planned, not as they happened to finish.
  const auto place = [&](const Outcome* o) {
    const std::string key = case_key(o->test_case);
    return std::find_if(campaign.plan.begin(), campaign.plan.end(), [&](const Case& c) { return case_key(c) == key; });
  };
  std::vector<std::pair<std::ptrdiff_t, const Outcome*>> placed;
  for (const Outcome* o : sorted) placed.emplace_back(place(o) - campaign.plan.begin(), o);
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [position, o] : placed) {
    const std::string title = group_title(o->test_case);
    auto it = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.title == title; });
    if (it == groups.end()) it = groups.insert(groups.end(), {title, {}});
    const bool throughput = o->test_case.goal == Goal::kThroughput;
    auto line = std::find_if(it->lines.begin(), it->lines.end(), [&](const Line& l) {
      return (throughput ? l.throughput : l.latency) == nullptr && same_but_goal(l.any().test_case, o->test_case);
    });
    if (line == it->lines.end()) line = it->lines.insert(it->lines.end(), Line{});
    (throughput ? line->throughput : line->latency) = o;
  }
  return groups;
}

/// What a sentence compares must be in the table. Of a case that was set up for the other goal than it is judged by,
/// that figure is in neither column of its line: it has another one below.
void add_named(const Document& d, std::vector<Group>& groups) {
  for (const NamedOutcome& named : d.recommendation.named) {
    const Outcome* outcome = &d.campaign->outcomes.at(named.index);
    if (outcome->test_case.goal == named.judged_by) continue;
    Line line;
    (named.judged_by == Goal::kThroughput ? line.throughput : line.latency) = outcome;
    for (Group& g : groups) {
      const auto own = std::find_if(g.lines.begin(), g.lines.end(), [&](const Line& l) { return l.has(outcome); });
      if (own != g.lines.end()) g.lines.insert(own + 1, line);
    }
  }
}

bool is_not_stored(const Outcome& o) { return o.state == OutcomeState::kMeasured && o.phase == kNotStored; }

std::string figure(const Outcome* o, const char* tag, std::size_t columns) {
  if (o == nullptr) return "";
  if (o->state != OutcomeState::kMeasured) return to_string(o->state);
  const std::string mark = std::string(unverified(*o) ? "*" : "") + (is_not_stored(*o) ? "†" : "");
  const Metric* metric = find_metric(*o, tag);
  std::string text = with_interval(metric) + mark;
  if (width(text) > columns) text = with_interval(metric, short_number) + mark;
  return cut(text, columns);
}

std::string memory(const Line& line) {
  double most = 0;
  for (const Outcome* o : {line.throughput, line.latency}) {
    const Metric* metric = o == nullptr ? nullptr : value_of(*o, "memory.peak");
    if (metric != nullptr) most = std::max(most, metric->value.value_or(0));
  }
  return most > 0 ? number(most) : "–";
}

std::string batch(const Line& line) {
  const Case& c = line.any().test_case;
  std::string text = batch_name(c);
  if (c.in_flight > 0) text += fmt::format("x{}", c.in_flight);
  return text;
}

/// Of an ensemble its strategy, and the engine's own options that are set; "" where neither is.
std::string how_it_runs(const Case& c) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : c.options) texts.push_back(key + "=" + value);
  const std::string with = texts.empty() ? "" : fmt::format("with {}", fmt::join(texts, ", "));
  if (!c.placement.seats.empty()) return fmt::format("{} ({})", c.strategy, describe_placement(c));
  if (!is_ensemble(c)) return with;
  return with.empty() ? c.strategy : fmt::format("{} {}", c.strategy, with);
}

std::string how_it_runs(const Line& line) { return how_it_runs(without_variant(teller(line))); }

/// What stands above a line's figures; "" where they need no word.
std::string heading(const Line& line) {
  std::string text = how_it_runs(line);
  if (line.in_other_column()) {
    text += fmt::format("{}set up for {}", text.empty() ? "" : ", ", to_string(teller(line).test_case.goal));
  }
  return text.empty() ? text : text + ":";
}

/// Of an ensemble, what runs in one way stands together, whatever the plan's order, and what is in the other column
/// below the rest: so each heading is there once.
void gather(Group& g) {
  if (!is_ensemble(g.lines.front().any().test_case)) return;
  std::vector<std::string> ways;
  for (const Line& line : g.lines) add_once(ways, how_it_runs(line));
  const auto place = [&](const Line& line) {
    return std::pair(std::find(ways.begin(), ways.end(), how_it_runs(line)) - ways.begin(),
                     line.in_other_column() ? heading(line) : std::string());
  };
  std::stable_sort(g.lines.begin(), g.lines.end(), [&](const Line& a, const Line& b) { return place(a) < place(b); });
}

Columns columns_of(const Group& g) {
  constexpr std::size_t kWidestBackend = 16, kWidestBatch = 7, kWidestFigure = 23;
  Columns c{12, 6, 0};
  for (const Line& line : g.lines) {
    c.backend = std::clamp(width(engine_name(teller(line))), c.backend, kWidestBackend);
    c.batch = std::clamp(batch(line).size(), c.batch, kWidestBatch);
  }
  c.figure = std::min(kWidestFigure, (kColumns - c.backend - c.batch - kMemory - kBetween) / 2);
  return c;
}

void write_group(const Group& g, std::ostream& out) {
  const Columns wide = columns_of(g);
  out << wrap(g.title, kColumns, 2) << "\n";
  out << pad_right("backend", wide.backend) << " " << pad_left("batch", wide.batch) << "  "
      << pad_left("throughput, 1/s", wide.figure) << "  " << pad_left("latency p50, ms", wide.figure) << " "
      << pad_left("peak, MiB", kMemory) << "\n";
  std::string before;
  for (const Line& line : g.lines) {
    const std::string above = heading(line);
    if (!above.empty() && (above != before || !is_ensemble(line.any().test_case))) {
      out << wrap(above, kColumns, 2) << "\n";
    }
    before = above;
    out << pad_right(cut(engine_name(teller(line)), wide.backend), wide.backend) << " "
        << pad_left(cut(batch(line), wide.batch), wide.batch) << "  "
        << pad_left(figure(line.throughput, "throughput", wide.figure), wide.figure) << "  "
        << pad_left(figure(line.latency, "latency.p50", wide.figure), wide.figure) << " "
        << pad_left(memory(line), kMemory) << "\n";
  }
  out << "\n";
}

/// Each reason once, with the cases it concerns.
void write_reasons(const Document& d, std::ostream& out) {
  const Campaign& campaign = *d.campaign;
  struct Reason {
    std::string head, why;
    std::vector<std::string> cases;
  };
  std::vector<Reason> reasons;
  for (const Outcome& o : campaign.outcomes) {
    if (o.state == OutcomeState::kMeasured) continue;
    const std::string head = fmt::format("{} ({})", to_string(o.state), o.phase);
    auto it = std::find_if(reasons.begin(), reasons.end(),
                           [&](const Reason& r) { return r.head == head && r.why == o.reason; });
    if (it == reasons.end()) it = reasons.insert(reasons.end(), {head, o.reason, {}});
    const Case& c = o.test_case;
    it->cases.push_back(fmt::format("{}{} {} batch {}", name_with_options(o), is_ensemble(c) ? " " + c.strategy : "",
                                    to_string(c.goal), batch_name(c)));
  }
  const std::size_t shown = d.every_reason ? reasons.size() : std::min(reasons.size(), kMostReasons);
  for (std::size_t i = 0; i < shown; ++i) {
    const Reason& r = reasons[i];
    std::string cases = r.cases.front();
    if (r.cases.size() > 1) cases += fmt::format(" and {} more", r.cases.size() - 1);
    out << wrap(fmt::format("{}: {}: {}", r.head, cases, r.why), kColumns, 2) << "\n";
  }
  if (reasons.size() > shown) {
    out << fmt::format("… and {} more: assay results show {}\n", reasons.size() - shown, campaign.id);
  }
  if (!reasons.empty()) out << "\n";
}

void write_notes(const Document& d, std::ostream& out) {
  std::vector<std::string> remarks;
  for (const Outcome& o : d.campaign->outcomes) {
    if (const auto why = unverified(o)) add_once(remarks, *why);
  }
  for (const std::string& remark : remarks) out << wrap("* " + remark, kColumns, 2) << "\n";
  const auto& outcomes = d.campaign->outcomes;
  if (std::any_of(outcomes.begin(), outcomes.end(), is_not_stored)) out << "† measured, but not recorded\n";
  for (const Warning& w : d.campaign->warnings) {
    out << wrap(fmt::format("warning ({}): {}; {}", w.kind, w.message, w.advice), kColumns, 2) << "\n";
  }
  const auto& environment = d.campaign->environment;
  if (const auto drift = environment.find("control.drift"); drift != environment.end()) {
    const auto latency = environment.find("control.latency_ms");
    out << wrap(fmt::format("control case, ms: {} (drift {}\u00a0%)",
                            latency == environment.end() ? "" : latency->second,
                            number(100 * std::strtod(drift->second.c_str(), nullptr))),
                kColumns, 2)
        << "\n";
  }
  std::string how = fmt::format("[…]: 95 % interval; effort {}", d.campaign->effort);
  const auto processes = d.campaign->environment.find("effort.processes");
  const bool one = processes == d.campaign->environment.end() || processes->second == "1";
  if (d.campaign->effort == "quick" && one) {
    how += fmt::format(", one process, widened by a noise floor of {:.3g}\u00a0%", 100 * d.noise_floor);
  }
  out << wrap(how + ".", kColumns, 2) << "\n\n";
}

}  // namespace

void write_console(const Document& d, std::ostream& out) {
  std::vector<Group> groups = group(*d.campaign);
  add_named(d, groups);
  for (Group& g : groups) {
    gather(g);
    write_group(g, out);
  }
  write_reasons(d, out);
  write_notes(d, out);
  std::istringstream sentences(d.recommendation.because);  // a line for each model and goal
  for (std::string one; std::getline(sentences, one);) out << wrap(one, kColumns, 2) << "\n";
  if (!d.code.empty()) out << "\nIt is loaded by\n\n" << d.code;  // as it is copied: never cut
  if (const auto search = search_of(*d.campaign)) {
    out << "\n";
    write_search(*search, out);
  }
}

}  // namespace assay::report
