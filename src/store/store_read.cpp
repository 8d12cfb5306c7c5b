#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "core/json.hpp"
#include "store/store_impl.hpp"

namespace assay::store {
namespace {

std::vector<double> doubles(std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / sizeof(double));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

std::vector<Metric> read_metrics(const Database& db, std::int64_t outcome) {
  std::vector<Metric> metrics;
  Statement s(db, "SELECT tag, unit, value, low, high, n, remark FROM metric WHERE outcome_id = ? ORDER BY position");
  s.bind(0, outcome);
  while (s.step()) {
    metrics.push_back({s.text(0), s.text(1), s.real(2), s.real(3), s.real(4), s.integer(5), s.text(6)});
  }
  return metrics;
}

std::vector<ProcessSamples> read_processes(const Database& db, std::int64_t outcome) {
  std::vector<ProcessSamples> processes;
  Statement s(db, "SELECT id, process, kept, noise FROM process WHERE outcome_id = ? ORDER BY id");
  Statement samples(db, "SELECT name, data FROM sample WHERE process_id = ?");
  s.bind(0, outcome);
  while (s.step()) {
    ProcessSamples p;
    p.process = static_cast<int>(s.integer(1));
    p.kept = s.integer(2) != 0;
    p.noise = s.text(3);
    samples.bind(0, s.integer(0));
    while (samples.step()) p.values[samples.text(0)] = doubles(samples.blob(1));
    samples.reset();
    processes.push_back(std::move(p));
  }
  return processes;
}

Case read_case(const std::string& json, const Database& db) {
  return case_from_json(parse_json(json, db.file().string()));
}

std::vector<Outcome> read_outcomes(const Database& db, const std::string& id) {
  std::vector<Outcome> outcomes;
  Statement s(db,
              "SELECT id, case_json, state, phase, reason, backend_version, in_force FROM outcome "
              "WHERE campaign_id = ? ORDER BY id");
  s.bind(0, id);
  while (s.step()) {
    Outcome o;
    o.test_case = read_case(s.text(1), db);
    o.state = outcome_state_from_string(s.text(2));
    o.phase = s.text(3);
    o.reason = s.text(4);
    o.backend_version = s.text(5);
    const nlohmann::json in_force = parse_json(s.text(6), db.file().string());
    for (const auto& [key, value] : in_force.items())
      o.in_force[key] = value.is_string() ? value.get<std::string>() : value.dump();
    o.metrics = read_metrics(db, s.integer(0));
    o.samples = read_processes(db, s.integer(0));
    outcomes.push_back(std::move(o));
  }
  return outcomes;
}

}  // namespace

Campaign Store::Impl::read_campaign(const std::string& id) const {
  Campaign c;
  Statement head(database, "SELECT id, version, command, effort, started, finished, seed FROM campaign WHERE id = ?");
  head.bind(0, id);
  head.step();
  c.id = head.text(0);
  c.version = head.text(1);
  c.command = head.text(2);
  c.effort = head.text(3);
  c.started = head.text(4);
  c.finished = head.text(5);
  c.seed = static_cast<std::uint64_t>(head.integer(6));
  Statement environment(database, "SELECT key, value FROM environment WHERE campaign_id = ?");
  environment.bind(0, id);
  while (environment.step()) c.environment[environment.text(0)] = environment.text(1);
  Statement warnings(database, "SELECT kind, message, advice FROM warning WHERE campaign_id = ? ORDER BY id");
  warnings.bind(0, id);
  while (warnings.step()) c.warnings.push_back({warnings.text(0), warnings.text(1), warnings.text(2)});
  Statement plan(database, "SELECT case_json FROM plan WHERE campaign_id = ? ORDER BY position");
  plan.bind(0, id);
  while (plan.step()) c.plan.push_back(read_case(plan.text(0), database));
  c.outcomes = read_outcomes(database, id);
  return c;
}

std::string Store::Impl::full_id(const std::string& beginning) const {
  if (beginning.empty()) {
    Statement newest(database, "SELECT id FROM campaign ORDER BY rowid DESC LIMIT 1");
    if (newest.step()) return newest.text(0);
    throw Error(ErrorCode::kInvalidArgument, "there is no campaign in this results file yet; `assay bench` adds one",
                database.file().string());
  }
  Statement matching(database, "SELECT id FROM campaign WHERE substr(id, 1, length(?1)) = ?1 ORDER BY rowid DESC");
  matching.bind(0, beginning);
  std::vector<std::string> found;
  while (matching.step()) found.push_back(matching.text(0));
  if (found.size() == 1 || std::find(found.begin(), found.end(), beginning) != found.end()) {
    return found.size() == 1 ? found.front() : beginning;
  }
  std::vector<std::string> near = found;
  if (near.empty()) {
    Statement newest(database, "SELECT id FROM campaign ORDER BY rowid DESC LIMIT 5");
    while (newest.step()) near.push_back(newest.text(0));
  }
  throw Error(ErrorCode::kInvalidArgument,
              found.empty() ? fmt::format("there is no campaign '{}' in this results file; the newest are: {}",
                                          beginning, near.empty() ? "none" : fmt::format("{}", fmt::join(near, ", ")))
                            : fmt::format("'{}' is the beginning of several campaigns: {}; give more of the id",
                                          beginning, fmt::join(near, ", ")),
              database.file().string());
}

std::vector<CampaignSummary> Store::list() const {
  std::vector<CampaignSummary> campaigns;
  Statement s(impl_->database,
              "SELECT id, started, finished, version, command, effort, "
              "(SELECT value FROM environment WHERE environment.campaign_id = campaign.id AND key = 'placed.step'), "
              "(SELECT count(*) FROM plan WHERE plan.campaign_id = campaign.id), "
              "(SELECT count(*) FROM outcome WHERE outcome.campaign_id = campaign.id AND state = 'measured'), "
              "(SELECT count(*) FROM outcome WHERE outcome.campaign_id = campaign.id AND state = 'skipped'), "
              "(SELECT count(*) FROM outcome WHERE outcome.campaign_id = campaign.id AND state = 'failed') "
              "FROM campaign ORDER BY rowid DESC");
  while (s.step()) {
    campaigns.push_back({s.text(0), s.text(1), s.text(2), s.text(3), s.text(4), s.text(5), s.text(6),
                         static_cast<int>(s.integer(7)), static_cast<int>(s.integer(8)), static_cast<int>(s.integer(9)),
                         static_cast<int>(s.integer(10))});
  }
  return campaigns;
}

Campaign Store::load(const std::string& id) const { return impl_->read_campaign(impl_->full_id(id)); }

std::vector<PendingProcess> Store::pending(const std::string& campaign_id) const {
  const Database& db = impl_->database;
  std::vector<PendingProcess> all;
  Statement s(db,
              "SELECT id, case_key, twin, process, kept, noise, texts FROM pending_process WHERE campaign_id = ? "
              "ORDER BY id");
  Statement samples(db, "SELECT name, data FROM pending_sample WHERE process_id = ?");
  s.bind(0, campaign_id);
  while (s.step()) {
    PendingProcess p;
    p.case_key = s.text(1);
    p.twin = s.integer(2) != 0;
    p.samples.process = static_cast<int>(s.integer(3));
    p.samples.kept = s.integer(4) != 0;
    p.samples.noise = s.text(5);
    const nlohmann::json texts = parse_json(s.text(6), db.file().string());
    for (const auto& [key, value] : texts.items()) {
      if (value.is_string()) p.texts[key] = value.get<std::string>();
    }
    samples.bind(0, s.integer(0));
    while (samples.step()) p.samples.values[samples.text(0)] = doubles(samples.blob(1));
    samples.reset();
    all.push_back(std::move(p));
  }
  return all;
}

std::optional<std::string> Store::newest_unfinished() const {
  Statement s(impl_->database, "SELECT id FROM campaign WHERE finished = '' ORDER BY rowid DESC LIMIT 1");
  if (!s.step()) return std::nullopt;
  return s.text(0);
}

std::optional<Store::Earlier> Store::newest(const std::string& case_key, const std::map<std::string, std::string>& same,
                                            const std::string& version, Quality quality) const {
  std::string text =
      "SELECT id, case_json, state, phase, reason, backend_version, campaign_id FROM outcome WHERE case_key = ?";
  if (quality == Quality::kSound) {
    text +=
        " AND state = 'measured'"
        " AND NOT EXISTS (SELECT 1 FROM process WHERE outcome_id = outcome.id AND kept = 1 AND noise <> '')";
  }
  for (const auto& [key, value] : same) {
    text += fmt::format(
        " AND {}EXISTS (SELECT 1 FROM environment WHERE environment.campaign_id = outcome.campaign_id"
        " AND environment.key = ?{})",
        value.empty() ? "NOT " : "", value.empty() ? "" : " AND environment.value = ?");
  }
  if (!version.empty()) {
    text += " AND EXISTS (SELECT 1 FROM campaign WHERE campaign.id = outcome.campaign_id AND campaign.version = ?)";
  }
  Statement s(impl_->database, (text + " ORDER BY id DESC LIMIT 1").c_str());
  int place = 0;
  s.bind(place++, case_key);
  for (const auto& [key, value] : same) {
    s.bind(place++, key);
    if (!value.empty()) s.bind(place++, value);
  }
  if (!version.empty()) s.bind(place++, version);
  if (!s.step()) return std::nullopt;
  Earlier earlier{{}, s.text(6)};
  Outcome& o = earlier.outcome;
  o.test_case = read_case(s.text(1), impl_->database);
  o.state = outcome_state_from_string(s.text(2));
  o.phase = s.text(3);
  o.reason = s.text(4);
  o.backend_version = s.text(5);
  o.metrics = read_metrics(impl_->database, s.integer(0));
  return earlier;
}

std::optional<double> Store::typical(const std::string& case_key, const std::string& sample) const {
  Statement s(impl_->database,
              "SELECT sample.data FROM outcome JOIN process ON process.outcome_id = outcome.id "
              "JOIN sample ON sample.process_id = process.id "
              "WHERE outcome.case_key = ? AND sample.name = ? ORDER BY process.id DESC LIMIT 5");
  s.bind(0, case_key).bind(1, sample);
  std::vector<double> values;
  while (s.step()) {
    const std::vector<double> of_process = doubles(s.blob(0));
    values.insert(values.end(), of_process.begin(), of_process.end());
  }
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<std::string> Store::environments(const std::string& key, const std::string& same_key,
                                             const std::string& same_value) const {
  Statement s(impl_->database,
              "SELECT wanted.value FROM campaign JOIN environment AS wanted ON wanted.campaign_id = campaign.id "
              "JOIN environment AS same ON same.campaign_id = campaign.id "
              "WHERE wanted.key = ? AND same.key = ? AND same.value = ? ORDER BY campaign.rowid DESC");
  s.bind(0, key).bind(1, same_key).bind(2, same_value);
  std::vector<std::string> values;
  while (s.step()) values.push_back(s.text(0));
  return values;
}

}  // namespace assay::store
