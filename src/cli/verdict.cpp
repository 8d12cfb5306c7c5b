// What a search for a placement came to: who won, and the C++ that loads it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/bench.hpp"
#include "cli/loading_code.hpp"
#include "core/search.hpp"
#include "report/format.hpp"
#include "tune/place_cases.hpp"

namespace assay::cli {
namespace {

std::string seats_of(const Case& c, const std::string& engine) {
  if (!c.placement.seats.empty()) return describe_placement(c);
  return fmt::format("{} on {}{}", c.strategy, engine, c.device == kCpu ? "" : " " + c.device);
}

std::string seats_of(const Outcome& o) { return seats_of(o.test_case, engine_name(o)); }

/// A plan that was measured.
struct Contender {
  const Outcome* outcome;
  double value, low, high;
};

/// The best first.
std::vector<Contender> contenders(const Campaign& campaign) {
  std::vector<Contender> all;
  for (const Outcome& o : campaign.outcomes) {
    const Metric* metric = measured_metric(o, "throughput");
    if (metric == nullptr || !metric->value) continue;
    const double value = *metric->value;
    all.push_back({&o, value, metric->low.value_or(value), metric->high.value_or(value)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Contender& a, const Contender& b) { return a.value > b.value; });
  return all;
}

/// Plans that the search measured in vain before; "": none.
std::string failed_before(const Campaign& campaign) {
  const auto search = search_of(campaign);
  if (!search || search->failed.empty()) return "";
  std::vector<std::string> failed;
  for (const Case& c : search->failed) failed.push_back(seats_of(c, c.backend));
  return fmt::format("; not measured in earlier campaigns of this search, as their rows say: {}",
                     fmt::join(failed, " and "));
}

/// With whom nothing was compared: plans that failed, in this campaign and before, and the study's way where it was
/// none of this one's; "": nobody.
std::string not_compared(const Campaign& campaign) {
  std::vector<std::string> failed;
  bool has_sequential = false;
  for (const Outcome& o : campaign.outcomes) {
    has_sequential = has_sequential || o.test_case.strategy == kSequential;
    if (!measured_value(o, "throughput")) failed.push_back(seats_of(o));
  }
  std::string text;
  if (!failed.empty()) text = fmt::format("; not measured, as the rows say: {}", fmt::join(failed, " and "));
  text += failed_before(campaign);
  if (!has_sequential) {
    text += fmt::format(
        "; the study's way ({}) was not measured: on no one engine and device could all members be measured at this "
        "batch",
        kSequential);
  }
  return text;
}

/// The search with more effort; "" where there is none above its own, or what was searched for is not known.
std::string search_again(const Campaign& campaign) {
  const auto stored = campaign.environment.find(kPlacedRequests);
  if (stored == campaign.environment.end()) return "";
  const std::vector<tune::PlaceRequest> requests = tune::requests_from_text(stored->second, kPlacedRequests);
  std::vector<Case> cases;
  if (requests.empty()) return "";
  for (const tune::Engine& engine : tune::engines_of(requests.front())) {
    Case& c = cases.emplace_back(requests.front().ensemble);
    c.backend = requests.front().all_backends ? kAllBackends : engine.backend;  // one that is not here is named by none
    c.device = engine.device;
  }
  return runner::deciding_command(campaign, cases);
}

}  // namespace

std::string placing_verdict(const Campaign& campaign) {
  if (!missing(campaign).empty()) {
    return fmt::format("The search is not at its end: assay bench --resume {} goes on.", campaign.id);
  }
  const std::vector<Contender> all = contenders(campaign);
  if (all.empty()) return "None of the plans could be measured; their rows say why" + failed_before(campaign) + ".";
  const Contender& best = all.front();
  const Case& c = best.outcome->test_case;
  const std::string figure = report::with_interval(find_metric(*best.outcome, "throughput"));
  if (all.size() == 1) {
    return fmt::format("{}: use {}: {} samples/s, the only one that could be measured{}.", c.model,
                       seats_of(*best.outcome), figure, not_compared(campaign));
  }
  // Rivals whose interval reaches the winner's are not told from it: a plan is reported as the winner only of the
  // others.
  std::vector<std::string> tied;
  for (auto other = all.begin() + 1; other != all.end(); ++other) {
    if (other->high >= best.low) tied.push_back(seats_of(*other->outcome));
  }
  if (tied.empty()) {
    return fmt::format("{}: use {}: {} samples/s, ahead of all others that were measured beside it{}{}.", c.model,
                       seats_of(*best.outcome), figure, not_compared(campaign),
                       runner::reserve(campaign, *best.outcome, *all[1].outcome, best.value / all[1].value));
  }
  const std::string again = search_again(campaign);
  return fmt::format("{}: {} came out first with {} samples/s, but it cannot be told from {}{}{}", c.model,
                     seats_of(*best.outcome), figure, fmt::join(tied, " and "), not_compared(campaign),
                     again.empty() ? "." : "; this may decide: " + again);
}

std::string placing_code(const Campaign& campaign) {
  if (!missing(campaign).empty()) return "";
  const std::vector<Contender> all = contenders(campaign);
  return all.empty() ? "" : loading_code(campaign, all.front().outcome->test_case);
}

}  // namespace assay::cli
