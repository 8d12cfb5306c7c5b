// Members whose threads are divided by what they are measured to cost: `concurrent`, and the costs that the cache
// keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/ensemble/load.hpp"
#include "engine/testing/loading.hpp"

namespace assay::engine {
namespace {

using testing::ElementsAre;

class LoadingByCostTest : public LoadingTest {};

TEST_F(LoadingByCostTest, ThreadsOfMembersOwnKeepTheBudgetWhereTheyAreDividedAnewByCost) {
  struct Row {
    int light, heavy;  ///< their own; 0: the strategy's
    const char* threads_of_light;
    const char* threads_of_heavy;
  };
  // By measured cost alone: 1 and 4.
  for (const Row& row : {Row{3, 0, "3", "2"}, Row{0, 2, "3", "2"}, Row{2, 2, "2", "2"}}) {
    SCOPED_TRACE(testing::Message() << row.light << ", " << row.heavy);
    Ensemble e = uneven();
    e.members[0].threads = row.light;
    e.members[1].threads = row.heavy;
    const auto in_force = assay::load(e, {.backend = "null", .batch_size = 1, .threads = 5}).in_force();
    EXPECT_EQ(in_force.at("light.threads"), row.threads_of_light);
    EXPECT_EQ(in_force.at("heavy.threads"), row.threads_of_heavy);
  }
}

TEST_F(LoadingByCostTest, ConcurrentDividesTheThreadsByMeasuredCost) {
  Session session = assay::load(uneven(), {.backend = "null", .batch_size = 1, .threads = 4});
  const auto plan = nlohmann::json::parse(session.report("plan"));
  EXPECT_EQ(plan["members"][0]["threads"], 1);
  EXPECT_EQ(plan["members"][1]["threads"], 3);
  const auto in_force = session.in_force();
  EXPECT_EQ(in_force.at("light.threads"), "1");
  EXPECT_EQ(in_force.at("heavy.threads"), "3");
  EXPECT_EQ(session.predict(test::random_tensor(DType::kFloat32, {3, 4}, 1).view()).at(0).shape().at(0), 3);
}

TEST_F(LoadingByCostTest, CostsThatTheCacheKeptDivideTheThreadsAtTheFirstLoad) {
  std::vector<std::string> begun;
  LoadSettings settings;
  settings.members.begin = [&](const std::string& member) { begun.push_back(member); };
  Params params{.backend = "null", .batch_size = 1, .threads = 4, .cache = folder_.path() / "cache"};
  const auto expect = [&](const char* what, const Ensemble& e, const char* heavy, bool kept) {
    SCOPED_TRACE(what);
    begun.clear();
    const Session session = engine::load(e, params, settings);
    EXPECT_EQ(session.in_force().at("heavy.threads"), heavy);
    EXPECT_EQ(begun.size(), kept ? 2U : 4U);
    EXPECT_EQ(session.from_cache(), kept);
    const bool measured = session.cache_remark().find("costs were measured, and are kept now") != std::string::npos;
    EXPECT_EQ(measured, !kept) << session.cache_remark();
  };
  const Ensemble e = uneven();
  expect("first", e, "3", false);
  expect("again", e, "3", true);
  Ensemble other = e;
  std::swap(other.members[0].options, other.members[1].options);
  expect("other options", other, "1", false);
  params.batch_size = 2;
  expect("other batch", e, "3", false);
  params.batch_size = 1;
  expect("the first again", e, "3", true);
  std::filesystem::remove_all(params.cache / "costs");  // the graphs alone
  expect("without costs", e, "3", false);
}

TEST_F(LoadingByCostTest, CostsAreKeptByWhichMembersShareASession) {
  const Params params{.backend = "null", .batch_size = 1, .threads = 1, .cache = folder_.path() / "cache"};
  Ensemble e = uneven();
  e.members.push_back(e.members[0]);
  e.members[2].name = "third";
  for (const std::size_t twin : {0, 1}) {
    e.members[2].options = e.members[twin].options;
    EXPECT_FALSE(assay::load(e, params).from_cache()) << twin;
    EXPECT_TRUE(assay::load(e, params).from_cache()) << twin;
  }
}

TEST_F(LoadingByCostTest, WhereCostsWereKeptNothingIsComputed) {
  Ensemble e = uneven();
  e.members[0].options["fail_at"] = "run:3";  // of a session, which two batches are tried with
  const Params params{.backend = "null", .batch_size = 1, .threads = 2, .cache = folder_.path() / "cache"};
  const Tensor x = test::random_tensor(DType::kFloat32, {1, 4}, 1);
  {
    Session tried = assay::load(e, params);
    EXPECT_THROW((void)tried.predict(x.view()), Error);
  }
  Session kept = assay::load(e, params);
  EXPECT_NO_THROW((void)kept.predict(x.view()));
  EXPECT_NO_THROW((void)kept.predict(x.view()));
  EXPECT_THROW((void)kept.predict(x.view()), Error);
}

TEST_F(LoadingByCostTest, WhoListensHearsOfEachLoadInTurn) {
  std::vector<std::string> heard;
  LoadSettings settings;
  settings.members = {.begin = [&](const std::string& member) { heard.push_back("begin " + member); },
                      .end = [&](const std::string& member) { heard.push_back("end " + member); }};
  (void)engine::load(uneven(), {.backend = "null", .batch_size = 1, .threads = 2}, settings);
  EXPECT_THAT(heard, ElementsAre("begin light", "end light", "begin heavy", "end heavy"));
  heard.clear();
  // With threads to divide anew, a second time.
  (void)engine::load(uneven(), {.backend = "null", .batch_size = 1, .threads = 4}, settings);
  EXPECT_THAT(heard, ElementsAre("begin light", "end light", "begin heavy", "end heavy",  //
                                 "begin light", "end light", "begin heavy", "end heavy"));
}

}  // namespace
}  // namespace assay::engine
