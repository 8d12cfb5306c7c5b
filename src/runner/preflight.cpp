// What is settled before anything is measured: what cannot run, and what answers are compared with.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <system_error>

#include "assay/error.hpp"
#include "base/sha256.hpp"
#include "runner/campaign_run.hpp"
#include "runner/order.hpp"
#include "runner/reference.hpp"

namespace assay::runner {
namespace {

/// What a double cannot be: the null backend computes nothing that could agree.
constexpr const char* kNullBackend = "null";

}  // namespace

void CampaignRun::find_pending() {
  std::set<std::string> done;
  for (const Outcome& o : campaign_.outcomes) done.insert(case_key(o.test_case));
  for (std::size_t i = 0; i < campaign_.plan.size(); ++i) {
    if (done.contains(case_key(campaign_.plan[i]))) continue;
    Pending p;
    p.index = i;
    pending_.push_back(std::move(p));
  }
}

const ProbeAnswer& CampaignRun::probe(const std::string& backend) {
  const auto known = probes_.find(backend);
  if (known != probes_.end()) return known->second;
  const auto library = settings_.libraries.find(backend);
  const ProbeAnswer& answer = probes_[backend] = probe_backend(
      backend, library == settings_.libraries.end() ? std::filesystem::path() : library->second, launcher_, stop_);
  if (answer.available && !answer.library.empty()) {
    fact("library." + backend, answer.library);
    try {
      fact("library.sha256." + backend, sha256_of_file(answer.library));
    } catch (const Error&) {
      // It could be opened a moment ago; what it was cannot be told any more.
      fact("library.sha256." + backend, "not readable");
    }
  }
  return answer;
}

void CampaignRun::skip_unavailable() {
  for (Pending& p : pending_) {
    const Case& c = case_of(p);
    const ProbeAnswer& answer = probe(c.backend);
    if (stop_) return;
    const std::string why = why_unavailable(answer, c.backend, c.device);
    if (!why.empty()) skipped(p, "probe", why);
  }
}

void CampaignRun::read_models() {
  for (Pending& p : pending_) {
    if (p.closed || stop_) continue;
    try {
      p.facts = settings_.models(case_of(p));
      const std::string key = "model.sha256." + case_of(p).model;
      if (!campaign_.environment.contains(key)) fact(key, p.facts.hash);
      p.estimated = estimate_process(case_of(p), settings_.effort, p.facts, {});
    } catch (const Error& e) {
      failed(p, "model", e.what());
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
  std::map<std::string, std::pair<std::filesystem::path, std::string>> made;
  for (Pending& p : pending_) {
    if (p.closed || stop_) continue;
    if (case_of(p).backend == kNullBackend) {
      p.texts["parity"] = "unverified: the null backend computes nothing";
      continue;
    }
    const std::string name = reference_name(reference_request(case_of(p), p.facts, settings_.effort), p.facts.hash, "");
    auto it = made.find(name);
    if (it == made.end()) {
      std::string why_not;
      std::filesystem::path file = make_reference(p, why_not);
      it = made.emplace(name, std::pair(std::move(file), std::move(why_not))).first;
      if (!it->second.second.empty()) tell(Progress::Kind::kNote, &case_of(p), it->second.second);
    }
    p.reference = it->second.first;
    if (p.reference.empty()) p.texts["parity"] = it->second.second;
  }
}

std::filesystem::path CampaignRun::make_reference(const Pending& p, std::string& why_not) {
  const ProbeAnswer& answer = probe(kReferenceBackend);
  const std::string missing = why_unavailable(answer, kReferenceBackend, "cpu");
  if (!missing.empty()) {
    why_not = "unverified: there is no reference, since " + missing;
    return {};
  }
  worker::Request request = reference_request(case_of(p), p.facts, settings_.effort);
  if (const auto it = settings_.libraries.find(kReferenceBackend); it != settings_.libraries.end()) {
    request.library = it->second;
  }
  const std::filesystem::path folder = settings_.cache_folder / "references";
  const std::filesystem::path file = folder / reference_name(request, p.facts.hash, answer.version);
  std::error_code error;
  if (std::filesystem::exists(file, error)) return file;
  std::filesystem::create_directories(folder, error);
  request.reference_file = file;
  request.reference_file += fmt::format(".{}.tmp", campaign_.id);
  const worker::Exit exit = launch(request, limits(p), &case_of(p));
  if (exit.ok) std::filesystem::rename(request.reference_file, file, error);
  if (exit.ok && !error) return file;
  const std::string reason = exit.ok ? error.message() : exit.phase + ": " + exit.reason;
  std::filesystem::remove(request.reference_file, error);
  why_not = "unverified: the reference could not be made: " + reason;
  return {};
}

void CampaignRun::choose_twins() {
  if (settings_.effort.processes < 2) return;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!pending_[i].closed) open.push_back(i);
  }
  if (open.empty()) return;
  const auto share = settings_.effort.a_a_share * static_cast<double>(open.size());
  const auto wanted = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share)));
  const std::vector<std::size_t> order = interleaved_order(open.size(), 1, settings_.seed + 1);
  for (std::size_t i = 0; i < std::min(wanted, open.size()); ++i) pending_[open[order[i]]].has_twin = true;
}

}  // namespace assay::runner
