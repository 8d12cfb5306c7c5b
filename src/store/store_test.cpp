#include "store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "core/json.hpp"
#include "store/campaign_lock.hpp"
#include "store/schema.hpp"

namespace assay::store {
namespace {

using testing::HasSubstr;

Outcome measured(std::int64_t batch) {
  Outcome o;
  o.test_case.model = "tiny-resnet";
  o.test_case.backend = "null";
  o.test_case.batch_size = batch;
  o.test_case.threads = 2;
  o.test_case.shapes["x"] = {1, 3, 8, 8};
  o.state = OutcomeState::kMeasured;
  o.backend_version = "1.2";
  o.in_force = {{"threads", "2"}, {"streams", "1"}};
  o.metrics = {{"throughput", "1/s", 100.0, 90.0, 110.0, 12, ""},
               {"energy.net", "J", std::nullopt, std::nullopt, std::nullopt, 0, "no counter can be read"}};
  o.samples = {{0, false, "steal 9 %", {{"latency", {1e6, 2e6}}}}, {1, true, "", {{"latency", {1.5e6}}, {"none", {}}}}};
  return o;
}

Campaign campaign(const std::string& id) {
  Campaign c;
  c.id = id;
  c.version = "0.1.0";
  c.command = "assay bench tiny-resnet";
  c.effort = "quick";
  c.started = "2026-11-23T02:00:00Z";
  c.seed = std::numeric_limits<std::uint64_t>::max();
  c.environment = {{"cpu.model", "A CPU"}};
  c.warnings = {{"governor", "the governor is powersave", "choose performance"}};
  c.plan = {measured(1).test_case, measured(8).test_case};
  return c;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

sqlite3* raw(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  return db;
}

void execute(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* db = raw(file);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

class StoreTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "sub" / "results.db";
};

TEST_F(StoreTest, GivesBackWhatItWasGiven) {
  Campaign c = campaign("aaaa0001");
  {
    Store store(file_);
    store.begin(c);
    store.add(c.id, measured(1));
    Outcome failed;
    failed.test_case = measured(8).test_case;
    failed.phase = "open";
    failed.reason = "said \xff nothing";
    store.add(c.id, failed);
    store.add_warning(c.id, {"drift", "the control case moved", "run again"});
    store.set_environment(c.id, "noise.floor", "0.02");
    store.set_environment(c.id, "noise.floor", "0.025");
    store.finish(c.id, "2026-11-23T02:10:00Z");
  }
  const Campaign back = Store(file_, Store::Access::kRead).load("");
  c.finished = "2026-11-23T02:10:00Z";
  c.warnings.push_back({"drift", "the control case moved", "run again"});
  c.environment["noise.floor"] = "0.025";
  ASSERT_EQ(back.outcomes.size(), 2U);
  EXPECT_EQ(to_json(back.outcomes[0], true), to_json(measured(1), true));
  EXPECT_EQ(back.outcomes[1].reason, "said \xff nothing");
  EXPECT_EQ(back.outcomes[1].state, OutcomeState::kFailed);
  Campaign head = back;
  head.outcomes.clear();
  EXPECT_EQ(to_json(head, true), to_json(c, true));
}

TEST_F(StoreTest, FindsCampaignsByTheBeginningOfTheirId) {
  Store store(file_);
  EXPECT_THAT(message_of([&] { (void)store.load(""); }), HasSubstr("no campaign in this results file yet"));
  for (const char* id : {"aaaa0001", "aaab0002", "bbbb0003"}) store.begin(campaign(id));
  EXPECT_EQ(store.load("").id, "bbbb0003");
  EXPECT_EQ(store.load("aaab").id, "aaab0002");
  EXPECT_EQ(store.load("aaaa0001").id, "aaaa0001");
  EXPECT_THAT(message_of([&] { (void)store.load("aaa"); }), HasSubstr("aaab0002, aaaa0001; give more"));
  EXPECT_THAT(message_of([&] { (void)store.load("%"); }), HasSubstr("no campaign '%'"));
  EXPECT_EQ(store.newest_unfinished(), "bbbb0003");
  store.finish("bbbb0003", "now");
  EXPECT_EQ(store.newest_unfinished(), "aaab0002");
  store.add("aaaa0001", measured(1));
  const auto list = store.list();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[2].measured, 1);
  EXPECT_EQ(list[2].planned, 2);
}

TEST_F(StoreTest, RefusesAnIdTwice) {
  Store store(file_);
  store.begin(campaign("aaaa0001"));
  EXPECT_THAT(message_of([&] { store.begin(campaign("aaaa0001")); }), HasSubstr("UNIQUE"));
}

TEST_F(StoreTest, ImportsOnceAndRefusesOtherContent) {
  Campaign c = campaign("aaaa0001");
  c.outcomes = {measured(1)};
  Store store(file_);
  EXPECT_TRUE(store.import(c));
  EXPECT_EQ(to_json(store.load("aaaa0001"), true), to_json(c, true));
  EXPECT_FALSE(store.import(c));
  c.outcomes[0].metrics[0].value = 200;
  EXPECT_THAT(message_of([&] { store.import(c); }), HasSubstr("with other content"));
  EXPECT_EQ(store.list().size(), 1U);
  EXPECT_THAT(message_of([&] { store.import(Campaign{}); }), HasSubstr("no campaign id"));
}

TEST_F(StoreTest, RemembersHowLongACaseTookAndTheNoiseFloor) {
  Store store(file_);
  const std::string key = case_key(measured(1).test_case);
  EXPECT_EQ(store.typical(key, "process.wall"), std::nullopt);
  store.begin(campaign("aaaa0001"));
  Outcome o = measured(1);
  o.samples.clear();
  for (const double seconds : {9.0, 1.0, 5.0}) o.samples.push_back({0, true, "", {{"process.wall", {seconds * 1e9}}}});
  store.add("aaaa0001", o);
  EXPECT_EQ(store.typical(key, "process.wall"), 5e9);
  store.set_environment("aaaa0001", "noise.floor", "0.02");
  store.begin(campaign("aaaa0002"));
  store.set_environment("aaaa0002", "noise.floor", "0.03");
  EXPECT_EQ(store.environments("noise.floor", "cpu.model", "A CPU"), (std::vector<std::string>{"0.03", "0.02"}));
  EXPECT_TRUE(store.environments("noise.floor", "cpu.model", "Another").empty());
}

TEST_F(StoreTest, FindsTheNewestOutcomeOfACaseInTheSameEnvironment) {
  Store store(file_);
  const std::string key = case_key(measured(1).test_case);
  EXPECT_FALSE(store.newest(key, {}));
  store.begin(campaign("aaaa0001"));
  store.add("aaaa0001", measured(1));
  store.begin(campaign("aaaa0002"));
  Outcome later = measured(1);
  later.metrics[0].value = 120;
  store.add("aaaa0002", later);
  ASSERT_TRUE(store.newest(key, {{"cpu.model", "A CPU"}}));
  EXPECT_EQ(store.newest(key, {{"cpu.model", "A CPU"}})->outcome.metrics[0].value, 120);
  EXPECT_EQ(store.newest(key, {{"cpu.model", "A CPU"}})->campaign_id, "aaaa0002");
  EXPECT_FALSE(store.newest(key, {{"cpu.model", "Another"}}));
  EXPECT_FALSE(store.newest(case_key(measured(8).test_case), {}));
  EXPECT_TRUE(store.newest(key, {{"cpu.quota", ""}})) << "there is none, and none was asked for";
  EXPECT_FALSE(store.newest(key, {{"cpu.model", ""}}));
  EXPECT_TRUE(store.newest(key, {}, "0.1.0"));
  EXPECT_FALSE(store.newest(key, {}, "0.2.0"));
}

TEST_F(StoreTest, PassesOverOutcomesWhoseProcessesWereDisturbed) {
  Store store(file_);
  const std::string key = case_key(measured(1).test_case);
  store.begin(campaign("aaaa0001"));
  store.add("aaaa0001", measured(1));
  store.begin(campaign("aaaa0002"));
  Outcome later = measured(1);
  later.metrics[0].value = 120;
  later.samples[1].noise = "steal 9 %";
  store.add("aaaa0002", later);
  EXPECT_EQ(store.newest(key, {})->outcome.metrics[0].value, 100);
  EXPECT_EQ(store.newest(key, {}, "", Store::Quality::kAny)->outcome.metrics[0].value, 120);
  later.state = OutcomeState::kFailed;
  later.reason = "out of memory";
  store.begin(campaign("aaaa0003"));
  store.add("aaaa0003", later);
  EXPECT_EQ(store.newest(key, {})->outcome.state, OutcomeState::kMeasured);
  EXPECT_EQ(store.newest(key, {}, "", Store::Quality::kAny)->outcome.reason, "out of memory");
}

TEST_F(StoreTest, MigratesAFileOfTheFirstSchema) {
  std::filesystem::create_directories(file_.parent_path());
  execute(file_, read_file(ASSAY_SOURCE_DIR "/src/store/testdata/results_v1.sql"));
  {
    Store store(file_);
    const Campaign old = store.load("0bad");
    ASSERT_EQ(old.outcomes.size(), 1U);
    EXPECT_EQ(old.outcomes[0].metrics[0].value, 100.5);
    EXPECT_EQ(old.outcomes[0].metrics[1].value, std::nullopt);
    EXPECT_EQ(old.outcomes[0].samples[0].values.at("process.wall"), std::vector<double>{5.0});
    EXPECT_EQ(old.warnings[0].kind, "noisy-neighbour");
    store.begin(campaign("aaaa0001"));
    store.add("aaaa0001", measured(1));
  }
  Database db(file_, Database::Access::kRead);
  EXPECT_EQ(db.pragma("user_version"), kSchemaVersion);
  Statement recorded(db, "SELECT recorded FROM outcome ORDER BY id");
  ASSERT_TRUE(recorded.step());
  EXPECT_EQ(recorded.text(0), "2026-11-01T10:01:00Z");  // an old row takes its campaign's time
}

TEST_F(StoreTest, AReaderMigratesAnOlderFile) {
  std::filesystem::create_directories(file_.parent_path());
  execute(file_, read_file(ASSAY_SOURCE_DIR "/src/store/testdata/results_v1.sql"));
  EXPECT_EQ(Store(file_, Store::Access::kRead).load("0bad").outcomes.size(), 1U);
  EXPECT_EQ(Database(file_, Database::Access::kRead).pragma("user_version"), kSchemaVersion);
}

TEST_F(StoreTest, ACaseHasOneOutcome) {
  std::filesystem::create_directories(file_.parent_path());
  execute(file_, read_file(ASSAY_SOURCE_DIR "/src/store/testdata/results_v1.sql"));
  // Two processes that ran one campaign at once left the case twice, in a file of an older schema.
  execute(file_,
          "CREATE TEMP TABLE t AS SELECT * FROM outcome; UPDATE t SET id = 77; INSERT INTO outcome SELECT * FROM t");
  Store store(file_);
  ASSERT_EQ(store.load("0bad").outcomes.size(), 1U);
  EXPECT_FALSE(store.load("0bad").outcomes[0].metrics.empty());
  store.begin(campaign("aaaa0001"));
  store.add("aaaa0001", measured(1));
  EXPECT_THAT(message_of([&] { store.add("aaaa0001", measured(1)); }), HasSubstr("UNIQUE"));
}

TEST_F(StoreTest, KeepsProcessesOfACaseUntilItHasAnOutcome) {
  const std::string key = case_key(measured(1).test_case);
  {
    Store store(file_);
    store.begin(campaign("aaaa0001"));
    store.begin(campaign("bbbb0001"));
    store.add_process("aaaa0001", {key, false, {0, false, "noisy", {{"window", {3e9}}}}, {{"parity", "against X"}}});
    store.add_process("aaaa0001", {key, true, {1, true, "", {{"finish_ns", {1.0, 2.0}}, {"none", {}}}}, {}});
    store.add_process("aaaa0001", {case_key(measured(8).test_case), false, {0, true, "", {}}, {}});
  }
  Store store(file_);
  EXPECT_TRUE(store.pending("bbbb0001").empty());
  const auto pending = store.pending("aaaa0001");
  ASSERT_EQ(pending.size(), 3U);
  EXPECT_EQ(pending[0].case_key, key);
  EXPECT_FALSE(pending[0].samples.kept);
  EXPECT_EQ(pending[0].samples.noise, "noisy");
  EXPECT_EQ(pending[0].texts.at("parity"), "against X");
  EXPECT_TRUE(pending[1].twin);
  EXPECT_EQ(pending[1].samples.values.at("finish_ns"), (std::vector<double>{1, 2}));
  store.add("aaaa0001", measured(1));
  ASSERT_EQ(store.pending("aaaa0001").size(), 1U);
  EXPECT_EQ(store.pending("aaaa0001")[0].case_key, case_key(measured(8).test_case));
}

TEST_F(StoreTest, ACampaignIsRunByOneProcess) {
  std::filesystem::create_directories(file_.parent_path());
  {
    const CampaignLock running(file_, "aaaa0001");
    EXPECT_THAT(message_of([&] { CampaignLock(file_, "aaaa0001"); }), HasSubstr("run by another process"));
    const CampaignLock other(file_, "bbbb0001");
  }
  const CampaignLock again(file_, "aaaa0001");
}

TEST_F(StoreTest, RefusesANewerSchemaAndLeavesItAlone) {
  {
    Store store(file_);
  }
  execute(file_, "PRAGMA user_version = 99");
  for (const auto access : {Store::Access::kRead, Store::Access::kWrite}) {
    EXPECT_THAT(message_of([&] { Store(file_, access); }),
                HasSubstr("schema 99, and this version of Assay knows up to 3"));
  }
  EXPECT_EQ(Database(file_, Database::Access::kRead).pragma("user_version"), 99);
}

TEST_F(StoreTest, RefusesWhatIsNotSqlite) {
  std::filesystem::create_directories(file_.parent_path());
  const std::string text(5000, 'x');
  write_file_atomically(file_, text);
  EXPECT_THAT(message_of([&] { Store{file_}; }), HasSubstr("not an SQLite file"));
  EXPECT_EQ(read_file(file_), text);
}

TEST_F(StoreTest, RefusesAnotherProgramsDatabase) {
  std::filesystem::create_directories(file_.parent_path());
  execute(file_, "CREATE TABLE songs(name TEXT)");
  EXPECT_THAT(message_of([&] { Store{file_}; }), HasSubstr("not one of Assay's"));
}

TEST_F(StoreTest, SaysWhatToDoWhereThereIsNothingToRead) {
  EXPECT_THAT(message_of([&] { Store(file_, Store::Access::kRead); }), HasSubstr("`assay bench` writes one"));
}

TEST_F(StoreTest, SaysWhatToDoWhereTheFolderCannotBe) {
  write_file_atomically(folder_.path() / "file", "x");
  EXPECT_THAT(message_of([&] { Store{folder_.path() / "file" / "results.db"}; }), HasSubstr("--db FILE or ASSAY_DB"));
  EXPECT_THAT(message_of([&] { Store{folder_.path()}; }), HasSubstr("this is a folder, not a results file"));
  EXPECT_THAT(message_of([&] { Store("/proc/results.db"); }), HasSubstr("cannot be opened or created"));
}

TEST_F(StoreTest, ReadsAReadOnlyFileAndRefusesToWriteIt) {
  {
    Store store(file_);
    store.begin(campaign("aaaa0001"));
  }
  if (geteuid() == 0) {
    // Root writes everywhere, so the file system has to refuse; SQLite's own flag stands in for it.
    Database db(file_, Database::Access::kRead);
    EXPECT_THAT(message_of([&] { db.execute("DELETE FROM campaign"); }), HasSubstr("cannot be written"));
    return;
  }
  std::filesystem::permissions(file_, std::filesystem::perms::owner_read);
  std::filesystem::permissions(file_.parent_path(),
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_EQ(Store(file_, Store::Access::kRead).load("").id, "aaaa0001");
  EXPECT_THAT(message_of([&] { Store{file_}.begin(campaign("aaaa0002")); }), HasSubstr("cannot be written"));
  std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::owner_all);
}

TEST_F(StoreTest, AFullDiskIsSaidSoAndLosesNothing) {
  {
    Store store(file_);
  }
  Store store(file_);
  store.begin(campaign("aaaa0001"));
  store.add("aaaa0001", measured(1));
  // SQLite's page limit answers as a full disk does.
  Database small(file_, Database::Access::kWrite);
  const auto pages = small.pragma("page_count");
  small.execute(("PRAGMA max_page_count = " + std::to_string(pages)).c_str());
  const std::string message = message_of([&] {
    Transaction transaction(small);
    for (int i = 0; i < 200; ++i) {
      Statement(small, "INSERT INTO warning(campaign_id, kind, message, advice) VALUES('aaaa0001', ?, '', '')")
          .bind(0, std::string(1000, 'w'))
          .execute();
    }
    transaction.commit();
  });
  EXPECT_THAT(message, HasSubstr("the disk is full; make room"));
  const Campaign back = store.load("aaaa0001");
  EXPECT_EQ(back.outcomes.size(), 1U);
  EXPECT_EQ(back.warnings.size(), 1U);
}

}  // namespace
}  // namespace assay::store
