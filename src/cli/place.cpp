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
      it = requests.insert(requests.end(), std::move(request));
    }
    if (std::find(it->backends.begin(), it->backends.end(), c.backend) == it->backends.end()) {
      it->backends.push_back(c.backend);
    }
  }
  return requests;
}

/// Runs the campaigns of a search, one after the other.
class Campaigns {
 public:
  Campaigns(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings, store::Store& store,
            Context& context)
      : options_(options), plan_(plan), settings_(settings), store_(store), context_(context) {
    const auto environment = measure::read_environment().values;
    if (const auto it = environment.find("cpu.model"); it != environment.end()) cpu_ = it->second;
  }

  tune::Bench bench() {
    return {[this](const Case& c) { return stored(c); },
            [this](const std::string& what, const std::vector<Case>& cases) { return measure(what, cases); }};
  }
  [[nodiscard]] const Campaign& last() const { return last_; }

 private:
  /// Of this CPU, engine and model as they are now, measured as long as now.
  std::optional<Outcome> stored(const Case& c) {
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

  std::string version_of(const std::string& backend) {
    const auto it = versions_.find(backend);
    if (it != versions_.end()) return it->second;
    const runner::ProbeAnswer answer =
        runner::probe_backend(backend, settings_.library_of(backend), *context_.launcher, *context_.stop);
    return versions_[backend] = answer.available ? answer.version : std::string();
  }

  std::vector<Outcome> measure(const std::string& what, const std::vector<Case>& cases) {
    if (*context_.stop) return {};
    *context_.err << fmt::format("\n{}:\n", what);
    BenchPlan plan = plan_;
    plan.cases = cases;
    last_ = begin_campaign(options_, plan, settings_, store_, context_);
    const store::CampaignLock lock(store_.file(), last_.id);
    const bool all = cli::measure(options_, last_, settings_, store_, context_);
    if (all) mark_finished(last_, store_, context_);
    return last_.outcomes;
  }

  const BenchOptions& options_;
  const BenchPlan& plan_;
  runner::RunSettings& settings_;
  store::Store& store_;
  Context& context_;
  Campaign last_;
  std::string cpu_;
  std::map<std::string, std::string> versions_;  ///< by engine; "" where it is not available
};

void print_interference(const std::vector<std::string>& members, const std::vector<std::vector<double>>& slowdown,
                        std::ostream& out) {
  if (slowdown.empty()) return;
  constexpr std::size_t kName = 18, kCell = 13;
  std::vector<std::string> names;
  for (const std::string& member : members) names.push_back(std::filesystem::path(member).stem().string());
  out << "a member's time beside another (column) over its time beside itself:\n" << report::pad_right("", kName);
  for (const std::string& name : names) out << report::pad_left(report::cut(name, kCell - 1), kCell);
  out << "\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    out << report::pad_right(report::cut(names[i], kName - 1), kName);
    for (const double slower : slowdown[i]) out << report::pad_left(fmt::format("{:.2f}", slower), kCell);
    out << "\n";
  }
  out << "\n";
}

std::string plan_text(const tune::Problem& problem, const tune::Plan& plan) {
  std::vector<std::string> seats;
  for (std::size_t m = 0; m < plan.ways.size(); ++m) {
    const tune::Way& way = problem.members[m][plan.ways[m]];
    seats.push_back(fmt::format("{} x{}", way.backend, way.batch_size));
  }
  return fmt::format("{}: {}", plan.strategy, fmt::join(seats, ", "));
}

void print_search(const std::vector<std::string>& members, const tune::Placed& placed, std::ostream& out) {
  print_interference(members, placed.problem.slowdown, out);
  out << "predicted, the best first (each member's engine and batch):\n";
  for (const tune::Plan& plan : placed.plans) {
    out << report::wrap(
               fmt::format("  {:>7} 1/s  {}", report::number(1 / plan.seconds), plan_text(placed.problem, plan)),
               report::kColumns, 15)
        << "\n";
  }
  out << "\n";
}

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

/// Rivals whose interval reaches the winner's are not told from it: a plan is reported as the winner only of the
/// others.
std::string verdict(const tune::Placed& placed) {
  if (!placed.winner) return "None of the plans could be measured; their rows say why.";
  const Outcome& best = placed.verified[*placed.winner];
  const std::optional<Rate> rate = rate_of(best);
  std::vector<std::string> tied;
  for (const Outcome& o : placed.verified) {
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

}  // namespace

bool wants_placing(const BenchPlan& plan) { return std::any_of(plan.cases.begin(), plan.cases.end(), is_placed); }

void refuse_dry_placing(const BenchPlan& plan) {
  if (!wants_placing(plan)) return;
  throw Error(ErrorCode::kInvalidArgument,
              "--dry-run: what --strategy placed measures depends on what it finds; give a strategy by name");
}

int place(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings, store::Store& store,
          Context& context) {
  if (options.json) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "--json: the campaigns of --strategy placed are several; assay results export ID --format json has each");
  }
  int status = kOk;
  for (tune::PlaceRequest& request : requests_of(plan)) {
    request.memory_limit = static_cast<double>(settings.machine_memory);
    Campaigns campaigns(options, plan, settings, store, context);
    const tune::Placed placed = tune::place(request, campaigns.bench());
    if (placed.interrupted || *context.stop) {
      *context.err << "interrupted: what was measured is stored, and is not measured again\n";
      return kInterrupted;
    }
    report::Document document = document_of(campaigns.last());
    document.recommendation.because = verdict(placed);  // what is to be said is who won, not what would decide
    report::exporter_by_name("table").write(document, *context.out);
    *context.out << "\n";
    print_search(members_of(request.ensemble.model), placed, *context.out);
    *context.out << fmt::format("Campaign {} in {}\n", campaigns.last().id, store.file().string()) << std::flush;
    status = std::max(status, exit_status(campaigns.last(), plan, *context.err));
  }
  return status;
}

}  // namespace assay::cli
