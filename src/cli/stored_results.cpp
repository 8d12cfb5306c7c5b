#include "cli/stored_results.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <utility>
#include <vector>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "measure/environment.hpp"
#include "model/model.hpp"
#include "report/format.hpp"
#include "runner/probe.hpp"

namespace assay::cli {
namespace {

using Quality = store::Store::Quality;

}  // namespace

StoredResults::StoredResults(const runner::RunSettings& settings, const store::Store& store, const Context& context,
                             std::string search)
    : settings_(settings), store_(store), context_(context), search_(std::move(search)) {
  const auto environment = measure::read_environment().values;
  for (const char* key : measure::kMachineKeys) {
    const auto it = environment.find(key);
    same_[key] = it == environment.end() ? std::string() : it->second;
  }
  same_["effort.window_ms"] = std::to_string(settings_.effort.window.count());
}

void StoredResults::Counts::add(const Counts& more) {
  own += more.own;
  own_disturbed += more.own_disturbed;
  others += more.others;
  refused += more.refused;
}

std::optional<Outcome> StoredResults::find(const Case& c) {
  Lookup found = look_up(c);
  counts_.add(found.counts);
  if (!found.earlier) return std::nullopt;
  return std::move(found.earlier->outcome);
}

std::vector<Outcome> StoredResults::find_together(const std::vector<Case>& cases) {
  std::vector<Outcome> outcomes;
  std::string campaign;
  Counts counts;
  for (const Case& c : cases) {
    Lookup found = look_up(c);
    counts.add(found.counts);
    if (!found.earlier || (!campaign.empty() && found.earlier->campaign_id != campaign)) {
      counts_.refused += counts.refused;  // of the rest none is used
      return {};
    }
    campaign = found.earlier->campaign_id;
    outcomes.push_back(std::move(found.earlier->outcome));
  }
  counts_.add(counts);
  return outcomes;
}

bool StoredResults::failed_before(const Case& c) {
  const Lookup found = look_up(c);
  return found.earlier && found.earlier->outcome.state != OutcomeState::kMeasured;
}

StoredResults::Lookup StoredResults::look_up(const Case& c) {
  try {
    std::map<std::string, std::string> same = same_;
    same["model.sha256." + c.model] = settings_.models(c).hash;
    const bool here = add_engines(c, same);
    if (Lookup own = look_up_own(c, same, here); own.earlier) return own;
    if (!here || same_.at("cpu.model").empty()) return {};
    return look_up_others(c, same);
  } catch (const Error&) {
    return {};  // measuring it will say what is wrong
  }
}

bool StoredResults::add_engines(const Case& c, std::map<std::string, std::string>& same) {
  bool here = true;
  for (const std::string& backend : members_of(c.backend)) {
    const Engine& engine = engine_of(backend);
    here = here && !engine.version.empty();
    if (engine.version.empty()) continue;
    same["version." + backend] = engine.version;
    same["library.sha256." + backend] = engine.library;
  }
  return here;
}

StoredResults::Lookup StoredResults::look_up_own(const Case& c, std::map<std::string, std::string> same,
                                                 bool engine_is_here) const {
  if (search_.empty()) return {};
  same[kSearchIdKey] = search_;
  const std::string key = case_key(c);
  auto own = store_.newest(key, same, version(), Quality::kAny);
  if (!own) return {};
  const bool measured = own->outcome.state == OutcomeState::kMeasured;
  // What an engine did that has gone since says nothing of plans that are to be measured now.
  if (measured && !engine_is_here) return {};
  Counts counts{.own = 1};
  if (measured && !store_.newest(key, same, version())) counts.own_disturbed = 1;
  return {std::move(own), counts};
}

StoredResults::Lookup StoredResults::look_up_others(const Case& c,
                                                    const std::map<std::string, std::string>& same) const {
  const std::string key = case_key(c);
  if (auto sound = store_.newest(key, same, version())) return {std::move(sound), {.others = 1}};
  const auto any = store_.newest(key, same, version(), Quality::kAny);
  const bool refused = any && any->outcome.state == OutcomeState::kMeasured;
  return {std::nullopt, {.refused = refused ? 1U : 0U}};
}

std::string StoredResults::account() {
  const Counts n = std::exchange(counts_, {});
  std::vector<std::string> parts;
  if (n.own > 0) {
    std::string text = fmt::format("{} of this search", report::counted(n.own, "case"));
    if (n.own_disturbed > 0) {
      text += fmt::format(", {} of them disturbed by other programs: better to search again when the machine is idle",
                          n.own_disturbed);
    }
    parts.push_back(std::move(text));
  }
  if (n.others > 0) parts.push_back(fmt::format("{} of other campaigns", report::counted(n.others, "case")));
  std::string text = parts.empty() ? "" : fmt::format("not measured again: {}", fmt::join(parts, "; and "));
  if (n.refused > 0) {
    text += fmt::format("{}measured again: {} of other campaigns that other programs disturbed",
                        parts.empty() ? "" : "; ", report::counted(n.refused, "case"));
  }
  return text;
}

bool StoredResults::misses_one(const BenchPlan& plan, const tune::PlaceRequest& request) {
  const auto& named = plan.named_backends;
  return std::any_of(request.backends.begin(), request.backends.end(), [&](const std::string& backend) {
    return std::find(named.begin(), named.end(), backend) != named.end() && engine_of(backend).version.empty();
  });
}

const StoredResults::Engine& StoredResults::engine_of(const std::string& backend) {
  const auto it = engines_.find(backend);
  if (it != engines_.end()) return it->second;
  const runner::ProbeAnswer answer =
      runner::probe_backend(backend, settings_.library_of(backend), *context_.launcher, *context_.stop);
  Engine& engine = engines_[backend];
  if (!answer.available) return engine;
  engine.library = answer.library.empty() ? std::string() : model::file_hash(answer.library, settings_.hash_folder);
  engine.version = answer.version;
  return engine;
}

}  // namespace assay::cli
