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

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "cli/progress.hpp"
#include "measure/environment.hpp"
#include "model/zoo.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

constexpr double kDefaultNoiseFloor = 0.03;
/// Environment: the library that was asked for, by backend.
const std::string kAskedLibrary = "library.asked.";
constexpr std::uint64_t kMaxBundleBytes = UINT64_C(1) << 30;

std::string now_utc() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string new_id() {
  std::random_device device;
  return fmt::format("{:08x}", device());
}

class StoreRecorder final : public runner::Recorder {
 public:
  StoreRecorder(store::Store& store, std::string id) : store_(store), id_(std::move(id)) {}
  void outcome(const Outcome& outcome) override { store_.add(id_, outcome); }
  void warning(const Warning& warning) override { store_.add_warning(id_, warning); }
  void fact(const std::string& key, const std::string& value) override { store_.set_environment(id_, key, value); }

 private:
  store::Store& store_;
  std::string id_;
};

runner::HistoryLookup history_of(const store::Store& store) {
  return [&store](const Case& c) {
    const std::string key = case_key(c);
    return runner::History{store.typical(key, "latency_ns"), store.typical(key, "load.cold")};
  };
}

/// The machine's own floor where a campaign with A/A pairs measured it, else a stated default.
void set_noise_floor(const store::Store& store, Campaign& campaign, runner::RunSettings& settings) {
  std::string origin = "default: no campaign measured it on this machine yet";
  settings.noise_floor = kDefaultNoiseFloor;
  if (const auto cpu = campaign.environment.find("cpu.model"); cpu != campaign.environment.end()) {
    if (const auto floor = store.newest_environment("noise.floor", "cpu.model", cpu->second)) {
      settings.noise_floor = std::strtod(floor->c_str(), nullptr);
      origin = "measured by an earlier campaign on this CPU";
    }
  }
  campaign.environment["noise.used"] = fmt::format("{:.5f}", settings.noise_floor);
  campaign.environment["noise.used.origin"] = origin;
}

Campaign new_campaign(const BenchPlan& plan, const runner::RunSettings& settings, const Context& context) {
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
  for (const auto& [backend, library] : plan.libraries) {
    campaign.environment[kAskedLibrary + backend] = library.string();
  }
  campaign.environment["effort.window_ms"] = std::to_string(settings.effort.window.count());
  campaign.plan = plan.cases;
  return campaign;
}

void announce(const Campaign& campaign, const store::Store& store, double seconds, std::size_t left, Context& context) {
  std::ostream& err = *context.err;
  err << report::wrap(
             fmt::format("Campaign {}: {} case{}, effort {}: about {}. Results: {}", campaign.id, left,
                         left == 1 ? "" : "s", campaign.effort, report::duration(seconds), store.file().string()),
             report::kColumns)
      << "\n";
  for (const Warning& w : campaign.warnings) {
    err << report::wrap(fmt::format("warning ({}): {}; {}", w.kind, w.message, w.advice), report::kColumns, 2) << "\n";
  }
  err << std::flush;
}

/// The cases of a campaign that have no outcome yet.
std::vector<Case> missing(const Campaign& campaign) {
  std::vector<std::string> done;
  for (const Outcome& o : campaign.outcomes) done.push_back(case_key(o.test_case));
  std::vector<Case> cases;
  for (const Case& c : campaign.plan) {
    if (std::find(done.begin(), done.end(), case_key(c)) == done.end()) cases.push_back(c);
  }
  return cases;
}

int exit_status(const Campaign& campaign, const std::vector<std::string>& named_backends, bool named_devices) {
  for (const Outcome& o : campaign.outcomes) {
    if (o.state == OutcomeState::kFailed) return kFailed;
    const bool named = named_devices || std::find(named_backends.begin(), named_backends.end(), o.test_case.backend) !=
                                            named_backends.end();
    if (o.state == OutcomeState::kSkipped && o.phase == "probe" && named) return kFailed;
  }
  return kOk;
}

void print_result(const BenchOptions& options, const Campaign& campaign, const store::Store& store, Context& context) {
  report::exporter_by_name(options.json ? "json" : "table").write(document_of(campaign), *context.out);
  if (!options.json) {
    *context.out << "\n" << fmt::format("Campaign {} in {}\n", campaign.id, store.file().string());
  }
  context.out->flush();
}

/// Runs what is missing of a campaign that is in the store.
int conduct(const BenchOptions& options, Campaign& campaign, const BenchPlan& plan, runner::RunSettings& settings,
            store::Store& store, Context& context) {
  const std::vector<Case> left = missing(campaign);
  const auto seconds = runner::estimate(left, settings.effort, settings.models, history_of(store));
  announce(campaign, store, static_cast<double>(seconds.count()), left.size(), context);
  if (options.profile) {
    settings.profile_folder = store.file();
    settings.profile_folder.replace_extension();
    settings.profile_folder += "-profiles";
    settings.profile_folder /= campaign.id;
    std::filesystem::create_directories(settings.profile_folder);
  }
  StoreRecorder recorder(store, campaign.id);
  bool all = false;
  {
    ProgressView view(*context.err, context.live && !options.json, context.color);
    all = runner::run(
        campaign, settings, *context.launcher, *context.clock, recorder,
        [&](const runner::Progress& p) { view.show(p); }, *context.stop);
  }
  if (all) {
    campaign.finished = now_utc();
    store.finish(campaign.id, campaign.finished);
  }
  print_result(options, campaign, store, context);
  if (options.profile) *context.err << "profiles: " << settings.profile_folder.string() << "\n";
  if (!all) {
    *context.err << fmt::format("interrupted: {} of {} cases are stored; assay bench --resume {} goes on\n",
                                campaign.outcomes.size(), campaign.plan.size(), campaign.id);
    return kInterrupted;
  }
  return exit_status(campaign, plan.named_backends, plan.named_devices);
}

Campaign campaign_to_resume(const BenchOptions& options, store::Store& store) {
  if (!options.resume_id.empty() && std::filesystem::is_regular_file(options.resume_id)) {
    const Campaign bundle = report::read_bundle(read_file(options.resume_id, kMaxBundleBytes), options.resume_id);
    store.import(bundle);
    return store.load(bundle.id);
  }
  if (!options.resume_id.empty()) return store.load(options.resume_id);
  const auto newest = store.newest_unfinished();
  if (!newest) {
    throw Error(ErrorCode::kInvalidArgument, "--resume: every campaign here is finished (assay results list)",
                store.file().string());
  }
  return store.load(*newest);
}

/// A large network of the zoo takes seconds to write, the first time: better said.
runner::ModelLookup announced(const runner::ModelLookup& models, Context& context) {
  auto said = std::make_shared<std::set<std::string>>();
  return [said, models, &context](const Case& c) {
    if (model::is_zoo_network(c.model) && said->insert(c.model).second) {
      *context.err << fmt::format("reading {} (written into the cache folder the first time) …\n", c.model)
                   << std::flush;
    }
    return models(c);
  };
}

int resume(const BenchOptions& given, Context& context) {
  if (!given.models.empty() || !given.settings.empty() || !given.plan.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "--resume goes on with the stored plan: leave models, axes and --plan away");
  }
  store::Store store(given.db.empty() ? store::default_results_file() : std::filesystem::path(given.db));
  Campaign campaign = campaign_to_resume(given, store);
  BenchOptions options = given;
  options.effort = campaign.effort;
  runner::RunSettings settings = run_settings_of(options);
  settings.seed = campaign.seed;
  if (const auto window = campaign.environment.find("effort.window_ms");
      window != campaign.environment.end() && given.duration.empty()) {
    settings.effort.window = std::chrono::milliseconds(std::strtoll(window->second.c_str(), nullptr, 10));
  }
  const auto used = campaign.environment.find("noise.used");
  if (used != campaign.environment.end()) settings.noise_floor = std::strtod(used->second.c_str(), nullptr);
  BenchPlan plan;
  for (const Case& c : campaign.plan) {
    plan.named_backends.push_back(c.backend);
    const auto library = campaign.environment.find(kAskedLibrary + c.backend);
    if (library != campaign.environment.end()) settings.libraries[c.backend] = library->second;
  }
  return conduct(options, campaign, plan, settings, store, context);
}

}  // namespace

report::Document document_of(const Campaign& campaign) {
  report::Document document;
  document.campaign = &campaign;
  document.recommendation = runner::recommend(campaign);
  document.noise_floor = kDefaultNoiseFloor;
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
    return dry_run(options, plan, settings, store ? history_of(*store) : runner::HistoryLookup{}, context);
  }
  store::Store store(file);
  Campaign campaign = new_campaign(plan, settings, context);
  set_noise_floor(store, campaign, settings);
  store.begin(campaign);
  return conduct(options, campaign, plan, settings, store, context);
}

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "measure models on engines");
  command->footer(
      "MODEL is an ONNX file, or a network of the zoo (assay models list). Without one: resnet50 on\n"
      "onnxruntime and openvino at batch 1, 8 and 32.\n"
      "Examples:\n"
      "  assay bench my.onnx --backend all --batch-size 1..32\n"
      "  assay bench my.onnx --for latency --threads 1,2,4 --effort standard\n"
      "  assay bench my.onnx --shape image=1x3x640x640 --option openvino.streams=2\n"
      "  assay bench --plan paper --dry-run          the paper's study: cases and hours\n"
      "  assay bench --resume                        go on with what was interrupted");
  const auto o = std::make_shared<BenchOptions>();
  command->add_option("MODEL", o->models, "ONNX files or names of the zoo");
  for (const runner::Setting& setting : runner::settings()) {
    if (setting.name == std::string("model")) continue;
    command
        ->add_option_function<std::vector<std::string>>(
            std::string("--") + setting.name,
            [o, name = std::string(setting.name)](const std::vector<std::string>& values) {
              o->settings[name] = values;
            },
            fmt::format("{}: {}", setting.form, setting.meaning))
        ->allow_extra_args(false)
        ->type_name("");
  }
  command->add_option("--effort", o->effort, "quick, standard or rigorous: time for certainty")->capture_default_str();
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
  command->add_flag("--profile", o->profile, "keep each engine's own profile beside the results (slows it down)");
  command->add_option("--cache", o->cache, "DIR|off: where optimized graphs are kept");
  command->add_option("--duration", o->duration, "T: the window of each process (500ms, 3s, 2m)");
  command->add_option("--timeout", o->timeout, "T: the most that a process may take");
  command->add_option("--memory-limit", o->memory_limit, "SIZE: the most memory of a process (512MiB, 2GiB)");
  command->add_option("--db", o->db, "the results file (or ASSAY_DB)");
  command->add_flag("--json", o->json, "the result as JSON, the only thing on standard output");
  command->callback([&action, o] { action = [o](Context& context) { return bench(*o, context); }; });
}

}  // namespace assay::cli
