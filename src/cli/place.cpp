// assay bench A+B+C --strategy placed: the search of src/tune over campaigns, and what is said of it.
#include "tune/place.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <set>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "base/add_once.hpp"
#include "cli/bench.hpp"
#include "cli/place_devices.hpp"
#include "cli/stored_results.hpp"
#include "measure/environment.hpp"
#include "report/format.hpp"
#include "store/campaign_lock.hpp"

namespace assay::cli {
namespace {

/// Batch sizes of a member that are tried beside the ensemble's.
constexpr std::int64_t kMemberBatches[] = {1, 8, 32};
/// Processes of each plan that is verified, at the least: of one each, nothing would be interleaved.
constexpr int kVerifyingProcesses = 3;

/// As of the command line, but for the processes that a step's cases get.
measure::Effort effort_of(const measure::Effort& asked, tune::PlaceStep step) {
  measure::Effort effort = asked;
  effort.processes = measure::effort_by_name(asked.name).processes;
  if (step == tune::PlaceStep::kPlans) effort.processes = std::max(effort.processes, kVerifyingProcesses);
  return effort;
}

bool is_placed(const Case& c) { return c.strategy == kPlaced; }

/// Everything of a case but where it runs.
std::string problem_key(Case c) {
  c.backend.clear();
  c.device.clear();
  c.options.clear();
  c.goal = Goal::kThroughput;
  return case_key(c);
}

/// What tells it from others of the same command line.
std::string title_of(const tune::PlaceRequest& request) {
  const Case& c = request.ensemble;
  const std::string title = fmt::format("{} · batch {}", report::group_title(c), report::batch_name(c));
  return c.in_flight == 0 ? title : title + fmt::format(" · in flight {}", c.in_flight);
}

/// The ensembles that are to be placed, each once, with the engines and devices that it may use.
std::vector<tune::PlaceRequest> requests_of(const BenchPlan& plan) {
  std::vector<tune::PlaceRequest> requests;
  const auto is_for_latency = [](const Case& c) { return c.goal == Goal::kLatency; };
  if (plan.named_goals && std::any_of(plan.cases.begin(), plan.cases.end(), is_for_latency)) {
    throw Error(ErrorCode::kInvalidArgument,
                "--strategy placed searches for the most throughput, not for latency: leave --for away, or compare the "
                "strategies by name (--strategy all)");
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
      request.devices.clear();
      request.all_backends = plan.named_backends.empty();
      request.batches.assign(std::begin(kMemberBatches), std::end(kMemberBatches));
      it = requests.insert(requests.end(), std::move(request));
    }
    add_once(it->backends, c.backend);
    add_once(it->devices, c.device);
  }
  for (tune::PlaceRequest& r : requests) r.ensemble.device = fmt::format("{}", fmt::join(r.devices, "+"));
  return requests;
}

std::string heading(const std::string& title, tune::PlaceStep step) {
  return fmt::format("{}\n{}:", report::wrap(title, report::kColumns, 2), tune::describe(step));
}

bool is_step(const Campaign& campaign, tune::PlaceStep step) {
  const auto stored = campaign.environment.find(kPlacedStep);
  return stored != campaign.environment.end() && stored->second == tune::to_string(step);
}

bool verifies_plans(const Campaign& campaign) { return is_step(campaign, tune::PlaceStep::kPlans); }

/// Measures what a campaign of a search lacks, and marks its end; nothing is said yet of what came of it. Nothing: it
/// did not come to its end; else the status, which is of the mark.
std::optional<int> run_to_end(const BenchOptions& options, Campaign& campaign, runner::RunSettings& settings,
                              store::Store& store, Context& context) {
  const bool all = measure(options, campaign, settings, store, context);
  if (options.profile) *context.err << "profiles: " << settings.profile_folder.string() << "\n";
  if (!all) return std::nullopt;
  return mark_finished(campaign, store, context) ? kOk : kFailed;
}

/// Says why a search did not come to its end, `campaign` being its last; the status.
int ended_early(const BenchOptions& options, const Campaign& campaign, const store::Store& store, Context& context) {
  if (!*context.stop) {
    // The results file refused: the result has what it did not take, and a warning that says what to do.
    print_result(options, campaign, store, context);
    return kFailed;
  }
  *context.err << (campaign.id.empty()
                       ? std::string("interrupted before anything was measured\n")
                       : fmt::format("interrupted: what was measured is stored, and is not measured again; "
                                     "assay bench --resume {} goes on\n",
                                     campaign.id));
  return kInterrupted;
}

/// Runs the campaigns of a search, one after the other.
class Campaigns {
 public:
  /// `plan` without its cases, and with what campaigns are to remember; `resumed`: the campaign of the search that was.
  Campaigns(const BenchOptions& options, BenchPlan plan, runner::RunSettings& settings, store::Store& store,
            Context& context, Campaign resumed = {})
      : options_(options),
        plan_(std::move(plan)),
        last_(std::move(resumed)),
        settings_(settings),
        store_(store),
        context_(context),
        stored_(settings, store, context, plan_.facts[kSearchIdKey]) {}

  tune::Bench bench() {
    return {[this](const Case& c) { return stored_.find(c); },
            [this](const std::vector<Case>& cases) { return stored_.find_together(cases); },
            [this](tune::PlaceStep step, const std::vector<Case>& cases) { return measure(step, cases); },
            [this](const PlacedSearch& search) { plan_.facts[kSearchKey] = to_text(search); },
            [this](const Case& c) { return stored_.failed_before(c); }};
  }
  /// Campaigns from here on are to place these, the first now.
  void place(const std::vector<tune::PlaceRequest>& requests) {
    plan_.facts[kPlacedRequests] = tune::to_text(requests);
    plan_.facts.erase(kSearchKey);
    title_ = title_of(requests.front());
    status_ = kOk;
  }
  /// Says why the search did not come to its end; the status.
  int end_early() { return ended_early(options_, last_, store_, context_); }
  /// Where all plans had failed before, what came of them is in their newest campaign: it is the last one then. False:
  /// the results file has none.
  bool recall_plans() {
    for (const store::CampaignSummary& summary : store_.list()) {
      if (summary.placed_step != tune::to_string(tune::PlaceStep::kPlans)) continue;
      Campaign campaign = store_.load(summary.id);
      const auto is_same = [&](const char* key) {
        const auto it = campaign.environment.find(key);
        return it != campaign.environment.end() && it->second == plan_.facts[key];
      };
      if (!is_same(kSearchIdKey) || !is_same(kPlacedRequests)) continue;
      last_ = std::move(campaign);
      return true;
    }
    return false;
  }
  /// Says what came of the plans, which were measured last; the status.
  int conclude(const tune::PlaceRequest& request) {
    print_result(options_, last_, store_, context_);
    // A member that an engine cannot run, or a rival of the winner, is no failure of the search.
    const int status = tune::fastest(last_.outcomes) ? kOk : exit_status(last_, plan_, *context_.err);
    return stored_.misses_one(plan_, request) ? kFailed : std::max(status, status_);
  }
  /// What of the stored results was used, or refused.
  void note_stored() {
    const std::string account = stored_.account();
    if (!account.empty()) *context_.err << report::wrap("note: " + account, report::kColumns, 2) << "\n";
  }

 private:
  std::vector<Outcome> measure(tune::PlaceStep step, const std::vector<Case>& cases) {
    if (*context_.stop) return {};
    note_stored();
    *context_.err << fmt::format("\n{}\n", heading(title_, step));
    plan_.cases = cases;
    plan_.facts[kPlacedStep] = tune::to_string(step);
    settings_.effort = effort_of(settings_.effort, step);
    plan_.facts[kProcessesKey] = std::to_string(settings_.effort.processes);
    last_ = begin_campaign(options_, plan_, settings_, store_, context_);
    const store::CampaignLock lock(store_.file(), last_.id);
    const std::optional<int> status = run_to_end(options_, last_, settings_, store_, context_);
    if (!status) return {};
    status_ = std::max(status_, *status);
    return last_.outcomes;
  }

  const BenchOptions& options_;
  BenchPlan plan_;
  std::string title_;
  Campaign last_;     ///< with which the search goes on; without an id: there is none yet
  int status_ = kOk;  ///< of the campaigns' marks
  runner::RunSettings& settings_;
  store::Store& store_;
  Context& context_;
  StoredResults stored_;
};

int place_one(Campaigns& campaigns, tune::PlaceRequest request, const runner::RunSettings& settings,
              const Context& context) {
  // What a worker may take; not known of some machines.
  const std::uint64_t limit = worker::with_default_memory(settings.limits, measure::machine_memory()).memory_bytes;
  request.memory_limit = static_cast<double>(limit > 0 ? limit : settings.machine_memory);
  request.files = settings.models(request.ensemble).files;
  request.device_limits = device_limits(request, probes_of(request, settings, context));
  const tune::Placed placed = tune::place(request, campaigns.bench());
  if (placed.interrupted || *context.stop) return campaigns.end_early();
  if (placed.verified.empty() && !campaigns.recall_plans()) {
    *context.err << "assay: all plans of this search failed before, and the results file has no campaign of them\n";
    return kFailed;
  }
  return campaigns.conclude(request);
}

/// One of the searches that were asked for; its status. What an ensemble lacks at one batch size, or on one number of
/// threads (an engine, a device, memory), says nothing of the others: it is said, and they go on.
int said_if_it_lacks(const tune::PlaceRequest& request, const Context& context, const std::function<int()>& search) {
  try {
    return search();
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kUnavailable && e.code() != ErrorCode::kOutOfMemory) throw;
    *context.err << fmt::format("assay: {}: {}\n", title_of(request), e.what());
    return kFailed;
  }
}

int place_all(Campaigns& campaigns, std::vector<tune::PlaceRequest> requests, const runner::RunSettings& settings,
              const Context& context) {
  int status = kOk;
  for (; !requests.empty(); requests.erase(requests.begin())) {
    campaigns.place(requests);
    const tune::PlaceRequest& request = requests.front();
    status = std::max(
        status, said_if_it_lacks(request, context, [&] { return place_one(campaigns, request, settings, context); }));
    if (status == kInterrupted) break;
  }
  return status;
}

/// One search is one document: the campaign of its plans.
void refuse_several_as_json(const BenchOptions& options, const std::vector<tune::PlaceRequest>& requests) {
  if (!options.json || requests.size() < 2) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--json: these are {} searches, of which each has a document of its own; ask for one at a "
                          "time, or leave --json away: assay results export ID --format json has each",
                          requests.size()));
}

/// A campaign of a search goes on to its end; nothing is said yet of what came of it.
int go_on_measuring(const BenchOptions& options, Campaign& campaign, runner::RunSettings& settings, store::Store& store,
                    Context& context) {
  if (!campaign.finished.empty()) return kOk;
  for (const tune::PlaceStep step : {tune::PlaceStep::kAlone, tune::PlaceStep::kPairs, tune::PlaceStep::kPlans}) {
    if (is_step(campaign, step)) *context.err << fmt::format("\n{}:\n", tune::describe(step));
  }
  const std::optional<int> status = run_to_end(options, campaign, settings, store, context);
  return status ? *status : ended_early(options, campaign, store, context);
}

}  // namespace

bool wants_placing(const BenchPlan& plan) { return std::any_of(plan.cases.begin(), plan.cases.end(), is_placed); }

int place(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings, store::Store& store,
          Context& context) {
  std::vector<tune::PlaceRequest> requests = requests_of(plan);
  refuse_several_as_json(options, requests);
  BenchPlan searched = plan;
  searched.facts[kSearchIdKey] = new_id();
  Campaigns campaigns(options, std::move(searched), settings, store, context);
  return place_all(campaigns, std::move(requests), settings, context);
}

bool is_placing(const Campaign& campaign) { return campaign.environment.contains(kPlacedRequests); }

int resume_placing(const BenchOptions& options, Campaign& campaign, BenchPlan plan, runner::RunSettings& settings,
                   store::Store& store, Context& context) {
  std::vector<tune::PlaceRequest> requests =
      tune::requests_from_text(campaign.environment.at(kPlacedRequests), kPlacedRequests);
  refuse_several_as_json(options, requests);
  int status = go_on_measuring(options, campaign, settings, store, context);
  if (campaign.finished.empty()) return status;
  settings.pending.clear();  // of the campaign that has ended now
  const auto id = campaign.environment.find(kSearchIdKey);
  plan.facts[kSearchIdKey] = id == campaign.environment.end() ? new_id() : id->second;
  Context as_then = context;
  as_then.command = campaign.command;
  Campaigns campaigns(options, plan, settings, store, as_then, campaign);
  // Where all that it verified failed, the search is not at its end: the next plans are tried.
  if (verifies_plans(campaign) && !requests.empty() && tune::any_found_measured(campaign.plan, campaign.outcomes)) {
    status = std::max(status, campaigns.conclude(requests.front()));
    requests.erase(requests.begin());
  }
  return std::max(status, place_all(campaigns, std::move(requests), settings, as_then));
}

namespace {

/// Of the engines asked for, those on which some member can be measured, or was; none where a member has none.
std::vector<std::string> usable_engines(const std::vector<Case>& alone, const std::vector<runner::Preview>& previews,
                                        const tune::PlaceRequest& request) {
  std::set<std::string> skipped, engines, members;
  for (const runner::Preview& p : previews) {
    if (!p.skipped.empty()) skipped.insert(case_key(p.test_case));
  }
  for (const Case& c : alone) {
    if (skipped.contains(case_key(c))) continue;
    engines.insert(c.backend);
    members.insert(c.model);
  }
  for (const Case& c : alone) {
    if (!members.contains(c.model)) return {};
  }
  std::vector<std::string> usable = request.backends;
  std::erase_if(usable, [&](const std::string& backend) { return !engines.contains(backend); });
  return usable;
}

/// What follows when the members are measured.
void print_rest(const tune::PlaceRequest& request, const runner::RunSettings& settings,
                const runner::HistoryLookup& history, std::ostream& out) {
  const tune::Foreseen foreseen = tune::foreseen(request);
  const measure::Effort verifying = effort_of(settings.effort, tune::PlaceStep::kPlans);
  const auto seconds = runner::estimate(foreseen.pairs, settings.effort, settings.models, history) +
                       runner::estimate(foreseen.plans, verifying, settings.models, history);
  out << report::wrap(
             fmt::format("then at most {} of members beside each other and themselves (stored ones are used "
                         "again) and {} plans side by side, {} of them found by the search, in {} processes "
                         "each: about {}",
                         report::counted(foreseen.pairs.size(), "case"), foreseen.plans.size(), tune::kVerifiedPlans,
                         verifying.processes, report::duration(static_cast<double>(seconds.count()))),
             report::kColumns)
      << "\n";
}

int dry_place_one(const BenchOptions& options, tune::PlaceRequest request, const runner::RunSettings& settings,
                  const runner::HistoryLookup& history, StoredResults* stored, Context& context) {
  request.files = settings.models(request.ensemble).files;
  (void)device_limits(request, probes_of(request, settings, context));  // refuses one that is nobody's
  const std::vector<Case> alone = tune::cost_cases(request);
  std::vector<Case> missing = alone;
  if (stored != nullptr) std::erase_if(missing, [&](const Case& c) { return stored->find(c).has_value(); });
  const auto previews = runner::preview(missing, settings, *context.launcher, history, *context.stop);
  if (*context.stop) return interrupted_dry_run(*context.err);
  *context.out << heading(title_of(request), tune::PlaceStep::kAlone)
               << fmt::format(" {} of {} cases stored already\n", alone.size() - missing.size(), alone.size());
  if (!missing.empty()) print_previews(options, previews, settings, history, *context.out);
  request.backends = usable_engines(alone, previews, request);
  if (request.backends.empty()) {
    *context.err << "assay: a member can run on none of the engines that were asked for: there is nothing to search\n";
    return kFailed;
  }
  print_rest(request, settings, history, *context.out);
  return kOk;
}

}  // namespace

int dry_place(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
              const store::Store* store, Context& context) {
  if (options.json) {
    throw Error(ErrorCode::kInvalidArgument,
                "--json: which plans --strategy placed measures depends on what it finds; leave --json away, or give "
                "a strategy by name");
  }
  const runner::HistoryLookup history = store != nullptr ? history_of(*store) : runner::HistoryLookup{};
  std::optional<StoredResults> stored;
  if (store != nullptr) stored.emplace(settings, *store, context);
  int status = kOk;
  for (const tune::PlaceRequest& request : requests_of(plan)) {
    status = std::max(status, said_if_it_lacks(request, context, [&] {
                        return dry_place_one(options, request, settings, history, stored ? &*stored : nullptr, context);
                      }));
    if (status == kInterrupted) break;
  }
  return status;
}

}  // namespace assay::cli
