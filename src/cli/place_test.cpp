// What is said of the campaign that verifies a search's plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "cli/bench.hpp"
#include "core/search.hpp"
#include "report/format.hpp"
#include "runner/fake_launcher.hpp"
#include "tune/place_cases.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
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
       AllOf(HasSubstr("use pipelined on x"), HasSubstr("the only one that could be measured"),
             Not(HasSubstr("ahead")))},
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

/// What --dry-run says of a placement at an effort: the last line, as it was before it was wrapped.
std::string foreseen(const measure::Effort& effort, std::chrono::seconds& estimated) {
  BenchPlan plan;
  for (const char* backend : {"x", "y"}) {
    Case c;
    c.model = "a+b";
    c.backend = backend;
    c.threads = 2;
    c.strategy = kPlaced;
    plan.cases.push_back(c);
  }
  runner::RunSettings settings;
  settings.effort = effort;
  settings.models = [](const Case&) { return runner::ModelFacts{}; };
  tune::PlaceRequest request;
  request.ensemble = plan.cases[0];
  request.backends = {"x", "y"};
  const tune::Foreseen cases = tune::foreseen(request);
  measure::Effort verifying = effort;
  verifying.processes = std::max(effort.processes, 3);
  estimated = runner::estimate(cases.pairs, effort, settings.models, {}) +
              runner::estimate(cases.plans, verifying, settings.models, {});
  FakeClock clock;
  runner::FakeLauncher launcher{clock};
  const std::atomic<bool> stop{false};
  std::ostringstream out, err;
  Context context;
  context.out = &out;
  context.err = &err;
  context.launcher = &launcher;
  context.stop = &stop;
  EXPECT_EQ(dry_place({}, plan, settings, nullptr, context), kOk) << err.str();
  const std::string text = std::regex_replace(out.str(), std::regex("\\s+"), " ");
  return text.substr(text.rfind(" then at most"));
}

TEST(PlacingVerdict, ATieHasTheCommandThatMayDecideWhereThereIsMoreEffort) {
  Campaign campaign = verified({{"pipelined", 8, 7, 9}, {"merged", 9, 8, 10}}, true);
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
}

TEST(PlacingCode, LoadsWhatCameOutFirst) {
  const std::vector<Rated> plans = {{"pipelined", 5, 4, 6}, {"merged", 9, 8, 10}};
  EXPECT_THAT(document_of(verified(plans, true)).code, HasSubstr(".strategy = \"merged\""));
  EXPECT_EQ(document_of(verified(plans, false)).code, "") << "not at its end";
  EXPECT_EQ(document_of(verified({{"pipelined", 0, 0, 0}}, true)).code, "");
}

TEST(DryPlace, EstimatesTheProcessesThatPlansAreVerifiedIn) {
  for (const auto& [effort, processes] : {std::pair{"quick", "3"}, {"standard", "3"}, {"rigorous", "10"}}) {
    std::chrono::seconds estimated{};
    const std::string text = foreseen(measure::effort_by_name(effort), estimated);
    EXPECT_THAT(text, HasSubstr(std::string("in ") + processes + " processes each")) << effort;
    EXPECT_THAT(text, HasSubstr("about " + report::duration(static_cast<double>(estimated.count())))) << effort;
  }
}

TEST(PlacingVerdict, AWinnerByLessThanTheMachinesDriftHasItsReserve) {
  Campaign campaign = verified({{"pipelined", 8, 8, 8}, {"merged", 9, 9, 9}}, true);
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
