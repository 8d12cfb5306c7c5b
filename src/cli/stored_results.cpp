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

std::optional<Outcome> StoredResults::find(const Case& c) {
  std::optional<Earlier> earlier = find_earlier(c);
  if (!earlier) return std::nullopt;
  return std::move(earlier->outcome);
}

std::vector<Outcome> StoredResults::find_together(const std::vector<Case>& cases) {
  const Counts before = counts_;
  std::vector<Outcome> found;
  std::string campaign;
  for (const Case& c : cases) {
    std::optional<Earlier> earlier = find_earlier(c);
    if (!earlier || (!campaign.empty() && earlier->campaign_id != campaign)) {
      counts_.own = before.own;  // none of them is used
      counts_.own_disturbed = before.own_disturbed;
      counts_.others = before.others;
      return {};
    }
    campaign = earlier->campaign_id;
    found.push_back(std::move(earlier->outcome));
  }
  return found;
}

bool StoredResults::failed_before(const Case& c) {
  const Counts before = counts_;
  const std::optional<Earlier> earlier = find_earlier(c);
  counts_ = before;  // nothing of it is used
  return earlier && earlier->outcome.state != OutcomeState::kMeasured;
}

std::optional<StoredResults::Earlier> StoredResults::find_earlier(const Case& c) {
  try {
    std::map<std::string, std::string> same = same_;
    same["model.sha256." + c.model] = settings_.models(c).hash;
    const bool here = add_engines(c, same);
    if (auto own = find_own(c, same, here)) return own;
    if (!here || same_.at("cpu.model").empty()) return std::nullopt;
    return find_others(c, same);
  } catch (const Error&) {
    return std::nullopt;  // measuring it will say what is wrong
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

std::optional<StoredResults::Earlier> StoredResults::find_own(const Case& c, std::map<std::string, std::string> same,
                                                              bool engine_is_here) {
  if (search_.empty()) return std::nullopt;
  same[kSearchIdKey] = search_;
  const std::string key = case_key(c);
  auto own = store_.newest(key, same, version(), Quality::kAny);
  // What an engine did that has gone since says nothing of plans that are to be measured now.
  if (!own || (!engine_is_here && own->outcome.state == OutcomeState::kMeasured)) return std::nullopt;
  ++counts_.own;
  const bool sound = store_.newest(key, same, version()).has_value();
  if (own->outcome.state == OutcomeState::kMeasured && !sound) ++counts_.own_disturbed;
  return own;
}

std::optional<StoredResults::Earlier> StoredResults::find_others(const Case& c,
                                                                 const std::map<std::string, std::string>& same) {
  const std::string key = case_key(c);
  auto sound = store_.newest(key, same, version());
  if (sound) {
    ++counts_.others;
    return sound;
  }
  const auto any = store_.newest(key, same, version(), Quality::kAny);
  if (any && any->outcome.state == OutcomeState::kMeasured) ++counts_.refused;
  return std::nullopt;
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
