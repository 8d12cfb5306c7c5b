#include <fmt/format.h>

#include <algorithm>

#include "runner/runner.hpp"

namespace assay::runner {
namespace {

/// What is compared: more samples a second, or fewer milliseconds.
struct Contest {
  const char* tag;
  bool larger_is_better;
};
constexpr Contest kThroughput{"throughput", true};
constexpr Contest kLatency{"latency.p50", false};

struct Entry {
  std::size_t index;
  double value, low, high;
};

/// The measured outcomes of a model that have the metric, best first.
std::vector<Entry> entries(const Campaign& campaign, const std::string& model, const Contest& contest) {
  std::vector<Entry> result;
  for (std::size_t i = 0; i < campaign.outcomes.size(); ++i) {
    const Outcome& o = campaign.outcomes[i];
    const Metric* metric = find_metric(o, contest.tag);
    if (o.test_case.model != model || o.state != OutcomeState::kMeasured || metric == nullptr || !metric->value)
      continue;
    result.push_back({i, *metric->value, metric->low.value_or(*metric->value), metric->high.value_or(*metric->value)});
  }
  if (!contest.larger_is_better && !result.empty()) {
    // A larger batch always waits longer: the smallest one of the plan is what "least" can be asked of.
    const auto batch = [&](const Entry& e) { return campaign.outcomes[e.index].test_case.batch_size; };
    std::int64_t smallest = batch(result.front());
    for (const Entry& e : result) smallest = std::min(smallest, batch(e));
    std::erase_if(result, [&](const Entry& e) { return batch(e) != smallest; });
  }
  std::sort(result.begin(), result.end(), [&](const Entry& a, const Entry& b) {
    return contest.larger_is_better ? a.value > b.value : a.value < b.value;
  });
  return result;
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

/// "openvino at batch 8, 32 and onnxruntime at batch 32": engines in order of their best.
std::string name_set(const Campaign& campaign, const std::vector<Entry>& set) {
  std::vector<std::pair<std::string, std::vector<std::string>>> engines;
  for (const Entry& e : set) {
    const Case& c = campaign.outcomes[e.index].test_case;
    const std::string engine = c.device == "cpu" ? c.backend : c.backend + " on " + c.device;
    auto it = std::find_if(engines.begin(), engines.end(), [&](const auto& known) { return known.first == engine; });
    if (it == engines.end()) it = engines.insert(engines.end(), {engine, {}});
    const std::string batch = c.batch_size == 0 ? "model" : std::to_string(c.batch_size);
    if (std::find(it->second.begin(), it->second.end(), batch) == it->second.end()) it->second.push_back(batch);
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
  return fmt::format("{} [{}, {}] {}", number(e.value), number(e.low), number(e.high),
                     contest.larger_is_better ? "samples/s" : "ms a batch");
}

std::string join_numbers(const Campaign& campaign, const std::vector<Entry>& set) {
  std::vector<std::int64_t> batches;
  for (const Entry& e : set) batches.push_back(campaign.outcomes[e.index].test_case.batch_size);
  std::sort(batches.begin(), batches.end());
  batches.erase(std::unique(batches.begin(), batches.end()), batches.end());
  std::vector<std::string> texts;
  for (const auto b : batches) texts.push_back(b == 0 ? "model" : std::to_string(b));
  return fmt::format("{}", fmt::join(texts, ","));
}

/// The command that would tell the set apart: the same cases with more effort.
std::string deciding_command(const Campaign& campaign, const std::string& model, const std::vector<Entry>& set,
                             const Contest& contest) {
  std::vector<std::string> backends;
  for (const Entry& e : set) {
    const std::string& backend = campaign.outcomes[e.index].test_case.backend;
    if (std::find(backends.begin(), backends.end(), backend) == backends.end()) backends.push_back(backend);
  }
  const char* effort = campaign.effort == "quick" ? "standard" : "rigorous";
  return fmt::format("assay bench {} --backend {} --batch-size {} --for {} --effort {}", model,
                     fmt::join(backends, ","), join_numbers(campaign, set),
                     contest.larger_is_better ? "throughput" : "latency", effort);
}

std::string sentence(const Campaign& campaign, const std::string& model, const std::vector<Entry>& all,
                     const std::vector<Entry>& set, const Contest& contest) {
  const Entry& best = set.front();
  const Case& c = campaign.outcomes[best.index].test_case;
  const char* aim = contest.larger_is_better ? "most throughput" : "least latency";
  if (all.size() == 1) {
    return fmt::format("{}: {} at {} is the only one measured for {}: {}.", model, c.backend, batch_text(c.batch_size),
                       contest.larger_is_better ? "throughput" : "latency", figure(best, contest));
  }
  if (set.size() > 1) {
    std::string text = fmt::format("{}: for the {} take {}: they cannot be told apart ({})", model, aim,
                                   name_set(campaign, set), figure(best, contest));
    if (campaign.effort == "rigorous") return text + ".";
    return text + fmt::format("; this would decide: {}", deciding_command(campaign, model, set, contest));
  }
  const Entry& next = all[1];
  const Case& other = campaign.outcomes[next.index].test_case;
  const double ratio = contest.larger_is_better ? best.value / next.value : next.value / best.value;
  return fmt::format("{}: for the {} use {} at {}: {}, {:.2f}x the next best ({} at {}).", model, aim, c.backend,
                     batch_text(c.batch_size), figure(best, contest), ratio, other.backend,
                     batch_text(other.batch_size));
}

}  // namespace

Recommendation recommend(const Campaign& campaign) {
  std::vector<std::string> models;
  for (const Case& c : campaign.plan) {
    if (std::find(models.begin(), models.end(), c.model) == models.end()) models.push_back(c.model);
  }
  Recommendation result;
  for (const std::string& model : models) {
    const Contest* contest = &kThroughput;
    std::vector<Entry> all = entries(campaign, model, *contest);
    if (all.empty()) {
      contest = &kLatency;
      all = entries(campaign, model, *contest);
    }
    if (all.empty()) continue;
    const std::vector<Entry> set = not_told_apart(all);
    for (const Entry& e : set) result.set.push_back(e.index);
    if (!result.because.empty()) result.because += " ";
    result.because += sentence(campaign, model, all, set, *contest);
  }
  if (result.because.empty()) result.because = "Nothing was measured, so nothing can be recommended.";
  return result;
}

}  // namespace assay::runner
