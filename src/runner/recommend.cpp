#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/add_once.hpp"
#include "runner/case_settings.hpp"
#include "runner/runner.hpp"

namespace assay::runner {
namespace {

/// What is compared: more samples a second, or fewer milliseconds.
struct Contest {
  Goal goal;
  const char* tag;
  bool larger_is_better;
};
constexpr Contest kThroughput{Goal::kThroughput, "throughput", true};
constexpr Contest kLatency{Goal::kLatency, "latency.p50", false};

struct Entry {
  std::size_t index;
  double value, low, high;
  bool bounded;  ///< low and high are the metric's own
};

const Outcome& outcome_of(const Campaign& campaign, const Entry& e) { return campaign.outcomes[e.index]; }

const Case& case_of(const Campaign& campaign, const Entry& e) { return outcome_of(campaign, e).test_case; }

/// Stands in where a metric has no interval: no bound is no certainty.
double noise_floor_of(const Campaign& campaign) {
  constexpr double kDefault = 0.03;
  const auto it = campaign.environment.find("noise.used");
  const double floor = it == campaign.environment.end() ? kDefault : std::strtod(it->second.c_str(), nullptr);
  return floor > 0 ? floor : kDefault;
}

bool better(const Contest& contest, double a, double b) { return contest.larger_is_better ? a > b : a < b; }

/// Better by more than both intervals.
bool clearly_better(const Contest& contest, const Entry& a, const Entry& b) {
  return contest.larger_is_better ? a.low > b.high : a.high < b.low;
}

/// The measured outcomes of a model that have the metric, best first.
std::vector<Entry> measured(const Campaign& campaign, const std::string& model, const Contest& contest) {
  std::vector<Entry> result;
  const double floor = noise_floor_of(campaign);
  for (std::size_t i = 0; i < campaign.outcomes.size(); ++i) {
    const Outcome& o = campaign.outcomes[i];
    const Metric* metric = measured_metric(o, contest.tag);
    if (o.test_case.model != model || metric == nullptr || !metric->value) continue;
    const double value = *metric->value;
    result.push_back({i, value, metric->low.value_or(value * (1 - floor)), metric->high.value_or(value * (1 + floor)),
                      metric->low && metric->high});
  }
  if (!contest.larger_is_better && !result.empty()) {
    // A larger batch always waits longer: the smallest one of the plan is what "least" can be asked of.
    std::int64_t smallest = case_of(campaign, result.front()).batch_size;
    for (const Entry& e : result) smallest = std::min(smallest, case_of(campaign, e).batch_size);
    std::erase_if(result, [&](const Entry& e) { return case_of(campaign, e).batch_size != smallest; });
  }
  std::sort(result.begin(), result.end(),
            [&](const Entry& a, const Entry& b) { return better(contest, a.value, b.value); });
  return result;
}

/// Who takes part: cases that were set up for this. One set up for the other goal would be the same engine a second
/// time; it takes part only where it clearly beats them all, which the user should know.
std::vector<Entry> entries(const Campaign& campaign, const std::string& model, const Contest& contest) {
  std::vector<Entry> all = measured(campaign, model, contest);
  const auto own =
      std::find_if(all.begin(), all.end(), [&](const Entry& e) { return case_of(campaign, e).goal == contest.goal; });
  if (own == all.end()) return {};
  const Entry best = *own;
  std::erase_if(all, [&](const Entry& e) {
    return case_of(campaign, e).goal != contest.goal && !clearly_better(contest, e, best);
  });
  return all;
}

/// Those whose interval reaches the best one's: not told from it.
std::vector<Entry> not_told_apart(const std::vector<Entry>& all) {
  std::vector<Entry> set;
  for (const Entry& e : all) {
    if (e.low <= all.front().high && all.front().low <= e.high) set.push_back(e);
  }
  return set;
}

std::string batch_text(std::int64_t batch) {
  return batch == 0 ? "the model's own batch" : fmt::format("batch {}", batch);
}

/// "openvino on gpu:0 with 4 threads, bf16": the engine, and of its settings those by which `all` differ.
std::string setup(const Campaign& campaign, const Entry& entry, const std::vector<Entry>& all, const Contest& contest) {
  const Case c = without_variant(outcome_of(campaign, entry));
  std::vector<std::string> parts;
  for (const CaseSetting& setting : case_settings()) {
    const auto same = [&](const Entry& e) {
      return setting.words(without_variant(outcome_of(campaign, e))) == setting.words(c);
    };
    if (setting.says == nullptr || std::all_of(all.begin(), all.end(), same)) continue;
    if (const std::string text = setting.says(c); !text.empty()) parts.push_back(text);
  }
  std::string engine = engine_name(outcome_of(campaign, entry));
  if (c.device != kCpu) engine += " on " + c.device;
  if (c.goal != contest.goal) engine += fmt::format(" set up for {}", to_string(c.goal));
  return parts.empty() ? engine : fmt::format("{} with {}", engine, fmt::join(parts, ", "));
}

/// "openvino at batch 8, 32 and onnxruntime at batch 32": engines in order of their best.
std::string name_set(const Campaign& campaign, const std::vector<Entry>& set, const std::vector<Entry>& all,
                     const Contest& contest) {
  std::vector<std::pair<std::string, std::vector<std::string>>> engines;
  for (const Entry& e : set) {
    const std::string engine = setup(campaign, e, all, contest);
    auto it = std::find_if(engines.begin(), engines.end(), [&](const auto& known) { return known.first == engine; });
    if (it == engines.end()) it = engines.insert(engines.end(), {engine, {}});
    add_once(it->second, batch_word(case_of(campaign, e)));
  }
  std::vector<std::string> parts;
  for (const auto& [engine, batches] : engines) {
    parts.push_back(fmt::format("{} at batch {}", engine, fmt::join(batches, ", ")));
  }
  std::string text = parts.back();
  parts.pop_back();
  return parts.empty() ? text : fmt::format("{} and {}", fmt::join(parts, ", "), text);
}

/// Three or four digits, never an exponent.
std::string number(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string figure(const Entry& e, const Contest& contest) {
  const char* unit = contest.larger_is_better ? "samples/s" : "ms a batch";
  if (!e.bounded) return fmt::format("{} {}, without an interval", number(e.value), unit);
  return fmt::format("{} [{}, {}] {}", number(e.value), number(e.low), number(e.high), unit);
}

/// "BACKEND.KEY" of options in which cases of one engine differ: they came of --ablate.
std::vector<std::string> varied_options(const std::vector<Case>& cases) {
  std::vector<std::string> varied;
  for (const Case& c : cases) {
    for (const auto& [key, value] : c.options) {
      const auto same = [&, &k = key, &v = value](const Case& o) {
        const auto found = o.options.find(k);
        return o.backend != c.backend || (found != o.options.end() && found->second == v);
      };
      if (!std::all_of(cases.begin(), cases.end(), same)) add_once(varied, c.backend + "." + key);
    }
  }
  return varied;
}

std::vector<Case> cases_of(const Campaign& campaign, const std::vector<Entry>& set) {
  std::vector<Case> cases;
  for (const Entry& e : set) cases.push_back(case_of(campaign, e));
  return cases;
}

/// A process that counts was disturbed, and still was when it ran again.
bool disturbed(const Outcome& outcome) {
  return std::any_of(outcome.samples.begin(), outcome.samples.end(),
                     [](const ProcessSamples& p) { return p.kept && !p.noise.empty(); });
}

/// How much the control case moved, where that was worth a warning; else 0.
double drift_of(const Campaign& campaign) {
  const auto is_drift = [](const Warning& w) { return w.kind == "drift"; };
  if (std::none_of(campaign.warnings.begin(), campaign.warnings.end(), is_drift)) return 0;
  const auto it = campaign.environment.find("control.drift");
  return it == campaign.environment.end() ? 0 : std::strtod(it->second.c_str(), nullptr);
}

}  // namespace

std::string reserve(const Campaign& campaign, const Outcome& best, const Outcome& next, double ratio) {
  if (disturbed(best) || disturbed(next)) {
    return "; but other programs disturbed these processes: measure again when the machine is idle";
  }
  const double drift = drift_of(campaign);
  if (ratio - 1 >= drift) return "";
  return fmt::format("; but the machine's own speed moved by {:.0f} % meanwhile: measure again when it is idle",
                     100 * drift);
}

namespace {

/// Whom the sentence names: those that cannot be told apart, or the best and the next.
std::vector<Entry> named_entries(const std::vector<Entry>& all, const std::vector<Entry>& set) {
  const bool next = set.size() == 1 && all.size() > 1;
  return next ? std::vector<Entry>{all[0], all[1]} : set;
}

/// "; mlir (winograd) is --option mlir.math=fast": a variant is no word of the command line.
std::string variants_text(const Campaign& campaign, const std::vector<Entry>& named) {
  std::vector<std::string> texts;
  for (const Entry& e : named) {
    const Outcome& o = outcome_of(campaign, e);
    const std::string option = variant_option(o);
    if (!option.empty()) add_once(texts, fmt::format("{} is --option {}", engine_name(o), option));
  }
  return texts.empty() ? "" : fmt::format("; {}", fmt::join(texts, ", "));
}

/// Whether cases set up for the contest's goal were measured at batches that take no part: larger ones, for latency.
bool measured_at_others(const Campaign& campaign, const Case& one, const Contest& contest) {
  return std::any_of(campaign.outcomes.begin(), campaign.outcomes.end(), [&](const Outcome& o) {
    const Metric* metric = measured_metric(o, contest.tag);
    return metric != nullptr && metric->value && o.test_case.model == one.model && o.test_case.goal == contest.goal &&
           o.test_case.batch_size != one.batch_size;
  });
}

/// "x at batch 8 is the only one measured for throughput"; "x is the only one measured for latency at batch 1".
std::string alone_text(const Campaign& campaign, const std::string& engine, const Case& one, const Contest& contest) {
  const char* goal = to_string(contest.goal);
  const std::string batch = batch_text(one.batch_size);
  if (!measured_at_others(campaign, one, contest)) {
    return fmt::format("{} at {} is the only one measured for {}", engine, batch, goal);
  }
  return fmt::format("{} is the only one measured for {} at {}{}", engine, goal, batch,
                     one.batch_size == 0 ? "" : ", the smallest");
}

std::string sentence(const Campaign& campaign, const std::string& model, const std::vector<Entry>& all,
                     const std::vector<Entry>& set, const Contest& contest) {
  const Entry& best = set.front();
  const Case& c = case_of(campaign, best);
  const char* aim = contest.larger_is_better ? "most throughput" : "least latency";
  const std::string variants = variants_text(campaign, named_entries(all, set));
  if (all.size() == 1) {
    return fmt::format("{}: {}: {}{}.", model, alone_text(campaign, setup(campaign, best, all, contest), c, contest),
                       figure(best, contest), variants);
  }
  if (set.size() > 1) {
    std::string text = fmt::format("{}: for the {} take {}: they cannot be told apart ({}){}", model, aim,
                                   name_set(campaign, set, all, contest), figure(best, contest), variants);
    // What was placed is found again by a search, and by no command for these cases.
    const auto is_placed = [&](const Entry& e) { return !case_of(campaign, e).placement.seats.empty(); };
    const std::string command = deciding_command(campaign, cases_of(campaign, set));
    if (command.empty() || std::any_of(set.begin(), set.end(), is_placed)) return text + ".";
    return text + "; this would decide: " + command;
  }
  const Entry& next = all[1];
  const Case& other = case_of(campaign, next);
  const double ratio = contest.larger_is_better ? best.value / next.value : next.value / best.value;
  return fmt::format("{}: for the {} use {} at {}: {}, {:.2f}x the next best ({} at {}){}{}.", model, aim,
                     setup(campaign, best, all, contest), batch_text(c.batch_size), figure(best, contest), ratio,
                     setup(campaign, next, all, contest), batch_text(other.batch_size),
                     reserve(campaign, outcome_of(campaign, best), outcome_of(campaign, next), ratio), variants);
}

}  // namespace

std::string deciding_command(const Campaign& campaign, const std::vector<Case>& cases) {
  if (campaign.effort == "rigorous" || cases.empty()) return "";
  std::vector<Case> by_batch = cases;  // batches in their order read better than in that of their rates
  std::stable_sort(by_batch.begin(), by_batch.end(),
                   [](const Case& a, const Case& b) { return a.batch_size < b.batch_size; });
  std::string command = "assay bench " + quoted(cases.front().model);
  const std::vector<std::string> varied = varied_options(cases);
  const auto is_varied = [&](const std::string& word) {
    return std::any_of(varied.begin(), varied.end(), [&](const std::string& v) { return word.starts_with(v + "="); });
  };
  for (const CaseSetting& setting : case_settings()) {
    std::vector<std::string> words;
    for (const Case& c : setting.sorted ? by_batch : cases) {
      for (const std::string& word : setting.words(c)) {
        if (!is_varied(word)) add_once(words, word);
      }
    }
    if (words.empty() || (words.size() == 1 && words.front() == setting.by_default)) continue;
    if (setting.listed) {
      command += fmt::format(" {} {}", setting.option, quoted(fmt::format("{}", fmt::join(words, ","))));
    } else {
      for (const std::string& word : words) command += fmt::format(" {} {}", setting.option, quoted(word));
    }
  }
  if (!varied.empty()) command += fmt::format(" --ablate {}", fmt::join(varied, ","));
  std::vector<std::string> goals;
  for (const Case& c : cases) add_once(goals, to_string(c.goal));
  return fmt::format("{} --for {} --effort {}", command, fmt::join(goals, ","),
                     campaign.effort == "quick" ? "standard" : "rigorous");
}

Recommendation recommend(const Campaign& campaign) {
  std::vector<std::string> models;
  for (const Case& c : campaign.plan) add_once(models, c.model);
  Recommendation result;
  for (const std::string& model : models) {
    bool first = true;  // the set is that of the first goal that was measured
    for (const Contest* contest : {&kThroughput, &kLatency}) {
      const std::vector<Entry> all = entries(campaign, model, *contest);
      if (all.empty()) continue;
      const std::vector<Entry> set = not_told_apart(all);
      for (const Entry& e : set) {
        if (first) result.set.push_back(e.index);
      }
      first = false;
      for (const Entry& e : named_entries(all, set)) result.named.push_back({e.index, contest->goal});
      if (!result.because.empty()) result.because += "\n";
      result.because += sentence(campaign, model, all, set, *contest);
    }
  }
  if (result.because.empty()) result.because = "Nothing was measured, so nothing can be recommended.";
  return result;
}

}  // namespace assay::runner
