#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "report/exporters.hpp"
#include "runner/plan.hpp"
#include "runner/runner.hpp"
#include "store/store.hpp"

namespace assay::cli {

/// In place of engines' names: every one that there is, whether or not it can be used here.
inline constexpr const char* kAllBackends = "all";

/// bench's command line.
struct BenchOptions {
  std::vector<std::string> models;
  std::map<std::string, std::vector<std::string>> settings;  ///< of runner::settings(), as given
  std::string effort = "quick";
  bool effort_given = false;
  std::string plan;
  std::vector<std::string> ablate;  ///< see ablated()
  bool dry_run = false, profile = false, json = false;
  bool resume = false;
  std::string resume_id;  ///< id, beginning of one, or a bundle; "" the newest unfinished
  std::string cache, duration, timeout, memory_limit, db;
};

/// What a bench is to do: its cases, and what was asked for by name.
struct BenchPlan {
  std::vector<Case> cases;
  std::vector<std::string> named_backends;  ///< not by "all": their absence is a failure
  bool named_devices = false, named_goals = false;
  std::map<std::string, std::filesystem::path> libraries;  ///< backend → explicit path: --option library=PATH
  std::uint64_t seed = 1;
  std::map<std::string, std::string> facts;  ///< for its campaigns' environment
};

/// Axes from options, with every default filled in and every name, option and model checked. Throws Error.
BenchPlan plan_of(const BenchOptions& options, const runner::ModelLookup& models);
/// The option that names a framework's library file; the host's, of every backend.
inline constexpr const char* kLibraryOption = "library";
/// Effort, limits and cache folder. Throws Error.
runner::RunSettings run_settings_of(const BenchOptions& options);

/// Environment: processes of each case, where they are not the effort's own.
inline constexpr const char* kProcessesKey = "effort.processes";
/// Environment: before a backend's name, the library that was asked for.
inline constexpr const char* kAskedLibrary = "library.asked.";
/// Environment of a campaign: what was asked for beside the cases, so that resuming it asks for the same.
void remember(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
              Campaign& campaign);
/// Goes on with a campaign; with --dry-run, says what that would be. Throws Error.
int resume(const BenchOptions& options, Context& context);
/// The cases of a campaign that have no outcome yet.
std::vector<Case> missing(const Campaign& campaign);
/// Of a campaign, or of what has several.
std::string new_id();
/// A new campaign with these cases, in the store. To be locked by the caller.
Campaign begin_campaign(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings,
                        store::Store& store, const Context& context);
/// How far two runs of one case differ, to be believed of a campaign that is about to begin: as enough undisturbed A/A
/// pairs of stored campaigns on its CPU say, the newest ones, else a stated default. A large one is warned of.
void set_noise_floor(const store::Store& store, Campaign& campaign, runner::RunSettings& settings);
/// Runs its cases that have no outcome; says what it does, and prints no result. False: it did not come to its end.
bool measure(const BenchOptions& options, Campaign& campaign, runner::RunSettings& settings, store::Store& store,
             Context& context);
/// As a table that is followed by where it is stored, or as JSON.
void print_result(const BenchOptions& options, const Campaign& campaign, const store::Store& store, Context& context);
/// Says where that is refused, and throws nothing: a full disk loses no more than the mark, for the result is printed,
/// before or after. False: it was refused.
bool mark_finished(const Campaign& campaign, store::Store& store, Context& context);

/// Whether an ensemble is to be placed: strategy "placed" (cli/place.cpp).
bool wants_placing(const BenchPlan& plan);
/// Measures what the members cost, finds a plan, verifies it against its rivals, and says which won.
int place(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings, store::Store& store,
          Context& context);
/// What that would measure; `store` is nullptr where there is no results file yet.
int dry_place(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
              const store::Store* store, Context& context);
/// Whether the campaign is a part of such a search.
bool is_placing(const Campaign& campaign);
/// Goes on with such a campaign, and with what follows it in the search. `plan`: as it was asked for then.
int resume_placing(const BenchOptions& options, Campaign& campaign, BenchPlan plan, runner::RunSettings& settings,
                   store::Store& store, Context& context);
/// Environment of a search's campaigns: which of its steps it is, and what is placed from here on, the first now.
inline constexpr const char* kPlacedStep = "placed.step";
inline constexpr const char* kPlacedRequests = "placed.requests";
/// Who won in the campaign that verifies a search's plans (cli/verdict.cpp).
std::string placing_verdict(const Campaign& campaign);
/// The C++ that loads what came out first there; "" where nothing did.
std::string placing_code(const Campaign& campaign);

/// Runs them and prints the result. The campaign is in the store, and locked.
int conduct(const BenchOptions& options, Campaign& campaign, const BenchPlan& plan, runner::RunSettings& settings,
            store::Store& store, Context& context);
/// Of a campaign that ran to its end; says so where nothing was measured.
int exit_status(const Campaign& campaign, const BenchPlan& plan, std::ostream& err);
/// What the store knows of how long cases took.
runner::HistoryLookup history_of(const store::Store& store);

int bench(const BenchOptions& options, Context& context);
int dry_run(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
            const runner::HistoryLookup& history, Context& context);
/// What a dry run says of its cases.
void print_previews(const BenchOptions& options, const std::vector<runner::Preview>& previews,
                    const runner::RunSettings& settings, const runner::HistoryLookup& history, std::ostream& out);
/// Says that; the status.
int interrupted_dry_run(std::ostream& err);

/// A campaign with what can be concluded from it.
report::Document document_of(const Campaign& campaign);

}  // namespace assay::cli
