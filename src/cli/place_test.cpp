// What is said of the campaign that verifies a search's plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "cli/placing_fixture.hpp"
#include "core/search.hpp"
#include "report/format.hpp"
#include "tune/place.hpp"
#include "tune/place_cases.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Matcher;
using testing::Not;

/// A plan's throughput with its interval; 0: it failed.
struct Rated {
  const char* strategy;
  double rate, low, high;
  const char* noise = "";  ///< of its process
};

Campaign verified(const std::vector<Rated>& plans, bool whole) {
  Campaign campaign;
  campaign.id = "0badcafe";
  campaign.environment[kSearchKey] = to_text({{"a", "b"}, {}, {}});
  for (const Rated& plan : plans) {
    Outcome o;
    o.test_case.model = "a+b";
    o.test_case.backend = "x";
    o.test_case.strategy = plan.strategy;
    if (plan.rate > 0) {
      o.state = OutcomeState::kMeasured;
      o.metrics.push_back({"throughput", "1/s", plan.rate, plan.low, plan.high, 1, ""});
      o.samples.push_back({0, true, plan.noise, {}});
    }
    campaign.plan.push_back(o.test_case);
    campaign.outcomes.push_back(std::move(o));
  }
  if (!whole) campaign.outcomes.pop_back();
  return campaign;
}

TEST(PlacingVerdict, SaysWhoWonOrThatItCannotBeTold) {
  struct Row {
    const char* what;
    std::vector<Rated> plans;
    bool whole;
    Matcher<std::string> said;
  };
  const std::vector<Row> rows = {
      {"one ahead",
       {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}},
       true,
       AllOf(HasSubstr("use merged on x"), HasSubstr("ahead of all others"))},
      {"a tie",
       {{"pipelined", 8, 7, 9}, {"merged", 9, 8, 10}, {"sequential", 1, 1, 1}},
       true,
       AllOf(HasSubstr("merged on x came out first"), HasSubstr("cannot be told from pipelined on x"),
             Not(HasSubstr("sequential")))},
      {"one failed",
       {{"pipelined", 5, 4, 6}, {"merged", 0, 0, 0}},
       true,
       AllOf(HasSubstr("use pipelined on x"),
             HasSubstr("the only one that could be measured; not measured, as the rows say: merged on x; the study's "
                       "way (sequential) was not measured: on no one engine and device"),
             Not(HasSubstr("ahead")))},
      {"one alone, which is the study's way",
       {{"sequential", 5, 4, 6}},
       true,
       AllOf(HasSubstr("the only one that could be measured."), Not(HasSubstr("rows")))},
      {"the study's way failed",
       {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}, {"sequential", 0, 0, 0}},
       true,
       AllOf(HasSubstr("ahead of all others that were measured beside it; not measured, as the rows say: "
                       "sequential on x."),
             Not(HasSubstr("no one engine and device")))},
      {"two failed amid a tie",
       {{"pipelined", 8, 7, 9}, {"merged", 9, 8, 10}, {"concurrent", 0, 0, 0}, {"sequential", 0, 0, 0}},
       true,
       HasSubstr("cannot be told from pipelined on x; not measured, as the rows say: concurrent on x and sequential on "
                 "x.")},
      {"the study's way was none",
       {{"pipelined", 5, 4, 6}, {"concurrent", 9, 8, 10}},
       true,
       HasSubstr("ahead of all others that were measured beside it; the study's way (sequential) was not measured: on "
                 "no one engine and device could all members be measured at this batch.")},
      {"all were measured", {{"pipelined", 5, 4, 6}, {"sequential", 9, 8, 10}}, true, Not(HasSubstr("not measured"))},
      {"disturbed",
       {{"pipelined", 5, 4, 6, "steal 9 %"}, {"merged", 9, 8, 10}},
       true,
       AllOf(HasSubstr("ahead of all others"), HasSubstr("other programs disturbed these processes"))},
      {"all failed", {{"pipelined", 0, 0, 0}}, true, HasSubstr("None of the plans")},
      {"interrupted",
       {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}},
       false,
       HasSubstr("assay bench --resume 0badcafe goes on")},
  };
  for (const Row& row : rows) {
    const Campaign campaign = verified(row.plans, row.whole);
    EXPECT_THAT(placing_verdict(campaign), row.said) << row.what;
    EXPECT_EQ(document_of(campaign).recommendation.because, placing_verdict(campaign)) << row.what;
  }
}

/// What --dry-run says of a placement.
struct DryPlaced {
  int status = 0;
  std::string out, err;
};

DryPlaced dry_placed(const BenchPlan& plan, const runner::RunSettings& settings,
                     const std::set<std::string>& missing = {}) {
  FakeClock clock;
  runner::FakeLauncher launcher{clock};
  launcher.missing = missing;
  const std::atomic<bool> stop{false};
  std::ostringstream out, err;
  Context context;
  context.out = &out;
  context.err = &err;
  context.launcher = &launcher;
  context.stop = &stop;
  const int status = dry_place({}, plan, settings, nullptr, context);
  return {status, out.str(), err.str()};
}

runner::RunSettings settings_of_any_model() {
  runner::RunSettings settings;
  settings.effort = measure::effort_by_name("quick");
  settings.models = [](const Case&) { return runner::ModelFacts{}; };
  return settings;
}

/// The last line at an effort, as it was before it was wrapped.
std::string foreseen(const measure::Effort& effort, std::chrono::seconds& estimated) {
  const BenchPlan plan = plan_to_place();
  runner::RunSettings settings = settings_of_any_model();
  settings.effort = effort;
  tune::PlaceRequest request;
  request.ensemble = plan.cases[0];
  request.backends = {"x", "y"};
  const tune::Foreseen cases = tune::foreseen(request);
  measure::Effort verifying = effort;
  verifying.processes = std::max(effort.processes, 3);
  estimated = runner::estimate(cases.pairs, effort, settings.models, {}) +
              runner::estimate(cases.plans, verifying, settings.models, {});
  const DryPlaced said = dry_placed(plan, settings);
  EXPECT_EQ(said.status, kOk) << said.err;
  const std::string text = std::regex_replace(said.out, std::regex("\\s+"), " ");
  return text.substr(text.rfind(" then at most"));
}

TEST(PlacingVerdict, ATieHasTheCommandThatMayDecideWhereThereIsMoreEffort) {
  Campaign campaign = verified({{"pipelined", 8, 7, 9}, {"merged", 9, 8, 10}, {"sequential", 1, 1, 1}}, true);
  tune::PlaceRequest request;
  request.ensemble.model = "a+b";
  request.ensemble.batch_size = 8;
  request.ensemble.threads = 2;
  request.ensemble.strategy = kPlaced;
  request.backends = {"x", "y"};
  campaign.environment[kPlacedRequests] = tune::to_text({request});
  campaign.effort = "quick";
  EXPECT_THAT(placing_verdict(campaign),
              HasSubstr("cannot be told from pipelined on x; this may decide: assay bench a+b --backend x,y "
                        "--batch-size 8 --threads 2 --strategy placed --for throughput --effort standard"));
  campaign.effort = "rigorous";
  EXPECT_THAT(placing_verdict(campaign), HasSubstr("cannot be told from pipelined on x."));
  campaign.effort = "quick";
  request.all_backends = true;  // perhaps not all are here, and by name that would be a failure
  campaign.environment[kPlacedRequests] = tune::to_text({request});
  EXPECT_THAT(placing_verdict(campaign), HasSubstr("assay bench a+b --backend all --batch-size 8"));
}

TEST(PlacingVerdict, NamesThePlansThatFailedInEarlierCampaigns) {
  PlacedSearch search{{"a", "b"}, {}, {}};
  search.failed.resize(2);
  for (Case& c : search.failed) c.model = "a+b";
  search.failed[0].backend = "x";
  search.failed[0].strategy = "concurrent";
  search.failed[1].strategy = kPlaced;
  search.failed[1].placement = {"pipelined", {{"x", 0}, {"y", 4}}};
  const char* said =
      "; not measured in earlier campaigns of this search, as their rows say: concurrent on x and pipelined: a on x, "
      "b on y in batches of 4.";
  for (const std::vector<Rated>& plans : {std::vector<Rated>{{"merged", 5, 4, 6}, {"sequential", 9, 8, 10}},
                                          {{"merged", 8, 7, 9}, {"sequential", 9, 8, 10}},
                                          {{"sequential", 9, 8, 10}},
                                          {{"sequential", 0, 0, 0}}}) {
    Campaign campaign = verified(plans, true);
    campaign.environment[kSearchKey] = to_text(search);
    EXPECT_THAT(placing_verdict(campaign), HasSubstr(said));
  }
}

TEST(PlacingCode, LoadsWhatCameOutFirst) {
  const std::vector<Rated> plans = {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}};
  EXPECT_THAT(document_of(verified(plans, true)).code, HasSubstr(".strategy = \"merged\""));
  EXPECT_EQ(document_of(verified(plans, false)).code, "") << "not at its end";
  EXPECT_EQ(document_of(verified({{"pipelined", 0, 0, 0}}, true)).code, "");
}

class PlacingRun : public PlacingTest {
 protected:
  PlacingRun() : PlacingTest([](const Case&) { return 100.0; }) {}
};

TEST_F(PlacingRun, ThePlansAreMeasuredInTurnsOfAProcessEach) {
  EXPECT_EQ(place({}, plan_to_place(), settings_, store_, context_), kOk) << err_.str();

  const Campaign plans = store_.load("");
  ASSERT_EQ(plans.environment.at(kPlacedStep), "plans");
  ASSERT_GE(plans.plan.size(), 3U) << "what was found, the study's way and one graph of all";
  std::set<std::string> all;
  for (const Case& c : plans.plan) all.insert(case_key(c));
  std::vector<std::string> turns;
  for (const worker::Request& r : launcher_.requests) {
    const std::string key = case_key(r.test_case);
    if (r.kind == worker::Request::Kind::kMeasure && all.contains(key)) turns.push_back(key);
  }
  constexpr std::ptrdiff_t kTurns = 3;
  const auto length = static_cast<std::ptrdiff_t>(turns.size()) / kTurns;  // one case more, where an A/A twin is drawn
  ASSERT_EQ(static_cast<std::size_t>(length * kTurns), turns.size());
  for (std::ptrdiff_t turn = 0; turn < kTurns; ++turn) {
    const auto begin = turns.begin() + turn * length;
    EXPECT_EQ(std::set<std::string>(begin, begin + length), all) << "turn " << turn;
  }
}

TEST_F(PlacingRun, WhatOneSearchLacksEndsNoneOfTheOthers) {
  constexpr std::int64_t kWith = 8, kWithout = 1;
  const auto runs_nowhere = [](const worker::Request&) { return runner::bad(ErrorCode::kFramework, "open", "no"); };
  const auto fits_nowhere = [](const worker::Request& r) {
    worker::Exit exit = runner::good(r, 1);
    exit.result.values["memory.model"] = {1e12};
    return exit;
  };
  settings_.limits.memory_bytes = 1'000'000'000;
  const auto measure = launcher_.measure;
  struct Row {
    const char* says;
    std::function<worker::Exit(const worker::Request&)> measure;
  };
  for (const Row& row : {Row{"no engine that was asked for could be measured with this member", runs_nowhere},
                         Row{"no placement of the members fits into the memory allowed", fits_nowhere}}) {
    launcher_.measure = [&](const worker::Request& r) {
      return r.test_case.batch_size == kWithout ? row.measure(r) : measure(r);
    };
    BenchPlan plan = plan_to_place("a+b", 2, kWithout);
    for (const Case& c : plan_to_place("a+b", 2, kWith).cases) plan.cases.push_back(c);
    EXPECT_EQ(place({}, plan, settings_, store_, context_), kFailed);
    EXPECT_THAT(err_.str(), AllOf(HasSubstr("batch 1: "), HasSubstr(row.says)));
    const Campaign last = store_.load("");
    EXPECT_EQ(last.environment.at(kPlacedStep), "plans") << row.says;
    EXPECT_EQ(last.plan.at(0).batch_size, kWith) << row.says;
    EXPECT_THAT(placing_verdict(last), HasSubstr(" samples/s")) << row.says;
  }
}

TEST_F(PlacingRun, AsJsonASearchIsTheCampaignOfItsPlansAloneOnStandardOutput) {
  BenchOptions options;
  options.json = true;
  EXPECT_EQ(place(options, plan_to_place(), settings_, store_, context_), kOk) << err_.str();
  const nlohmann::json j = nlohmann::json::parse(out_.str());
  EXPECT_EQ(j.at("campaign").at("id"), store_.load("").id);
  EXPECT_EQ(j.at("campaign").at("environment").at(kPlacedStep), "plans");
  EXPECT_THAT(j.at("search").at("members").get<std::vector<std::string>>(), ElementsAre("a", "b"));
  EXPECT_THAT(j.at("recommendation").at("because").get<std::string>(), HasSubstr(" samples/s"));
}

TEST_F(PlacingRun, SeveralSearchesAreNoOneDocument) {
  BenchOptions options;
  options.json = true;
  BenchPlan plan = plan_to_place("a+b", 2, 1);
  for (const Case& c : plan_to_place("a+b", 2, 8).cases) plan.cases.push_back(c);
  EXPECT_THROW((void)place(options, plan, settings_, store_, context_), Error);
  EXPECT_EQ(launcher_.count(worker::Request::Kind::kMeasure), 0);
}

TEST(DryPlace, EstimatesTheProcessesThatPlansAreVerifiedIn) {
  for (const auto& [effort, processes] : {std::pair{"quick", "3"}, {"standard", "3"}, {"rigorous", "10"}}) {
    std::chrono::seconds estimated{};
    const std::string text = foreseen(measure::effort_by_name(effort), estimated);
    EXPECT_THAT(text, HasSubstr(std::string("in ") + processes + " processes each")) << effort;
    EXPECT_THAT(text, HasSubstr("about " + report::duration(static_cast<double>(estimated.count())))) << effort;
  }
}

TEST(DryPlace, EachSearchSaysWhatItIsOf) {
  BenchPlan plan = plan_to_place("a+b", 1, 1);
  for (const Case& c : plan_to_place("a+b", 2, 8).cases) plan.cases.push_back(c);
  EXPECT_THAT(dry_placed(plan, settings_of_any_model()).out,
              AllOf(HasSubstr("a+b · cpu · 1 thread · f32 · batch 1\neach member alone:"),
                    HasSubstr("a+b · cpu · 2 threads · f32 · batch 8\neach member alone:")));
}

TEST(DryPlace, AModelThatIsThereTwiceIsMeasuredOnce) {
  const DryPlaced said = dry_placed(plan_to_place("a+a"), settings_of_any_model());
  EXPECT_THAT(said.out, HasSubstr("0 of 4 cases stored")) << "two engines, set up both ways";
  EXPECT_THAT(said.out, HasSubstr("then at most 1 case of members"));
}

TEST(DryPlace, SaysWhereThereIsNothingToSearch) {
  const DryPlaced one = dry_placed(plan_to_place(), settings_of_any_model(), {"x"});
  EXPECT_EQ(one.status, kOk) << one.err;
  EXPECT_THAT(one.out,
              AllOf(HasSubstr("batch 1: skipped: x is"), HasSubstr("skipped, as above"), HasSubstr("then at most")));
  const DryPlaced none = dry_placed(plan_to_place(), settings_of_any_model(), {"x", "y"});
  EXPECT_EQ(none.status, kFailed);
  EXPECT_THAT(none.out, Not(HasSubstr("then at most")));
  EXPECT_THAT(none.err, HasSubstr("nothing to search"));
}

TEST(DryPlace, LatencyIsRefusedWhereItWasAskedForByName) {
  BenchPlan plan = plan_to_place();
  plan.cases.push_back(plan.cases[0]);
  plan.cases.back().goal = Goal::kLatency;
  EXPECT_EQ(dry_placed(plan, settings_of_any_model()).status, kOk) << "both by default: the most throughput";
  plan.named_goals = true;
  EXPECT_THROW((void)dry_placed(plan, settings_of_any_model()), Error);
}

TEST(PlacingVerdict, AWinnerByLessThanTheMachinesDriftHasItsReserve) {
  Campaign campaign = verified({{"sequential", 8, 8, 8}, {"merged", 9, 9, 9}}, true);
  campaign.environment["control.drift"] = "0.2000";
  campaign.warnings.push_back({"drift", "", ""});
  EXPECT_THAT(placing_verdict(campaign),
              HasSubstr("ahead of all others that were measured beside it; but the machine's "
                        "own speed moved by 20 %"));
  campaign.environment["control.drift"] = "0.0600";
  EXPECT_THAT(placing_verdict(campaign), Not(HasSubstr("own speed")));
}

}  // namespace
}  // namespace assay::cli
