#include "store/store.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "core/json.hpp"
#include "store/schema.hpp"
#include "store/store_impl.hpp"

namespace assay::store {
namespace {

/// A reader of an older file brings it to the schema that it reads, by a connection of its own.
void migrate_for_reader(const std::filesystem::path& file, int version) {
  try {
    const Database writable(file, Database::Access::kWrite);
    migrate(writable);
  } catch (const Error& e) {
    throw Error(ErrorCode::kIo,
                fmt::format("this results file has the older schema {}, and it could not be brought to {}: {}; copy it "
                            "to where it can be written, and name the copy with --db FILE",
                            version, kSchemaVersion, e.message()),
                file.string());
  }
}

std::string now_utc() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

}  // namespace

Store::Store(const std::filesystem::path& file, Access access)
    : impl_(
          std::make_unique<Impl>(file, access == Access::kRead ? Database::Access::kRead : Database::Access::kWrite)) {
  const Database& db = impl_->database;
  const int version = check_schema(db);
  if (access == Access::kWrite) {
    db.enable_wal();
    db.execute("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
    migrate(db);
    return;
  }
  if (version == 0) throw Error(ErrorCode::kIo, "this results file is empty; `assay bench` writes one", file.string());
  if (version < kSchemaVersion) migrate_for_reader(file, version);
}

Store::~Store() = default;

const std::filesystem::path& Store::file() const { return impl_->database.file(); }

void Store::Impl::insert_campaign(const Campaign& c) const {
  Statement(database,
            "INSERT INTO campaign(id, version, command, effort, started, finished, seed) VALUES(?,?,?,?,?,?,?)")
      .bind(0, c.id)
      .bind(1, c.version)
      .bind(2, c.command)
      .bind(3, c.effort)
      .bind(4, c.started)
      .bind(5, c.finished)
      .bind(6, static_cast<std::int64_t>(c.seed))
      .execute();
  Statement environment(database, "INSERT INTO environment(campaign_id, key, value) VALUES(?,?,?)");
  for (const auto& [key, value] : c.environment) environment.bind(0, c.id).bind(1, key).bind(2, value).execute();
  for (const Warning& warning : c.warnings) insert_warning(c.id, warning);
  Statement plan(database, "INSERT INTO plan(campaign_id, position, case_key, case_json) VALUES(?,?,?,?)");
  for (std::size_t i = 0; i < c.plan.size(); ++i) {
    plan.bind(0, c.id)
        .bind(1, static_cast<std::int64_t>(i))
        .bind(2, case_key(c.plan[i]))
        .bind(3, to_json(c.plan[i]).dump())
        .execute();
  }
}

void Store::Impl::insert_warning(const std::string& campaign_id, const Warning& warning) const {
  Statement(database, "INSERT INTO warning(campaign_id, kind, message, advice) VALUES(?,?,?,?)")
      .bind(0, campaign_id)
      .bind(1, warning.kind)
      .bind(2, warning.message)
      .bind(3, warning.advice)
      .execute();
}

namespace {

void insert_row(const Database& db, const std::string& campaign_id, const Outcome& o) {
  const Case& c = o.test_case;
  Statement(db,
            "INSERT INTO outcome(campaign_id, case_key, model, backend, device, goal, batch_size, in_flight, threads, "
            "precision, case_json, state, phase, reason, backend_version, in_force, recorded) "
            "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
      .bind(0, campaign_id)
      .bind(1, case_key(c))
      .bind(2, c.model)
      .bind(3, c.backend)
      .bind(4, c.device)
      .bind(5, to_string(c.goal))
      .bind(6, c.batch_size)
      .bind(7, std::int64_t{c.in_flight})
      .bind(8, std::int64_t{c.threads})
      .bind(9, to_string(c.precision))
      .bind(10, to_json(c).dump())
      .bind(11, to_string(o.state))
      .bind(12, o.phase)
      .bind(13, o.reason)
      .bind(14, o.backend_version)
      .bind(15, nlohmann::json(o.in_force).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .bind(16, now_utc())
      .execute();
}

void insert_metrics(const Database& db, std::int64_t outcome, const std::vector<Metric>& metrics) {
  Statement insert(db,
                   "INSERT INTO metric(outcome_id, position, tag, unit, value, low, high, n, remark) "
                   "VALUES(?,?,?,?,?,?,?,?,?)");
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Metric& m = metrics[i];
    insert.bind(0, outcome)
        .bind(1, static_cast<std::int64_t>(i))
        .bind(2, m.tag)
        .bind(3, m.unit)
        .bind(4, m.value)
        .bind(5, m.low)
        .bind(6, m.high)
        .bind(7, m.n)
        .bind(8, m.remark)
        .execute();
  }
}

void insert_samples(Statement& insert, std::int64_t process, const ProcessSamples& samples) {
  for (const auto& [name, values] : samples.values) {
    insert.bind(0, process).bind(1, name).bind_blob(2, std::as_bytes(std::span(values))).execute();
  }
}

void insert_processes(const Database& db, std::int64_t outcome, const std::vector<ProcessSamples>& processes) {
  Statement process(db, "INSERT INTO process(outcome_id, process, kept, noise) VALUES(?,?,?,?)");
  Statement sample(db, "INSERT INTO sample(process_id, name, data) VALUES(?,?,?)");
  for (const ProcessSamples& p : processes) {
    process.bind(0, outcome).bind(1, std::int64_t{p.process}).bind(2, std::int64_t{p.kept}).bind(3, p.noise).execute();
    insert_samples(sample, db.last_insert_id(), p);
  }
}

void delete_pending(const Database& db, const std::string& campaign_id, const std::string& key) {
  for (const char* sql : {"DELETE FROM pending_sample WHERE process_id IN "
                          "(SELECT id FROM pending_process WHERE campaign_id = ? AND case_key = ?)",
                          "DELETE FROM pending_process WHERE campaign_id = ? AND case_key = ?"}) {
    Statement(db, sql).bind(0, campaign_id).bind(1, key).execute();
  }
}

}  // namespace

void Store::Impl::insert_outcome(const std::string& campaign_id, const Outcome& outcome) const {
  insert_row(database, campaign_id, outcome);
  const std::int64_t id = database.last_insert_id();
  insert_metrics(database, id, outcome.metrics);
  insert_processes(database, id, outcome.samples);
}

void Store::begin(const Campaign& campaign) {
  Transaction transaction(impl_->database);
  impl_->insert_campaign(campaign);
  transaction.commit();
}

void Store::add(const std::string& campaign_id, const Outcome& outcome) {
  Transaction transaction(impl_->database);
  impl_->insert_outcome(campaign_id, outcome);
  delete_pending(impl_->database, campaign_id, case_key(outcome.test_case));
  transaction.commit();
}

void Store::add_process(const std::string& campaign_id, const PendingProcess& process) {
  const Database& db = impl_->database;
  Transaction transaction(db);
  Statement(db,
            "INSERT INTO pending_process(campaign_id, case_key, twin, process, kept, noise, texts) "
            "VALUES(?,?,?,?,?,?,?)")
      .bind(0, campaign_id)
      .bind(1, process.case_key)
      .bind(2, std::int64_t{process.twin})
      .bind(3, std::int64_t{process.samples.process})
      .bind(4, std::int64_t{process.samples.kept})
      .bind(5, process.samples.noise)
      .bind(6, nlohmann::json(process.texts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .execute();
  const std::int64_t id = db.last_insert_id();
  Statement sample(db, "INSERT INTO pending_sample(process_id, name, data) VALUES(?,?,?)");
  insert_samples(sample, id, process.samples);
  transaction.commit();
}

void Store::add_warning(const std::string& campaign_id, const Warning& warning) {
  impl_->insert_warning(campaign_id, warning);
}

void Store::set_environment(const std::string& campaign_id, const std::string& key, const std::string& value) {
  Statement(impl_->database, "INSERT OR REPLACE INTO environment(campaign_id, key, value) VALUES(?,?,?)")
      .bind(0, campaign_id)
      .bind(1, key)
      .bind(2, value)
      .execute();
}

void Store::finish(const std::string& campaign_id, const std::string& when) {
  Statement(impl_->database, "UPDATE campaign SET finished = ? WHERE id = ?")
      .bind(0, when)
      .bind(1, campaign_id)
      .execute();
}

bool Store::import(const Campaign& campaign) {
  if (campaign.id.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "the bundle has no campaign id; export it again with `assay results export`");
  }
  Transaction transaction(impl_->database);
  Statement there(impl_->database, "SELECT count(*) FROM campaign WHERE id = ?");
  there.bind(0, campaign.id);
  there.step();
  if (there.integer(0) != 0) {
    if (to_json(impl_->read_campaign(campaign.id), true) == to_json(campaign, true)) return false;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("campaign {} is in the results file already, with other content; import the bundle into "
                            "another file with --db FILE",
                            campaign.id),
                file().string());
  }
  impl_->insert_campaign(campaign);
  for (const Outcome& outcome : campaign.outcomes) impl_->insert_outcome(campaign.id, outcome);
  transaction.commit();
  return true;
}

std::filesystem::path default_results_file() {
  const char* file = std::getenv("ASSAY_DB");
  if (file != nullptr && *file != '\0') return file;
  return user_data_folder() / "results.db";
}

}  // namespace assay::store
