#include "cli/stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/assay.hpp"
#include "base/file.hpp"
#include "measure/environment.hpp"
#include "runner/fake_launcher.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSearch = "5ea2c400";

class StoredResultsTest : public testing::Test {
 protected:
  StoredResultsTest() {
    settings_.effort = measure::effort_by_name("quick");
    settings_.models = [](const Case&) {
      runner::ModelFacts facts;
      facts.hash = "0123";
      return facts;
    };
    context_.launcher = &launcher_;
    context_.stop = &stop_;
  }
  static Case asked(std::int64_t batch) {
    Case c;
    c.model = "m";
    c.backend = "x";
    c.batch_size = batch;
    return c;
  }
  /// As a campaign of that search measured it ("": of none) on this machine.
  void stored(std::int64_t batch, const std::string& search, const std::string& noise = "",
              OutcomeState state = OutcomeState::kMeasured) {
    begin(search);
    add(batch, noise, state);
  }
  /// The last that was begun.
  void add(std::int64_t batch, const std::string& noise = "", OutcomeState state = OutcomeState::kMeasured) {
    add(asked(batch), noise, state);
  }
  void add(const Case& c, const std::string& noise = "", OutcomeState state = OutcomeState::kMeasured) {
    Outcome o;
    o.test_case = c;
    o.state = state;
    o.samples = {{0, true, noise, {}}};
    store_.add(last_, o);
  }
  void begin(const std::string& search, const std::map<std::string, std::string>& otherwise = {}) {
    Campaign c;
    c.id = "c0de000" + std::to_string(campaigns_++);
    c.version = version();
    c.environment = measure::read_environment().values;
    c.environment["effort.window_ms"] = "3000";
    c.environment["version.x"] = launcher_.version;
    c.environment["model.sha256.m"] = "0123";
    if (!search.empty()) c.environment[kSearchIdKey] = search;
    for (const auto& [key, value] : otherwise) c.environment[key] = value;
    store_.begin(c);
    last_ = c.id;
  }
  StoredResults results(const std::string& search) { return {settings_, store_, context_, search}; }

  TemporaryFolder folder_;
  store::Store store_{folder_.path() / "results.db"};
  runner::RunSettings settings_;
  FakeClock clock_;
  runner::FakeLauncher launcher_{clock_};
  std::atomic<bool> stop_{false};
  Context context_;
  int campaigns_ = 0;
  std::string last_;
};

TEST_F(StoredResultsTest, ASearchTakesItsOwnWhateverDisturbedThemAndOthersWhereNothingDid) {
  stored(1, "", "steal 9 %");
  stored(2, "");
  stored(3, kSearch, "steal 9 %");
  stored(4, kSearch, "", OutcomeState::kFailed);
  stored(5, "", "", OutcomeState::kFailed);
  StoredResults own = results(kSearch);
  EXPECT_FALSE(own.find(asked(1)));
  EXPECT_TRUE(own.find(asked(2)));
  ASSERT_TRUE(own.find(asked(3)));
  ASSERT_TRUE(own.find(asked(4)));
  EXPECT_EQ(own.find(asked(4))->state, OutcomeState::kFailed) << "it is not tried again";
  EXPECT_FALSE(own.find(asked(5)));
  StoredResults new_one = results("another");
  for (const std::int64_t batch : {1, 3, 4, 5}) EXPECT_FALSE(new_one.find(asked(batch))) << batch;
  EXPECT_TRUE(new_one.find(asked(2)));
}

TEST_F(StoredResultsTest, SaysWhatItUsedAndWhatItRefused) {
  stored(1, "", "steal 9 %");
  stored(2, "");
  stored(3, kSearch, "steal 9 %");
  stored(4, kSearch);
  StoredResults own = results(kSearch);
  EXPECT_EQ(own.account(), "");
  for (const std::int64_t batch : {1, 2, 3, 4, 5}) (void)own.find(asked(batch));
  EXPECT_THAT(
      own.account(),
      AllOf(HasSubstr("not measured again: 2 cases of this search, 1 of them "
                      "disturbed by other programs"),
            HasSubstr("1 case of other campaigns; measured again: 1 case of other campaigns that other programs "
                      "disturbed")));
  EXPECT_EQ(own.account(), "") << "once";
}

TEST_F(StoredResultsTest, AskedWhetherItFailedNothingCountsAsUsedOrRefused) {
  stored(1, "", "steal 9 %");
  stored(2, "", "", OutcomeState::kFailed);
  stored(3, kSearch, "steal 9 %");
  stored(4, kSearch, "", OutcomeState::kFailed);
  StoredResults own = results(kSearch);
  for (const std::int64_t batch : {1, 2, 3, 5}) EXPECT_FALSE(own.failed_before(asked(batch))) << batch;
  EXPECT_TRUE(own.failed_before(asked(4)));
  EXPECT_EQ(own.account(), "");
}

TEST_F(StoredResultsTest, WhatIsComparedIsOfOneCampaign) {
  const std::vector<Case> pairs = {asked(1), asked(2), asked(3)};
  begin("");
  add(1);
  add(2);
  stored(3, "");
  StoredResults of_two = results(kSearch);
  for (const Case& c : pairs) EXPECT_TRUE(of_two.find(c));
  (void)of_two.account();
  EXPECT_TRUE(of_two.find_together(pairs).empty());
  EXPECT_EQ(of_two.account(), "") << "none was used";
  begin("");
  for (const std::int64_t batch : {1, 2, 3}) add(batch);
  StoredResults of_one = results(kSearch);
  EXPECT_EQ(of_one.find_together(pairs).size(), 3U);
  EXPECT_THAT(of_one.account(), HasSubstr("not measured again: 3 cases of other campaigns"));
  EXPECT_TRUE(of_one.find_together({asked(1), asked(4)}).empty()) << "one was never measured";
}

TEST_F(StoredResultsTest, OfACaseOnTwoEnginesEachIsToBeAsItWas) {
  Case both = asked(1);
  both.backend = "x+y";
  begin("", {{"version.y", "0.9"}});
  add(both);
  EXPECT_FALSE(results(kSearch).find(both));
  begin("", {{"version.y", launcher_.version}});
  add(both);
  EXPECT_EQ(results(kSearch).find_together({both}).size(), 1U);
  launcher_.missing = {"y"};
  EXPECT_FALSE(results(kSearch).find(both));
}

TEST_F(StoredResultsTest, OfAnEngineThatIsGoneOnlyThatItWasNotThereIsTaken) {
  stored(1, kSearch);
  stored(2, kSearch, "", OutcomeState::kSkipped);
  launcher_.missing = {"x"};
  StoredResults own = results(kSearch);
  EXPECT_FALSE(own.find(asked(1)));
  EXPECT_TRUE(own.find(asked(2)));
}

TEST_F(StoredResultsTest, AnotherVersionOfTheEngineIsAnotherResult) {
  stored(1, kSearch);
  launcher_.version = "2.0";
  EXPECT_FALSE(results(kSearch).find(asked(1)));
}

TEST_F(StoredResultsTest, WhatWasMeasuredElsewhereOrOtherwiseIsAnotherResult) {
  for (const auto& [key, value] : std::map<std::string, std::string>{{"host.name", "elsewhere"},
                                                                     {"cpu.model", "Another CPU"},
                                                                     {"cpu.allowed", "1000"},
                                                                     {"cpu.affinity", "1000"},
                                                                     {"cpu.quota", "0.12"},
                                                                     {"memory.total", "1"},
                                                                     {"library.sha256.x", "4567"},
                                                                     {"model.sha256.m", "4567"},
                                                                     {"effort.window_ms", "50"}}) {
    begin(kSearch, {{key, value}});
    add(1);
    EXPECT_FALSE(results(kSearch).find(asked(1))) << key;
    EXPECT_FALSE(results("another").find(asked(1))) << key;
  }
  stored(1, kSearch);
  EXPECT_TRUE(results(kSearch).find(asked(1)));
  EXPECT_TRUE(results("another").find(asked(1)));
}

}  // namespace
}  // namespace assay::cli
