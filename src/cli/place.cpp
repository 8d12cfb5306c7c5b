// assay bench A+B+C --strategy placed: the search of src/tune over campaigns, and what is said of it.
#include "tune/place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <set>

#include "assay/error.hpp"
#include "cli/bench.hpp"
#include "measure/environment.hpp"
#include "report/format.hpp"
#include "runner/probe.hpp"
#include "store/campaign_lock.hpp"

namespace assay::cli {
namespace {

/// Batch sizes of a member that are tried beside the ensemble's.
constexpr std::int64_t kMemberBatches[] = {1, 8, 32};
/// Environment of a search's campaigns: which of its steps it is, and what is placed from here on, the first now.
const std::string kStepKey = "placed.step", kRequestsKey = "placed.requests";

bool is_placed(const Case& c) { return c.strategy == kPlaced; }

/// Everything of a case but where it runs.
std::string problem_key(Case c) {
  c.backend.clear();
  c.options.clear();
  c.goal = Goal::kThroughput;
  return case_key(c);
}

/// The ensembles that are to be placed, each once, with the engines that it may use.
std::vector<tune::PlaceRequest> requests_of(const BenchPlan& plan) {
  std::vector<tune::PlaceRequest> requests;
  if (std::none_of(plan.cases.begin(), plan.cases.end(), [](const Case& c) { return c.goal == Goal::kThroughput; })) {
    throw Error(ErrorCode::kInvalidArgument,
                "--strategy placed searches for the most throughput: leave --for away, or compare the strategies by "
                "name (--strategy all) for latency");
  }
  for (const Case& c : plan.cases) {
    if (!is_placed(c)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "--strategy placed measures the members alone, the best plans and the study's way: leave other "
                  "strategies and models to a campaign of their own");
    }
    if (!c.options.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "--strategy placed chooses among engines as they are set up for the "
                  "goal: leave --option away");
    }
    auto it = std::find_if(requests.begin(), requests.end(),
                           [&](const tune::PlaceRequest& r) { return problem_key(r.ensemble) == problem_key(c); });
    if (it == requests.end()) {
      tune::PlaceRequest request;
      request.ensemble = c;
      request.ensemble.goal = Goal::kThroughput;
      request.batches.assign(std::begin(kMemberBatches), std::end(kMemberBatches));
      it = requests.insert(requests.end(), std::move(request));
    }
    if (std::find(it->backends.begin(), it->backends.end(), c.backend) == it->backends.end()) {
      it->backends.push_back(c.backend);
    }
  }
  return requests;
}

/// Results of this CPU, engine and model as they are now, measured as long as now.
class Stored {
 public:
  Stored(const runner::RunSettings& settings, const store::Store& store, const Context& context)
      : settings_(settings), store_(store), context_(context) {
    const auto environment = measure::read_environment().values;
    if (const auto it = environment.find("cpu.model"); it != environment.end()) cpu_ = it->second;
  }

  std::optional<Outcome> find(const Case& c) {
    try {
      const std::string version = version_of(c.backend);
      if (version.empty() || cpu_.empty()) return std::nullopt;
      return store_.newest(case_key(c), {{"cpu.model", cpu_},
                                         {"effort.window_ms", std::to_string(settings_.effort.window.count())},
                                         {"version." + c.backend, version},
                                         {"model.sha256." + c.model, settings_.models(c).hash}});
    } catch (const Error&) {
      return std::nullopt;  // measuring it will say what is wrong
    }
  }

 private:
  std::string version_of(const std::string& backend) {
    const auto it = versions_.find(backend);
    if (it != versions_.end()) return it->second;
    const runner::ProbeAnswer answer =
        runner::probe_backend(backend, settings_.library_of(backend), *context_.launcher, *context_.stop);
    return versions_[backend] = answer.available ? answer.version : std::string();
  }

  const runner::RunSettings& settings_;
  const store::Store& store_;
  const Context& context_;
  std::string cpu_;
  std::map<std::string, std::string> versions_;  ///< by engine; "" where it is not available
};

/// Runs the campaigns of a search, one after the other.
class Campaigns {
 public:
  /// `plan` without its cases, and with what campaigns are to remember.
  Campaigns(const BenchOptions& options, BenchPlan plan, runner::RunSettings& settings, store::Store& store,
            Context& context)
      : options_(options),
        plan_(std::move(plan)),
        settings_(settings),
        store_(store),
        context_(context),
        stored_(settings, store, context) {}

  tune::Bench bench() {
    return {[this](const Case& c) { return stored_.find(c); },
            [this](tune::PlaceStep step, const std::vector<Case>& cases) { return measure(step, cases); },
            [this](const PlacedSearch& search) { plan_.facts[kSearchKey] = to_text(search); }};
  }
  [[nodiscard]] const Campaign& last() const { return last_; }

 private:
  std::vector<Outcome> measure(tune::PlaceStep step, const std::vector<Case>& cases) {
    if (*context_.stop) return {};
    *context_.err << fmt::format("\n{}:\n", tune::describe(step));
    plan_.cases = cases;
    plan_.facts[kStepKey] = tune::to_string(step);
    last_ = begin_campaign(options_, plan_, settings_, store_, context_);
    const store::CampaignLock lock(store_.file(), last_.id);
    const bool all = cli::measure(options_, last_, settings_, store_, context_);
    if (all) mark_finished(last_, store_, context_);
    return last_.outcomes;
  }

  const BenchOptions& options_;
  BenchPlan plan_;
  runner::RunSettings& settings_;
  store::Store& store_;
  Context& context_;
  Stored stored_;
  Campaign last_;
};

std::string seats_of(const Case& c) {
  return c.placement.seats.empty() ? fmt::format("{} on {}", c.strategy, c.backend) : describe_placement(c);
}

struct Rate {
  double low, high;
};

std::optional<Rate> rate_of(const Outcome& o) {
  const Metric* metric = o.state == OutcomeState::kMeasured ? find_metric(o, "throughput") : nullptr;
  if (metric == nullptr || !metric->value) return std::nullopt;
  return Rate{metric->low.value_or(*metric->value), metric->high.value_or(*metric->value)};
}

int place_one(const BenchOptions& options, const BenchPlan& plan, tune::PlaceRequest request,
              runner::RunSettings& settings, store::Store& store, Context& context) {
  request.memory_limit = static_cast<double>(settings.machine_memory);
  request.files = settings.models(request.ensemble).files;
  Campaigns campaigns(options, plan, settings, store, context);
  const tune::Placed placed = tune::place(request, campaigns.bench());
  const Campaign& last = campaigns.last();
  if (placed.interrupted || *context.stop) {
    const std::string how = last.id.empty() ? std::string("the same command goes on")
                                            : fmt::format("assay bench --resume {} goes on", last.id);
    *context.err << fmt::format("interrupted: what was measured is stored, and is not measured again; {}\n", how);
    return *context.stop ? kInterrupted : kFailed;
  }
  report::exporter_by_name("table").write(document_of(last), *context.out);
  *context.out << fmt::format("\nCampaign {} in {}\n", last.id, store.file().string()) << std::flush;
  return exit_status(last, plan, *context.err);
}

int place_all(const BenchOptions& options, BenchPlan plan, std::vector<tune::PlaceRequest> requests,
              runner::RunSettings& settings, store::Store& store, Context& context) {
  int status = kOk;
  for (; !requests.empty(); requests.erase(requests.begin())) {
    plan.facts[kRequestsKey] = tune::to_text(requests);
    status = std::max(status, place_one(options, plan, requests.front(), settings, store, context));
    if (status == kInterrupted) break;
  }
  return status;
}

}  // namespace

bool wants_placing(const BenchPlan& plan) { return std::any_of(plan.cases.begin(), plan.cases.end(), is_placed); }

std::string placing_verdict(const Campaign& campaign) {
  if (!missing(campaign).empty()) {
    return fmt::format("The search is not at its end: assay bench --resume {} goes on.", campaign.id);
  }
  // Rivals whose interval reaches the winner's are not told from it: a plan is reported as the winner only of the
  // others.
  const std::optional<std::size_t> first = tune::fastest(campaign.outcomes);
  if (!first) return "None of the plans could be measured; their rows say why.";
  const Outcome& best = campaign.outcomes[*first];
  const std::optional<Rate> rate = rate_of(best);
  std::vector<std::string> tied;
  for (const Outcome& o : campaign.outcomes) {
    const std::optional<Rate> other = rate_of(o);
    if (&o == &best || !other || !rate) continue;
    if (other->high >= rate->low) tied.push_back(seats_of(o.test_case));
  }
  const std::string figure = report::with_interval(find_metric(best, "throughput"));
  if (tied.empty()) {
    return fmt::format("{}: use {}: {} samples/s, ahead of all others that were measured beside it.",
                       best.test_case.model, seats_of(best.test_case), figure);
  }
  return fmt::format("{}: {} came out first with {} samples/s, but it cannot be told from {}; a higher --effort may.",
                     best.test_case.model, seats_of(best.test_case), figure, fmt::join(tied, " and "));
}

int place(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings, store::Store& store,
          Context& context) {
  if (options.json) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "--json: the campaigns of --strategy placed are several; assay results export ID --format json has each");
  }
  return place_all(options, plan, requests_of(plan), settings, store, context);
}

bool is_placing(const Campaign& campaign) { return campaign.environment.contains(kRequestsKey); }

int go_on_placing(const BenchOptions& options, BenchPlan plan, const Campaign& campaign, int status,
                  runner::RunSettings& settings, store::Store& store, Context& context) {
  const auto& environment = campaign.environment;
  std::vector<tune::PlaceRequest> requests = tune::requests_from_text(environment.at(kRequestsKey), kRequestsKey);
  const auto step = environment.find(kStepKey);
  const bool verified = step != environment.end() && step->second == tune::to_string(tune::PlaceStep::kPlans);
  if (verified && !requests.empty()) requests.erase(requests.begin());
  settings.pending.clear();  // of the campaign that has ended now
  const int rest = place_all(options, std::move(plan), std::move(requests), settings, store, context);
  return verified ? std::max(status, rest) : rest;  // a member that an engine cannot run is no failure of the search
}

int dry_place(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
              const store::Store* store, Context& context) {
  if (options.json) {
    throw Error(ErrorCode::kInvalidArgument,
                "--json: which plans --strategy placed measures depends on what it finds; leave --json away, or give "
                "a strategy by name");
  }
  const runner::HistoryLookup history = store != nullptr ? history_of(*store) : runner::HistoryLookup{};
  std::optional<Stored> stored;
  if (store != nullptr) stored.emplace(settings, *store, context);
  for (tune::PlaceRequest& request : requests_of(plan)) {
    request.files = settings.models(request.ensemble).files;
    const tune::Foreseen foreseen = tune::foreseen(request);
    BenchPlan missing = plan;
    missing.cases = foreseen.alone;
    if (stored) std::erase_if(missing.cases, [&](const Case& c) { return stored->find(c).has_value(); });
    *context.out << fmt::format("{}: {}, {} of {} cases stored already\n", request.ensemble.model,
                                tune::describe(tune::PlaceStep::kAlone), foreseen.alone.size() - missing.cases.size(),
                                foreseen.alone.size());
    if (!missing.cases.empty()) {
      const int status = dry_run(options, missing, settings, history, context);
      if (status != kOk) return status;
    }
    std::vector<Case> rest = foreseen.pairs;
    rest.insert(rest.end(), foreseen.plans.begin(), foreseen.plans.end());
    const auto seconds = static_cast<double>(runner::estimate(rest, settings.effort, settings.models, history).count());
    *context.out << report::wrap(
                        fmt::format(
                            "then at most {} pairs of members beside each other (stored ones are used again) and {} "
                            "plans side by side, {} of them found by the search: about {}",
                            foreseen.pairs.size(), foreseen.plans.size(), tune::kVerifiedPlans,
                            report::duration(seconds)),
                        report::kColumns)
                 << "\n";
  }
  return kOk;
}

}  // namespace assay::cli
