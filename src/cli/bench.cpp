// assay bench: measures models on engines.
#include "cli/bench.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <ostream>
#include <random>
#include <set>
#include <sstream>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "base/clock.hpp"
#include "cli/prediction.hpp"
#include "cli/progress.hpp"
#include "core/search.hpp"
#include "measure/environment.hpp"
#include "measure/series.hpp"
#include "model/zoo.hpp"
#include "report/format.hpp"
#include "store/campaign_lock.hpp"

namespace assay::cli {
namespace {

std::string now_utc() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

class StoreRecorder final : public runner::Recorder {
 public:
  StoreRecorder(store::Store& store, std::string id) : store_(store), id_(std::move(id)) {}
  void outcome(const Outcome& outcome) override { store_.add(id_, outcome); }
  void process(const store::PendingProcess& process) override { store_.add_process(id_, process); }
  void warning(const Warning& warning) override { store_.add_warning(id_, warning); }
  void fact(const std::string& key, const std::string& value) override { store_.set_environment(id_, key, value); }

 private:
  store::Store& store_;
  std::string id_;
};

}  // namespace

std::string new_id() {
  std::random_device device;
  return fmt::format("{:08x}", device());
}

Campaign begin_campaign(const BenchOptions& options, const BenchPlan& plan, runner::RunSettings& settings,
                        store::Store& store, const Context& context) {
  Campaign campaign;
  campaign.id = new_id();
  campaign.version = version();
  campaign.command = context.command;
  campaign.effort = settings.effort.name;
  campaign.started = now_utc();
  campaign.seed = plan.seed;
  measure::Environment environment = measure::read_environment();
  campaign.environment = std::move(environment.values);
  campaign.warnings = std::move(environment.warnings);
  remember(options, plan, settings, campaign);
  campaign.plan = plan.cases;
  set_noise_floor(store, campaign, settings);
  store.begin(campaign);
  return campaign;
}

namespace {

void announce(const Campaign& campaign, const store::Store& store, double seconds, std::size_t left, Context& context) {
  std::ostream& err = *context.err;
  err << report::wrap(fmt::format("Campaign {}: {}, effort {}: about {}. Results: {}", campaign.id,
                                  report::counted(left, "case"), campaign.effort, report::duration(seconds),
                                  store.file().string()),
                      report::kColumns)
      << "\n";
  for (const Warning& w : campaign.warnings) {
    err << report::wrap(fmt::format("warning ({}): {}; {}", w.kind, w.message, w.advice), report::kColumns, 2) << "\n";
  }
  err << std::flush;
}

}  // namespace

void print_result(const BenchOptions& options, const Campaign& campaign, const store::Store& store, Context& context) {
  report::exporter_by_name(options.json ? "json" : "table").write(document_of(campaign), *context.out);
  if (!options.json) {
    *context.out << "\n" << fmt::format("Campaign {} in {}\n", campaign.id, store.file().string());
  }
  context.out->flush();
}

bool mark_finished(const Campaign& campaign, store::Store& store, Context& context) {
  try {
    store.finish(campaign.id, campaign.finished);
    return true;
  } catch (const Error& e) {
    *context.err << fmt::format("assay: {}\nassay: campaign {} was not stored to its end; its result is whole\n",
                                e.what(), campaign.id);
    return false;
  }
}

int exit_status(const Campaign& campaign, const BenchPlan& plan, std::ostream& err) {
  const auto named = [&](const Outcome& o) {
    const auto& names = plan.named_backends;
    return std::find(names.begin(), names.end(), o.test_case.backend) != names.end();
  };
  bool measured = campaign.outcomes.empty();
  int status = kOk;
  for (const Outcome& o : campaign.outcomes) {
    measured = measured || o.state == OutcomeState::kMeasured;
    const bool skipped = o.state == OutcomeState::kSkipped;
    const bool no_engine = skipped && o.phase == "probe" && named(o);
    const bool no_device = skipped && o.phase == "device" && (plan.named_devices || named(o));
    if (o.state == OutcomeState::kFailed || no_engine || no_device) status = kFailed;
  }
  if (measured) return status;
  err << "assay: nothing was measured; the result says of every case why\n";
  return kFailed;
}

runner::HistoryLookup history_of(const store::Store& store) {
  return [&store](const Case& c) {
    const std::string key = case_key(c);
    return runner::History{store.typical(key, "latency_ns"), store.typical(key, "load.cold")};
  };
}

bool measure(const BenchOptions& options, Campaign& campaign, runner::RunSettings& settings, store::Store& store,
             Context& context) {
  const std::vector<Case> left = missing(campaign);
  const auto seconds = runner::estimate(left, settings.effort, settings.models, history_of(store));
  announce(campaign, store, static_cast<double>(seconds.count()), left.size(), context);
  if (options.profile) {
    settings.profile_folder = store.file();
    settings.profile_folder.replace_extension();
    settings.profile_folder += "-profiles";
    settings.profile_folder /= campaign.id;
    std::error_code error;
    std::filesystem::create_directories(settings.profile_folder, error);
    if (error) {
      throw Error(ErrorCode::kIo, fmt::format("--profile: the folder cannot be made: {}", error.message()),
                  settings.profile_folder.string());
    }
  }
  StoreRecorder recorder(store, campaign.id);
  ProgressView view(*context.err, context.live && !options.json, context.color);
  const auto show = [&](const runner::Progress& p) {
    // The result says its warnings itself, a moment later; not so as JSON.
    if (p.kind != runner::Progress::Kind::kWarning || options.json) view.show(p);
  };
  const bool all = runner::run(campaign, settings, *context.launcher, *context.clock, recorder, show, *context.stop);
  if (all) campaign.finished = now_utc();
  return all;
}

int conduct(const BenchOptions& options, Campaign& campaign, const BenchPlan& plan, runner::RunSettings& settings,
            store::Store& store, Context& context) {
  const bool all = measure(options, campaign, settings, store, context);
  print_result(options, campaign, store, context);
  const bool marked = !all || mark_finished(campaign, store, context);
  if (options.profile) *context.err << "profiles: " << settings.profile_folder.string() << "\n";
  if (!all && !*context.stop) return kFailed;  // the results file refused: the result's warning says what to do
  if (!all) {
    *context.err << fmt::format("interrupted: {} of {} cases are stored; assay bench --resume {} goes on\n",
                                campaign.outcomes.size(), campaign.plan.size(), campaign.id);
    return kInterrupted;
  }
  const int status = exit_status(campaign, plan, *context.err);
  return marked ? status : kFailed;
}

namespace {

/// A large network of the zoo takes seconds to write, the first time: better said.
runner::ModelLookup announced(const runner::ModelLookup& models, Context& context) {
  auto said = std::make_shared<std::set<std::string>>();
  return [said, models, &context](const Case& c) {
    for (const std::string& name : members_of(c.model)) {
      if (!model::is_zoo_network(name) || !said->insert(name).second) continue;
      const bool written = model::is_to_be_written(name, default_cache_folder());
      *context.err << fmt::format("{} {} …\n", written ? "writing, once, into the cache folder:" : "reading", name)
                   << std::flush;
    }
    return models(c);
  };
}

}  // namespace

report::Document document_of(const Campaign& campaign) {
  report::Document document;
  document.campaign = &campaign;
  document.recommendation = runner::recommend(campaign);
  // What is to be said of a search is who won, not what would decide.
  if (campaign.environment.contains(kSearchKey)) {
    document.recommendation.because = placing_verdict(campaign);
    document.code = placing_code(campaign);
  }
  for (const char* key : {"noise.used", "noise.floor"}) {  // what this campaign measured itself counts last
    const auto it = campaign.environment.find(key);
    if (it != campaign.environment.end()) document.noise_floor = std::strtod(it->second.c_str(), nullptr);
  }
  return document;
}

int bench(const BenchOptions& options, Context& context) {
  if (options.resume) return resume(options, context);
  runner::RunSettings settings = run_settings_of(options);
  settings.models = announced(settings.models, context);
  const BenchPlan plan = plan_of(options, settings.models);
  settings.seed = plan.seed;
  settings.libraries = plan.libraries;
  const std::filesystem::path file =
      options.db.empty() ? store::default_results_file() : std::filesystem::path(options.db);
  if (options.dry_run) {
    std::error_code error;
    std::unique_ptr<store::Store> store;
    if (std::filesystem::exists(file, error)) store = std::make_unique<store::Store>(file, store::Store::Access::kRead);
    if (wants_placing(plan)) return dry_place(options, plan, settings, store.get(), context);
    return dry_run(options, plan, settings, store ? history_of(*store) : runner::HistoryLookup{}, context);
  }
  store::Store store(file);
  if (wants_placing(plan)) return place(options, plan, settings, store, context);
  Campaign campaign = begin_campaign(options, plan, settings, store, context);
  const store::CampaignLock lock(store.file(), campaign.id);
  return conduct(options, campaign, plan, settings, store, context);
}

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "measure models on engines");
  command->footer(
      "MODEL is an ONNX file, a TensorFlow SavedModel's folder or frozen graph (*.pb,\n"
      "--backend tensorflow), or a network of the zoo (assay models list). Without one:\n"
      "resnet50 on onnxruntime and openvino at batch 1, 8 and 32. A+B+C is an ensemble;\n"
      "a '+' within a name is written twice.\n"
      "The status of --strategy placed is 0 where a plan could be measured, whatever\n"
      "else failed, and all engines asked for by name are here.\n"
      "Examples:\n"
      "  assay bench my.onnx --backend all --batch-size 1..32\n"
      "  assay bench my.onnx --for latency --threads 1,2,4 --effort standard\n"
      "  assay bench my.onnx --shape image=1x3x640x640 --option openvino.streams=2\n"
      "  assay bench --plan paper --dry-run          the paper's study: cases and hours\n"
      "  assay bench --resume                        go on with what was interrupted");
  const auto o = std::make_shared<BenchOptions>();
  command->add_option("MODEL", o->models, "model files or names of the zoo");
  for (const runner::Setting& setting : runner::settings()) {
    if (setting.name == std::string("model")) continue;
    add_setting(*command, std::shared_ptr<Settings>(o, &o->settings), setting.name,
                fmt::format("{}: {}", setting.form, setting.meaning));
  }
  CLI::Option* effort = command->add_option("--effort", o->effort, "quick, standard or rigorous: time for certainty")
                            ->capture_default_str();
  command->add_option("--plan", o->plan, "a JSON file with the settings above, or 'paper'");
  command->add_flag("--dry-run", o->dry_run, "the cases, what would be skipped, how long it takes");
  command
      ->add_option_function<std::vector<std::string>>(
          "--resume",
          [o](const std::vector<std::string>& id) {
            o->resume = true;
            o->resume_id = id.empty() ? "" : id.front();
          },
          "[ID]: run what is missing of a campaign; default: the newest that was not finished")
      ->expected(0, 1)
      ->type_name("");
  command
      ->add_option("--ablate", o->ablate,
                   "all|OPTION,…: each case again with one of the engine's options at its other values")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("");
  command->add_flag("--profile", o->profile, "keep each engine's own profile beside the results (slows it down)");
  command->add_option("--cache", o->cache, "DIR|off: where optimized graphs are kept");
  command->add_option("--duration", o->duration,
                      "T: the window of each process (500ms, 3s, 2m), and the longest that its warm-up may be");
  command->add_option("--timeout", o->timeout, "T: the most that a process may take");
  command->add_option("--memory-limit", o->memory_limit, "SIZE: the most memory of a process (512MiB, 2GiB)");
  command->add_option("--db", o->db, "the results file (or ASSAY_DB)");
  command->add_flag("--json", o->json, "the result as JSON, the only thing on standard output");
  command->callback([&action, o, effort] {
    o->effort_given = effort->count() > 0;
    action = [o](Context& context) { return bench(*o, context); };
  });
}

}  // namespace assay::cli
