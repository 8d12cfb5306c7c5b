// What is settled before anything is measured: what cannot run, and what answers are compared with.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <system_error>

#include "assay/error.hpp"
#include "measure/series.hpp"
#include "model/model.hpp"
#include "runner/campaign_run.hpp"
#include "runner/order.hpp"
#include "runner/reference.hpp"
#include "worker/reference.hpp"
#include "worker/rounded_models.hpp"

namespace assay::runner {
namespace {

/// What a double cannot be: the null backend computes nothing that could agree.
constexpr const char* kNullBackend = "null";

/// Whether a reference is there and whole; a damaged one is removed, and so made again.
bool usable(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return false;
  try {
    (void)worker::read_reference(file);
    return true;
  } catch (const Error&) {
    std::filesystem::remove(file, error);
    return false;
  }
}

}  // namespace

void CampaignRun::find_pending() {
  std::map<std::string, const Outcome*> done;
  for (const Outcome& o : campaign_.outcomes) done.emplace(case_key(o.test_case), &o);
  std::map<std::string, std::size_t> open;
  for (std::size_t i = 0; i < campaign_.plan.size(); ++i) {
    const std::string key = case_key(campaign_.plan[i]);
    if (const auto it = done.find(key); it != done.end()) {
      const auto& samples = it->second->samples;
      const auto first = std::find_if(samples.begin(), samples.end(), [](const ProcessSamples& s) { return s.kept; });
      const auto rate =
          first == samples.end() ? std::nullopt : measure::samples_per_second(campaign_.plan[i], first->values);
      if (rate) finished_rates_[i] = *rate;
      continue;
    }
    Pending p;
    p.index = i;
    pending_of_[i] = open[key] = pending_.size();
    pending_.push_back(std::move(p));
  }
  for (const store::PendingProcess& process : settings_.pending) {
    if (const auto it = open.find(process.case_key); it != open.end()) take_up(pending_[it->second], process);
  }
}

void CampaignRun::take_up(Pending& p, const store::PendingProcess& process) {
  p.samples.push_back(process.samples);
  for (const auto& [key, text] : process.texts) p.texts[key] = text;
  const double rate = measure::samples_per_second(case_of(p), process.samples.values).value_or(0);
  if (process.twin && process.samples.noise.find(kTwinNote) != std::string::npos) {
    p.has_twin = true;
    p.twins.push_back({rate, process.samples.noise != kTwinNote});
  } else if (process.samples.kept) {
    p.rates.push_back({rate, !process.samples.noise.empty()});
  } else {
    ++p.reruns;
  }
}

void CampaignRun::fact_that_stays(const std::string& key, const std::string& value, const std::string& what) {
  const auto before = campaign_.environment.find(key);
  if (before == campaign_.environment.end()) return fact(key, value);
  if (before->second == value) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("campaign {} was begun with another {} ({} was {}, and is {} now): its figures would not "
                          "belong together; put the old one back, or start a new campaign",
                          campaign_.id, what, key, before->second, value));
}

const ProbeAnswer& CampaignRun::probe(const std::string& backend) {
  const auto known = probes_.find(backend);
  if (known != probes_.end()) return known->second;
  if (const std::vector<std::string> several = members_of(backend); several.size() > 1) {
    std::vector<ProbeAnswer> answers;
    answers.reserve(several.size());
    for (const std::string& one : several) answers.push_back(probe(one));
    return probes_[backend] = together(answers);
  }
  const ProbeAnswer& answer = probes_[backend] =
      probe_backend(backend, settings_.library_of(backend), launcher_, stop_);
  if (const auto begun = campaign_.environment.find("version." + backend);
      !answer.available && !stop_ && begun != campaign_.environment.end()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("campaign {} was begun with {} {}, and it is not available now: {}", campaign_.id, backend,
                            begun->second, answer.reason));
  }
  if (answer.available) fact_that_stays("version." + backend, answer.version, backend);
  if (answer.available && !answer.library.empty()) {
    fact("library." + backend, answer.library);
    std::string content = "not readable";  // it could be opened a moment ago
    try {
      content = model::file_hash(answer.library, settings_.hash_folder);  // some are a gigabyte
    } catch (const Error&) {
    }
    fact_that_stays("library.sha256." + backend, content, backend);
  }
  return answer;
}

void CampaignRun::skip_unavailable() {
  // All of them first: one may refuse to go on, and then nothing is to be recorded.
  for (const Pending& p : pending_) {
    probe(case_of(p).backend);
    if (stop_) return;
  }
  for (Pending& p : pending_) {
    const Case& c = case_of(p);
    const std::string why = why_unavailable(c, prober());
    if (!why.empty()) skipped(p, probe(c.backend).available ? "device" : "probe", why);
  }
}

void CampaignRun::read_models() {
  std::vector<std::pair<Pending*, std::string>> broken;
  for (Pending& p : pending_) {
    if (p.closed || stop_) continue;
    try {
      p.facts = settings_.models(case_of(p));
    } catch (const Error& e) {
      broken.emplace_back(&p, e.what());
      continue;
    }
    fact_that_stays("model.sha256." + case_of(p).model, p.facts.hash, "model");
    p.estimated = estimate_process(case_of(p), settings_.effort, p.facts, {});
  }
  for (auto& [p, why] : broken) failed(*p, "model", why);
}

void CampaignRun::skip_unreadable() {
  for (Pending& p : pending_) {
    if (p.closed || stop_) continue;
    const Case& c = case_of(p);
    const std::string why = model::why_not_read(c.backend, probe(c.backend).model_formats, p.facts.format);
    const std::string missing = why_no_signature(c, p.facts);
    if (!why.empty()) {
      skipped(p, "model", why);
    } else if (!missing.empty()) {  // else a worker would load the engine to find the same
      failed(p, "model", missing);
    }
  }
}

void CampaignRun::skip_too_large() {
  for (Pending& p : pending_) {
    if (p.closed) continue;
    const std::string why = why_too_large(case_of(p), p.facts, settings_.machine_memory);
    if (!why.empty()) skipped(p, "estimate", why);
  }
}

void CampaignRun::make_references() {
  for (Pending& p : pending_) {
    if (p.closed || stop_) continue;
    const Case& c = case_of(p);
    if (c.backend == kNullBackend) {
      p.texts["parity"] = "unverified: the null backend computes nothing";
      continue;
    }
    if (p.facts.format != model::Format::kOnnx) {
      p.texts["parity"] = fmt::format("unverified: this is {}, which the reference engine ({}) does not read",
                                      describe(p.facts.format), kReferenceBackend);
      continue;
    }
    const MadeReference& reference = reference_of(p, Precision::kFloat32);
    p.reference = reference.file;
    if (p.reference.empty()) p.texts["parity"] = "unverified: " + reference.why_not;
    if (!p.reference.empty() && worker::is_reduced(c.precision))
      p.rounded_reference = reference_of(p, c.precision).file;
  }
}

/// Made once in a campaign, or found.
const CampaignRun::MadeReference& CampaignRun::reference_of(const Pending& p, Precision weights_rounded_to) {
  worker::Request request = reference_request(case_of(p), p.facts, settings_.effort);
  request.weights_rounded_to = weights_rounded_to;
  const auto [it, is_new] = references_.try_emplace(reference_name(request, p.facts.hash, ""));
  if (!is_new) return it->second;
  it->second = make_reference(p, request);
  if (it->second.why_not.empty() || stop_) return it->second;
  const bool rounded = worker::is_reduced(weights_rounded_to);
  tell(Progress::Kind::kNote, &case_of(p),
       rounded ? fmt::format("the tolerance of {} does not follow how the model is conditioned: {}",
                             to_string(weights_rounded_to), it->second.why_not)
               : "unverified: " + it->second.why_not);
  return it->second;
}

CampaignRun::MadeReference CampaignRun::make_reference(const Pending& p, worker::Request request) {
  const ProbeAnswer& answer = probe(kReferenceBackend);
  const std::string missing = why_unavailable(answer, kReferenceBackend, kCpu);
  if (!missing.empty()) return {{}, "there is no reference, since " + missing};
  request.library = settings_.library_of(kReferenceBackend);
  const std::string name = reference_name(request, p.facts.hash, answer.version);
  if (const std::filesystem::path kept = settings_.reference_folder / name; usable(kept)) return {kept, ""};
  const std::filesystem::path file = reference_folder() / name;
  std::error_code error;
  request.reference_file = file;
  request.reference_file += fmt::format(".{}.tmp", campaign_.id);
  const worker::Exit exit = launch(request, limits(p), &case_of(p));
  if (exit.ok) std::filesystem::rename(request.reference_file, file, error);
  if (exit.ok && !error) return {file, ""};
  const std::string reason = exit.ok ? error.message() : exit.phase + ": " + exit.reason;
  std::filesystem::remove(request.reference_file, error);
  return {{}, "the reference could not be made: " + reason};
}

std::filesystem::path CampaignRun::reference_folder() {
  if (own_references_) return own_references_->path();
  std::error_code error;
  std::filesystem::create_directories(settings_.reference_folder, error);
  try {
    const TemporaryFolder trial(settings_.reference_folder);
    return settings_.reference_folder;
  } catch (const Error& e) {
    // A cache that can only be read costs its answers' being kept, not their being made.
    own_references_ = std::make_unique<TemporaryFolder>();
    tell(Progress::Kind::kNote, nullptr, fmt::format("references are made for this campaign alone: {}", e.what()));
    return own_references_->path();
  }
}

void CampaignRun::choose_twins() {
  if (settings_.effort.processes < 2) return;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!pending_[i].closed) open.push_back(i);
  }
  if (open.empty()) return;
  const auto share = settings_.effort.a_a_share * static_cast<double>(open.size());
  auto wanted = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share)));
  // Resumed: pairs that were begun or finished before count.
  const auto has_twin = [](const Outcome& o) {
    return std::any_of(o.samples.begin(), o.samples.end(),
                       [](const ProcessSamples& s) { return s.noise.find(kTwinNote) != std::string::npos; });
  };
  auto before = static_cast<std::size_t>(std::count_if(campaign_.outcomes.begin(), campaign_.outcomes.end(), has_twin));
  for (const std::size_t i : open) before += pending_[i].has_twin ? 1 : 0;
  wanted -= std::min(wanted, before);
  const std::vector<std::size_t> order = interleaved_order(open.size(), 1, settings_.seed + 1);
  for (std::size_t i = 0; i < std::min(wanted, open.size()); ++i) pending_[open[order[i]]].has_twin = true;
}

}  // namespace assay::runner
