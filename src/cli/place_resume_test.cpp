// A search for a placement that is gone on with, and one that cannot be stored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/placing_fixture.hpp"
#include "core/search.hpp"
#include "store/database.hpp"
#include "tune/place.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ResumedPlacing : public PlacingTest {
 protected:
  ResumedPlacing() : PlacingTest([](const Case&) { return 100.0; }) {}

  /// Of one engine: three plans, all of them in the first campaign.
  static BenchPlan on_one_engine() {
    BenchPlan plan = plan_to_place();
    plan.cases.pop_back();
    return plan;
  }
  /// Whether it is no case of the search's costs.
  static bool is_plan(const Case& c) { return is_ensemble(c) && c.combine != "members"; }
  /// The campaigns of a step, the newest first.
  std::vector<std::string> campaigns_of(const std::string& step) const {
    std::vector<std::string> ids;
    for (const store::CampaignSummary& c : store_.list()) {
      if (c.placed_step == step) ids.push_back(c.id);
    }
    return ids;
  }
};

TEST_F(ResumedPlacing, InterruptedAmidPlansThatFailItTriesTheNextOnesWhenItIsResumed) {
  std::set<std::string> failing;  // the first two that the search finds
  bool was_stopped = false;
  launcher_.measure = [&, measure = launcher_.measure](const worker::Request& r) {
    const Case& c = r.test_case;
    if (!is_ensemble(c) || c.combine == "members") return measure(r);
    if (c.strategy == "sequential" || c.strategy == kMerged) {
      if (!was_stopped) was_stopped = stop_ = true;
      return measure(r);
    }
    if (failing.size() < tune::kVerifiedPlans) failing.insert(case_key(c));
    return failing.contains(case_key(c)) ? runner::bad(ErrorCode::kOutOfMemory, "open", "no memory") : measure(r);
  };
  ASSERT_EQ(place({}, plan_to_place(), settings_, store_, context_), kInterrupted);
  const Campaign first = store_.load("");
  ASSERT_EQ(first.environment.at(kPlacedStep), "plans");
  EXPECT_EQ(resume_newest(), kOk) << err_.str();
  const Campaign next = store_.load("");
  ASSERT_NE(next.id, first.id);
  ASSERT_EQ(next.environment.at(kPlacedStep), "plans");
  for (const Case& c : next.plan) EXPECT_FALSE(failing.contains(case_key(c))) << describe(c);
  EXPECT_TRUE(tune::any_found_measured(next.plan, next.outcomes));
  EXPECT_THAT(placing_verdict(next), HasSubstr("not measured in earlier campaigns of this search"));
  const auto search = search_of(next);
  ASSERT_TRUE(search);
  std::set<std::string> named;
  for (const Case& c : search->failed) named.insert(case_key(c));
  EXPECT_EQ(named, failing);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("Campaign " + next.id), Not(HasSubstr("Campaign " + first.id))));
}

TEST_F(ResumedPlacing, InterruptedWhereEveryPlanFailsItEndsWithTheRivalThatRan) {
  bool was_stopped = false;
  launcher_.measure = [&, measure = launcher_.measure](const worker::Request& r) {
    const Case& c = r.test_case;
    if (!is_ensemble(c) || c.combine == "members" || c.strategy == kMerged) return measure(r);
    return runner::bad(ErrorCode::kOutOfMemory, "open", "no memory");
  };
  launcher_.on_run = [&](const worker::Request& r) {
    const Case& c = r.test_case;
    if (was_stopped || r.kind != worker::Request::Kind::kMeasure || c.strategy != "concurrent") return;
    if (c.combine != "members") was_stopped = stop_ = true;
  };
  ASSERT_EQ(place({}, on_one_engine(), settings_, store_, context_), kInterrupted);
  EXPECT_EQ(resume_newest(), kOk) << err_.str();
  EXPECT_THAT(placing_verdict(store_.load("")), HasSubstr("use merged on x"));
  EXPECT_THAT(out_.str(), HasSubstr("Campaign " + store_.load("").id));
  EXPECT_EQ(campaigns_of("plans").size(), 1U);
}

TEST_F(ResumedPlacing, WhereAllPlansHadFailedItIsTheirCampaignThatIsSaid) {
  launcher_.measure = [measure = launcher_.measure](const worker::Request& r) {
    return is_plan(r.test_case) ? runner::bad(ErrorCode::kOutOfMemory, "open", "no memory") : measure(r);
  };
  ASSERT_EQ(place({}, on_one_engine(), settings_, store_, context_), kFailed);
  const std::vector<std::string> tried = campaigns_of("plans");
  ASSERT_FALSE(tried.empty());
  const std::string alone = campaigns_of("alone").at(0);
  out_.str("");
  EXPECT_EQ(resume_campaign(alone), kFailed);
  EXPECT_EQ(campaigns_of("plans"), tried) << "no plan is tried again";
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("None of the plans"), HasSubstr("Campaign " + tried.front()),
                                Not(HasSubstr("Campaign " + alone))));
}

/// While it lives no file can be written to, as on a full disk.
class NoFileGrows {
 public:
  NoFileGrows() {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit none = old_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoFileGrows() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  NoFileGrows(const NoFileGrows&) = delete;
  NoFileGrows& operator=(const NoFileGrows&) = delete;

 private:
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_{};
};

TEST_F(ResumedPlacing, AResultsFileThatIsFullIsNoInterruptionAndWhatItLacksIsPrinted) {
  std::optional<NoFileGrows> full;
  launcher_.measure = [&, measure = launcher_.measure](const worker::Request& r) {
    if (is_plan(r.test_case) && !full) full.emplace();
    return measure(r);
  };
  const int status = place({}, on_one_engine(), settings_, store_, context_);
  full.reset();
  EXPECT_EQ(status, kFailed);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("not-recorded"), HasSubstr("Campaign " + campaigns_of("plans").at(0))));
  EXPECT_THAT(err_.str(), Not(HasSubstr("interrupted")));
}

TEST_F(ResumedPlacing, AnEndThatCannotBeMarkedIsStatusOneAndTheResultIsPrinted) {
  store::Database(store_.file(), store::Database::Access::kWrite)
      .execute("CREATE TRIGGER full BEFORE UPDATE ON campaign BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  EXPECT_EQ(place({}, on_one_engine(), settings_, store_, context_), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("was not stored to its end"));
  EXPECT_THAT(out_.str(), HasSubstr("Campaign " + campaigns_of("plans").at(0)));
  out_.str("");
  EXPECT_EQ(resume_newest(), kFailed) << "resumed, too";
  EXPECT_THAT(out_.str(), HasSubstr("Campaign " + campaigns_of("plans").at(0)));
}

TEST_F(ResumedPlacing, SaysWhereItsProfilesAre) {
  bool was_stopped = false;
  launcher_.measure = [&, measure = launcher_.measure](const worker::Request& r) {
    if (is_plan(r.test_case) && !was_stopped) was_stopped = stop_ = true;
    return measure(r);
  };
  BenchOptions options;
  options.profile = true;
  ASSERT_EQ(place(options, on_one_engine(), settings_, store_, context_), kInterrupted);
  const std::string folder = (folder_.path() / "results-profiles").string();
  EXPECT_THAT(err_.str(), HasSubstr("profiles: " + folder + "/" + campaigns_of("alone").at(0)));
  err_.str("");
  EXPECT_EQ(resume_campaign("", options), kOk) << err_.str();
  EXPECT_THAT(err_.str(), HasSubstr("profiles: " + folder + "/" + campaigns_of("plans").at(0)));
}

}  // namespace
}  // namespace assay::cli
