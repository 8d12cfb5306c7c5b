// assay bench --resume: a stored campaign goes on as it was begun.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "cli/bench.hpp"
#include "measure/environment.hpp"
#include "store/campaign_lock.hpp"

namespace assay::cli {
namespace {

constexpr std::uint64_t kMaxResumedBytes = UINT64_C(1) << 30;

std::string value_of(const Campaign& campaign, const std::string& key) {
  const auto it = campaign.environment.find(key);
  return it == campaign.environment.end() ? std::string() : it->second;
}

void refuse_other_settings(const BenchOptions& given) {
  if (given.models.empty() && given.settings.empty() && given.plan.empty() && !given.effort_given &&
      given.duration.empty()) {
    return;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "--resume goes on with the stored plan: leave models, axes, --plan, --effort and --duration away");
}

Campaign campaign_to_resume(const BenchOptions& options, store::Store& store) {
  if (!options.resume_id.empty() && std::filesystem::is_regular_file(options.resume_id)) {
    const Campaign bundle = report::read_bundle(read_file(options.resume_id, kMaxResumedBytes), options.resume_id);
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

void require_same_cpu(const Campaign& campaign) {
  const auto now = measure::read_environment().values;
  const auto here = now.find("cpu.model");
  const std::string before = value_of(campaign, "cpu.model");
  if (before.empty() || here == now.end() || here->second == before) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("campaign {} was begun on another CPU ({}; here is {}): its figures would not belong "
                          "together; resume it there, or start a new campaign",
                          campaign.id, before, here->second));
}

/// What was typed then, where nothing else is typed now.
BenchOptions recalled(BenchOptions options, const Campaign& campaign) {
  options.effort = campaign.effort;
  const auto recall = [&](std::string& option, const char* key) {
    if (option.empty()) option = value_of(campaign, key);
  };
  recall(options.timeout, "asked.timeout");
  recall(options.memory_limit, "asked.memory_limit");
  recall(options.cache, "asked.cache");
  return options;
}

BenchPlan recalled_plan(const Campaign& campaign) {
  BenchPlan plan;
  plan.cases = missing(campaign);
  plan.seed = campaign.seed;
  plan.named_devices = !value_of(campaign, "asked.device").empty();
  std::istringstream named(value_of(campaign, "asked.backend"));
  for (std::string backend; std::getline(named, backend, ',');) plan.named_backends.push_back(backend);
  for (const auto& [key, value] : campaign.environment) {
    if (key.starts_with(kAskedLibrary)) plan.libraries[key.substr(std::string_view(kAskedLibrary).size())] = value;
  }
  return plan;
}

}  // namespace

void remember(const BenchOptions& options, const BenchPlan& plan, const runner::RunSettings& settings,
              Campaign& campaign) {
  auto& environment = campaign.environment;
  for (const auto& [key, value] : plan.facts) environment[key] = value;
  for (const auto& [backend, library] : plan.libraries) environment[kAskedLibrary + backend] = library.string();
  environment["effort.window_ms"] = std::to_string(settings.effort.window.count());
  environment["asked.backend"] = fmt::format("{}", fmt::join(plan.named_backends, ","));
  environment["asked.device"] = plan.named_devices ? "by name" : "";
  environment["asked.timeout"] = options.timeout;
  environment["asked.memory_limit"] = options.memory_limit;
  environment["asked.cache"] =
      options.cache.empty() || options.cache == "off" ? options.cache : settings.cache_folder.string();
  std::erase_if(environment,
                [](const auto& entry) { return entry.first.starts_with("asked.") && entry.second.empty(); });
}

std::vector<Case> missing(const Campaign& campaign) {
  std::vector<std::string> done;
  for (const Outcome& o : campaign.outcomes) done.push_back(case_key(o.test_case));
  std::vector<Case> cases;
  for (const Case& c : campaign.plan) {
    if (std::find(done.begin(), done.end(), case_key(c)) == done.end()) cases.push_back(c);
  }
  return cases;
}

int resume(const BenchOptions& given, Context& context) {
  refuse_other_settings(given);
  const std::filesystem::path file = given.db.empty() ? store::default_results_file() : std::filesystem::path(given.db);
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(given.resume_id, error)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "--resume: there is no results file here yet, so nothing to go on with; --db FILE or ASSAY_DB names another",
        file.string());
  }
  store::Store store(file);
  Campaign campaign = campaign_to_resume(given, store);
  const store::CampaignLock lock(store.file(), campaign.id);
  campaign = store.load(campaign.id);  // as it is now that nobody else is at it
  require_same_cpu(campaign);
  const BenchOptions options = recalled(given, campaign);
  runner::RunSettings settings = run_settings_of(options);
  const BenchPlan plan = recalled_plan(campaign);
  settings.seed = campaign.seed;
  settings.libraries = plan.libraries;
  settings.pending = store.pending(campaign.id);
  if (const std::string window = value_of(campaign, "effort.window_ms"); !window.empty()) {
    const std::chrono::milliseconds asked(std::strtoll(window.c_str(), nullptr, 10));
    settings.effort = measure::with_window(settings.effort, asked);
  }
  if (const std::string processes = value_of(campaign, kProcessesKey); !processes.empty()) {
    settings.effort.processes = std::max(1, static_cast<int>(std::strtol(processes.c_str(), nullptr, 10)));
  }
  if (const std::string used = value_of(campaign, "noise.used"); !used.empty()) {
    settings.noise_floor = std::strtod(used.c_str(), nullptr);
  }
  if (options.dry_run && is_placing(campaign)) *context.out << "of a search, which then goes on:\n";
  if (options.dry_run) return dry_run(options, plan, settings, history_of(store), context);
  if (is_placing(campaign)) return resume_placing(options, campaign, plan, settings, store, context);
  return conduct(options, campaign, plan, settings, store, context);
}

}  // namespace assay::cli
