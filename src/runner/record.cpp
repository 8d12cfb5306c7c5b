// How a case ends: its extra passes, its metrics, its row.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <thread>

#include "assay/error.hpp"
#include "measure/collectors/collectors.hpp"
#include "measure/series.hpp"
#include "measure/statistics.hpp"
#include "runner/campaign_run.hpp"
#include "runner/case_settings.hpp"
#include "runner/reference.hpp"

namespace assay::runner {
namespace {

constexpr int kTogether = 4;
constexpr std::string_view kInForce = "in_force.";
/// An engine for a GPU is built without a word, and times its kernels one after another: minutes.
constexpr std::chrono::milliseconds kBuilding = std::chrono::minutes(30);

ProcessSamples samples_of(const Pending& p, worker::Exit& exit) {
  ProcessSamples samples;
  samples.process = static_cast<int>(p.samples.size());
  samples.values = std::move(exit.result.values);
  return samples;
}

/// "resnet50-mlir-batch8-2threads-throughput-1a2b3c4d": what a user looks for, and what tells it from all others.
std::string profile_name(const Case& c) {
  constexpr std::size_t kOfKey = 8, kMostOfModels = 100;  // file names are 255 bytes at most
  std::string name;
  for (const std::string& member : members_of(c.model)) {
    std::filesystem::path path(member);
    if (!path.has_filename()) path = path.parent_path();  // a folder with a slash behind it
    name += (name.empty() ? "" : "+") + path.stem().string();
  }
  name.resize(std::min(name.size(), kMostOfModels));
  name += fmt::format("-{}-batch{}-{}threads-{}-{}", c.backend, batch_word(c), c.threads, to_string(c.goal),
                      case_key(c).substr(0, kOfKey));
  const auto plain = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '+' || letter == '_';
  };
  std::replace_if(name.begin(), name.end(), std::not_fn(plain), '_');
  return name;
}

}  // namespace

worker::Request CampaignRun::request(const Pending& p, worker::Request::Kind kind) const {
  worker::Request request;
  request.kind = kind;
  request.test_case = case_of(p);
  request.model = p.facts.path;
  request.members = p.facts.members;
  request.effort = settings_.effort;
  if (request.test_case.cache) request.cache_folder = settings_.cache_folder;
  request.reference_file = p.reference;
  request.rounded_reference_file = p.rounded_reference;
  request.parity_tolerance = parity_tolerance(request.test_case.precision);
  const std::vector<std::string> engines = members_of(request.test_case.backend);  // of a placed ensemble, several
  request.library = settings_.library_of(engines.front());
  for (const std::string& engine : engines) {
    const std::filesystem::path library = settings_.library_of(engine);
    if (engines.size() > 1 && !library.empty()) request.libraries[engine] = library;
  }
  if (kind == worker::Request::Kind::kMeasure && !settings_.profile_folder.empty()) {
    request.profile_file = settings_.profile_folder / (profile_name(request.test_case) + ".json");
  }
  return request;
}

worker::Limits CampaignRun::limits(const Pending& p) const {
  worker::Limits limits = settings_.limits;
  if (settings_.limits_fixed) return limits;
  // A hang is told from slowness by what the case may take; the estimate may be five times off.
  const auto expected = std::chrono::duration_cast<std::chrono::milliseconds>(p.estimated);
  limits.timeout = std::max(limits.timeout, 5 * expected);
  limits.silence = std::max(limits.silence, 2 * expected);
  if (case_of(p).device != kCpu) {
    limits.opening = kBuilding;
    limits.timeout = std::max(limits.timeout, 2 * kBuilding);
  }
  return limits;
}

worker::Exit CampaignRun::launch(const worker::Request& request, const worker::Limits& limits, const Case* for_case) {
  try {
    return launcher_.run(
        request, limits,
        [&](const worker::Event& event) {
          if (event.kind == worker::Event::Kind::kPhase) {
            tell(Progress::Kind::kPhase, for_case, event.phase, nullptr, event.progress);
          } else if (event.kind == worker::Event::Kind::kLog && said_.insert(event.message).second) {
            const bool named = !event.warning.empty();
            warn({named ? event.warning : "worker", event.message,
                  named ? event.advice : "said while a case ran; its figures stand unless its row says otherwise"});
          }
        },
        stop_);
  } catch (const Error& e) {
    worker::Exit exit;
    exit.phase = "launch";
    exit.code = e.code();
    exit.reason = e.what();
    return exit;
  }
}

void CampaignRun::measure_memory(Pending& p) {
  read_memory(p, worker::Request::Kind::kMemory, {"memory.peak", "memory.resting", "memory.library", "memory.model"});
  if (stop_ || !has_members(case_of(p))) return;
  std::vector<std::string> tags;
  for (const std::string& member : member_names(members_of(case_of(p).model))) {
    tags.push_back(fmt::format("member.{}.memory", member));
  }
  read_memory(p, worker::Request::Kind::kMemberMemory, tags);
}

void CampaignRun::read_memory(Pending& p, worker::Request::Kind kind, const std::vector<std::string>& tags) {
  worker::Exit exit = launch(request(p, kind), limits(p), &case_of(p));
  if (stop_) return;
  ran(p);
  if (!exit.ok) {
    const std::string why = fmt::format("its own pass failed ({}): {}", exit.phase, exit.reason);
    for (const std::string& tag : tags) p.texts["remark." + tag] = why;
    return;
  }
  for (auto& [key, text] : exit.result.texts) p.texts[key] = text;
  p.samples.push_back(samples_of(p, exit));
}

void CampaignRun::measure_start(Pending& p) {
  const worker::Request r = request(p, worker::Request::Kind::kStart);
  worker::Exit exit = launch(r, limits(p), &case_of(p));
  if (stop_) return;
  ran(p);
  if (!exit.ok) {
    p.texts["remark.start"] = fmt::format("its own process failed ({}): {}", exit.phase, exit.reason);
    return;
  }
  for (auto& [key, text] : exit.result.texts) p.texts.emplace(key, text);
  p.samples.push_back(samples_of(p, exit));
  if (settings_.effort.processes > 1) start_together(p, r);
}

bool CampaignRun::may_fit(const Pending& p, std::uint64_t times) {
  const auto least = least_memory(case_of(p), p.facts);
  const std::vector<std::string> engines = members_of(case_of(p).backend);
  return std::all_of(least.begin(), least.end(), [&](const auto& on_device) {
    const auto& [device, bytes] = on_device;
    const std::uint64_t there = device == kCpu ? settings_.machine_memory : memory_of(device, engines, prober());
    return there == 0 || times * bytes <= there;
  });
}

/// The paper's elasticity: several instances asked for at once.
void CampaignRun::start_together(Pending& p, const worker::Request& request) {
  const auto remark = [&](const std::string& text) {
    std::string& all = p.texts["remark.start"];
    all += (all.empty() ? "" : "; ") + text;
  };
  if (!may_fit(p, kTogether)) {
    return remark(fmt::format("{} at once were not started: they would not fit into memory", kTogether));
  }
  std::array<worker::Exit, kTogether> exits;
  {
    std::vector<std::jthread> threads;
    for (worker::Exit& exit : exits) {
      threads.emplace_back([&] {
        try {
          exit = launcher_.run(request, limits(p), [](const worker::Event&) {}, stop_);
        } catch (const std::exception& e) {
          exit.ok = false;
          exit.reason = e.what();
        }
      });
    }
  }
  std::vector<double> starts;
  std::string why;
  for (const worker::Exit& exit : exits) {
    const auto it = exit.result.values.find("start");
    if (exit.ok && it != exit.result.values.end() && !it->second.empty()) {
      starts.push_back(it->second.front());
    } else if (why.empty()) {
      why = exit.ok ? "it did not say when" : exit.reason;
    }
  }
  if (starts.size() == kTogether) {
    p.samples.back().values["start.together"] = starts;
  } else if (!stop_) {
    remark(fmt::format("of {} started at once {} answered: {}", kTogether, starts.size(), why));
  }
}

void CampaignRun::measured(Pending& p) {
  measure::Observations observations;
  const Case c = case_of(p);
  observations.test_case = &c;
  observations.effort = settings_.effort;
  observations.processes = p.samples;
  observations.texts = p.texts;
  observations.noise_floor = settings_.noise_floor;
  Outcome outcome;
  outcome.state = OutcomeState::kMeasured;
  try {
    outcome.metrics = measure::collect(observations);
  } catch (const std::exception& e) {
    outcome.state = OutcomeState::kFailed;
    outcome.phase = "statistics";
    outcome.reason = e.what();
  }
  close(p, std::move(outcome));
}

void CampaignRun::skipped(Pending& p, const std::string& phase, const std::string& reason) {
  Outcome outcome;
  outcome.state = OutcomeState::kSkipped;
  outcome.phase = phase;
  outcome.reason = reason;
  close(p, std::move(outcome));
}

void CampaignRun::failed(Pending& p, const std::string& phase, const std::string& reason) {
  Outcome outcome;
  outcome.state = OutcomeState::kFailed;
  outcome.phase = phase;
  outcome.reason = reason;
  close(p, std::move(outcome));
}

void CampaignRun::close(Pending& p, Outcome outcome) {
  outcome.test_case = case_of(p);
  if (const auto it = probes_.find(outcome.test_case.backend); it != probes_.end()) {
    outcome.backend_version = it->second.version;
  }
  for (const auto& [key, text] : p.texts) {
    if (key.rfind(kInForce, 0) == 0) outcome.in_force[key.substr(kInForce.size())] = text;
  }
  outcome.samples = std::move(p.samples);
  p.closed = true;
  runs_total_ -= p.left;  // what was planned and is not needed any more
  p.left = 0;
  estimated_total_s_ -= std::max(0.0, p.estimated_left_s);
  record(std::move(outcome));
}

void CampaignRun::record(Outcome outcome) {
  try {
    recorder_.outcome(outcome);
  } catch (const store::Unwritable& e) {
    // What was measured is shown all the same; there is no row, and so it is measured again when the campaign goes on.
    refused(e.what());
    ++unrecorded_;
    if (outcome.state == OutcomeState::kMeasured) outcome.phase = kNotStored;
    outcome.reason += (outcome.reason.empty() ? "not recorded: " : "; not recorded: ") + std::string(e.what());
  } catch (const std::exception& e) {
    record_failure_of(outcome, e.what());
  }
  campaign_.outcomes.push_back(std::move(outcome));
  tell(Progress::Kind::kCaseFinished, &campaign_.outcomes.back().test_case, {}, &campaign_.outcomes.back());
}

/// The row that could not be written becomes a row that says so; if that cannot be written either, it stays here.
void CampaignRun::record_failure_of(Outcome& outcome, const std::string& why) {
  outcome.reason = fmt::format("could not be recorded as {}{}: {}", to_string(outcome.state),
                               outcome.reason.empty() ? "" : " (" + outcome.reason + ")", why);
  outcome.phase = "record";
  outcome.state = OutcomeState::kFailed;
  Outcome small = outcome;
  small.samples.clear();
  try {
    recorder_.outcome(small);
  } catch (const std::exception& again) {
    outcome.reason += fmt::format("; nor could this failure: {}", again.what());
  }
}

void CampaignRun::refused(const std::string& why) {
  if (refusal_.empty()) refusal_ = why;
}

/// Last, when it is known what is stored.
void CampaignRun::tell_refusal() {
  if (refusal_.empty()) return;
  Warning warning = {
      "not-recorded",
      fmt::format("the campaign ended early, since its results cannot be stored any more: {}", refusal_),
      fmt::format("{} of {} cases are stored{}; when the file can be written again, assay bench "
                  "--resume {} goes on",
                  campaign_.outcomes.size() - unrecorded_, campaign_.plan.size(),
                  unrecorded_ > 0 ? " (all that are shown, but those marked as not recorded)" : "", campaign_.id)};
  tell(Progress::Kind::kWarning, nullptr, warning.message + "; " + warning.advice);
  campaign_.warnings.push_back(std::move(warning));
}

void CampaignRun::warn(Warning warning) {
  try {
    recorder_.warning(warning);
  } catch (const std::exception& e) {
    warning.message += fmt::format(" (not recorded: {})", e.what());
  }
  tell(Progress::Kind::kWarning, nullptr, warning.message + "; " + warning.advice);
  campaign_.warnings.push_back(std::move(warning));
}

void CampaignRun::fact(const std::string& key, const std::string& value) {
  campaign_.environment[key] = value;
  try {
    recorder_.fact(key, value);
  } catch (const std::exception& e) {
    tell(Progress::Kind::kNote, nullptr, fmt::format("{} was not recorded: {}", key, e.what()));
  }
}

void CampaignRun::tell(Progress::Kind kind, const Case* c, const std::string& text, const Outcome* outcome,
                       double phase_progress) const {
  if (!listener_) return;
  Progress progress;
  progress.kind = kind;
  progress.runs_done = std::max(0, foreseen_ - (runs_total_ - runs_done_));
  progress.runs_total = foreseen_;
  progress.repeats = repeats_;
  const double pace = estimated_done_s_ > 0 ? spent_s_ / estimated_done_s_ : 1;
  progress.estimated_left =
      std::chrono::seconds(static_cast<std::int64_t>(std::max(0.0, estimated_total_s_ - estimated_done_s_) * pace));
  progress.test_case = c;
  progress.outcome = outcome;
  progress.text = text;
  progress.phase_progress = phase_progress;
  listener_(progress);
}

void CampaignRun::ran(Pending& p) {
  ++runs_done_;
  --p.left;
}

void CampaignRun::spent(Pending& p, double wall_s) {
  p.estimated_left_s -= p.estimated.count();
  estimated_done_s_ += p.estimated.count();
  spent_s_ += wall_s;
}

}  // namespace assay::runner
