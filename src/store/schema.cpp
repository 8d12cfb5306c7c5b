#include "store/schema.hpp"

#include <fmt/format.h>

#include <array>

#include "assay/error.hpp"

namespace assay::store {
namespace {

/// kMigrations[i] leads from version i to i + 1. What was released is never edited: a new version is a new entry.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {
    R"sql(
CREATE TABLE campaign(
  id TEXT PRIMARY KEY, version TEXT NOT NULL, command TEXT NOT NULL, effort TEXT NOT NULL,
  started TEXT NOT NULL, finished TEXT NOT NULL, seed INTEGER NOT NULL);
CREATE TABLE environment(
  campaign_id TEXT NOT NULL REFERENCES campaign(id), key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(campaign_id, key)) WITHOUT ROWID;
CREATE TABLE warning(
  id INTEGER PRIMARY KEY, campaign_id TEXT NOT NULL REFERENCES campaign(id),
  kind TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL);
CREATE TABLE plan(
  campaign_id TEXT NOT NULL REFERENCES campaign(id), position INTEGER NOT NULL,
  case_key TEXT NOT NULL, case_json TEXT NOT NULL, PRIMARY KEY(campaign_id, position)) WITHOUT ROWID;
CREATE TABLE outcome(
  id INTEGER PRIMARY KEY, campaign_id TEXT NOT NULL REFERENCES campaign(id), case_key TEXT NOT NULL,
  model TEXT NOT NULL, backend TEXT NOT NULL, device TEXT NOT NULL, goal TEXT NOT NULL,
  batch_size INTEGER NOT NULL, in_flight INTEGER NOT NULL, threads INTEGER NOT NULL, precision TEXT NOT NULL,
  case_json TEXT NOT NULL, state TEXT NOT NULL, phase TEXT NOT NULL, reason TEXT NOT NULL,
  backend_version TEXT NOT NULL, in_force TEXT NOT NULL);
CREATE INDEX outcome_by_campaign ON outcome(campaign_id);
CREATE TABLE metric(
  outcome_id INTEGER NOT NULL REFERENCES outcome(id), position INTEGER NOT NULL,
  tag TEXT NOT NULL, unit TEXT NOT NULL, value REAL, low REAL, high REAL, n INTEGER NOT NULL, remark TEXT NOT NULL,
  PRIMARY KEY(outcome_id, position)) WITHOUT ROWID;
CREATE TABLE process(
  id INTEGER PRIMARY KEY, outcome_id INTEGER NOT NULL REFERENCES outcome(id),
  process INTEGER NOT NULL, kept INTEGER NOT NULL, noise TEXT NOT NULL);
CREATE INDEX process_by_outcome ON process(outcome_id);
CREATE TABLE sample(
  process_id INTEGER NOT NULL REFERENCES process(id), name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(process_id, name)) WITHOUT ROWID;
)sql",
    // 2: when an outcome was stored, and what was measured before of a case (for estimates) found by its key.
    R"sql(
ALTER TABLE outcome ADD COLUMN recorded TEXT NOT NULL DEFAULT '';
UPDATE outcome SET recorded = (SELECT CASE finished WHEN '' THEN started ELSE finished END
                               FROM campaign WHERE campaign.id = outcome.campaign_id);
CREATE INDEX outcome_by_case ON outcome(case_key);
)sql",
    // 3: what processes of unfinished cases observed; one outcome a case (of several, two that ran at once had left,
    // the first stays).
    R"sql(
CREATE TABLE pending_process(
  id INTEGER PRIMARY KEY, campaign_id TEXT NOT NULL REFERENCES campaign(id), case_key TEXT NOT NULL,
  twin INTEGER NOT NULL, process INTEGER NOT NULL, kept INTEGER NOT NULL, noise TEXT NOT NULL, texts TEXT NOT NULL);
CREATE INDEX pending_by_case ON pending_process(campaign_id, case_key);
CREATE TABLE pending_sample(
  process_id INTEGER NOT NULL REFERENCES pending_process(id), name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY(process_id, name)) WITHOUT ROWID;
CREATE TEMP TABLE surplus AS SELECT id FROM outcome WHERE id NOT IN
  (SELECT min(id) FROM outcome GROUP BY campaign_id, case_key);
DELETE FROM sample WHERE process_id IN (SELECT id FROM process WHERE outcome_id IN (SELECT id FROM surplus));
DELETE FROM process WHERE outcome_id IN (SELECT id FROM surplus);
DELETE FROM metric WHERE outcome_id IN (SELECT id FROM surplus);
DELETE FROM outcome WHERE id IN (SELECT id FROM surplus);
DROP TABLE surplus;
CREATE UNIQUE INDEX outcome_once ON outcome(campaign_id, case_key);
)sql",
};

[[noreturn]] void refuse(const Database& database, const std::string& why) {
  throw Error(ErrorCode::kIo, why, database.file().string());
}

}  // namespace

int check_schema(const Database& database) {
  const auto version = database.pragma("user_version");
  if (version == 0) {
    Statement tables(database, "SELECT count(*) FROM sqlite_master");
    tables.step();
    if (tables.integer(0) == 0) return 0;
  }
  if (database.pragma("application_id") != kApplicationId) {
    refuse(database,
           "this is an SQLite file, but not one of Assay's; give a results file with --db FILE or ASSAY_DB (a new one "
           "is created)");
  }
  if (version > kSchemaVersion) {
    refuse(database, fmt::format("this results file has schema {}, and this version of Assay knows up to {}; use a "
                                 "newer Assay, or give another file with --db FILE or ASSAY_DB",
                                 version, kSchemaVersion));
  }
  return static_cast<int>(version);
}

void migrate(const Database& database) {
  if (check_schema(database) == kSchemaVersion) return;
  Transaction transaction(database);
  // Again, now that nobody else can be at it.
  for (int version = check_schema(database); version < kSchemaVersion; ++version) {
    database.execute(kMigrations[static_cast<std::size_t>(version)]);
  }
  database.execute(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kSchemaVersion).c_str());
  transaction.commit();
}

}  // namespace assay::store
