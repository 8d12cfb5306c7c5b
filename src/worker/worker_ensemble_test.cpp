// Ensembles in the real worker program, over the null backend: members that crash or hang, and what is measured of
// each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/case.hpp"
#include "measure/series.hpp"
#include "worker/testing/worker_program.hpp"

namespace assay::worker {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class WorkerEnsembleTest : public WorkerTest {
 protected:
  /// An ensemble of one network in two files: members of the same cost that share no session.
  void two_members() {
    const std::filesystem::path other = own_.path() / "other.onnx";
    std::filesystem::copy_file(model_, other, std::filesystem::copy_options::overwrite_existing);
    request_.members = {model_, other};
    request_.test_case.model = "tiny-mlp+other";
  }
  /// With one fault. Only who hangs is waited for briefly: a worker's start is silent for longer on a busy machine.
  Exit run_into(const std::string& fault, const std::string& when) {
    const Limits patient = limits_;
    if (fault == "hang_at") limits_.silence = milliseconds(1500);
    Exit exit = run_with(fault, when);
    limits_ = patient;
    request_.test_case.options.erase(fault);
    return exit;
  }
};

// One file twice is one session: its first batch is the one member's, its second the other's.
TEST_F(WorkerEnsembleTest, TheMemberOfAnEnsembleThatCrashesOrHangsIsNamed) {
  request_.members = {model_, model_};
  request_.test_case.model = "tiny-mlp+tiny-mlp";
  request_.test_case.strategy = "sequential";
  request_.test_case.goal = Goal::kLatency;
  struct Row {
    const char* fault;
    const char* when;
    const char* says;
  };
  for (const Row& row : {Row{"crash_at", "submit:1", "; member 'tiny-mlp' was computing"},
                         Row{"crash_at", "submit:2", "; member 'tiny-mlp#2' was computing"},
                         Row{"hang_at", "submit:2", "; member 'tiny-mlp#2' was computing"},
                         Row{"hang_at", "run:3", "; member 'tiny-mlp' was computing"},
                         Row{"crash_at", "open", "; member 'tiny-mlp' was being loaded"},
                         Row{"hang_at", "open", "; member 'tiny-mlp' was being loaded"}}) {
    EXPECT_THAT(run_into(row.fault, row.when).reason, HasSubstr(row.says)) << row.fault << " " << row.when;
  }
}

// Two files, so two sessions, each on a lane of its own. What is told of one is told of both: both hang at their first
// batch, or while they load.
TEST_F(WorkerEnsembleTest, OfSeveralLanesAllMembersThatHangAreNamed) {
  two_members();
  request_.test_case.goal = Goal::kLatency;
  request_.test_case.strategy = "pipelined";
  request_.test_case.threads = 2;
  for (const auto& [when, doing] :
       {std::pair{"submit:1", "computing"}, {"run:2", "computing"}, {"open", "being loaded"}}) {
    EXPECT_THAT(run_into("hang_at", when).reason,
                HasSubstr(std::string("; members 'tiny-mlp', 'other' were ") + doing));
  }
}

TEST_F(WorkerEnsembleTest, OfSeveralLanesAMemberThatCrashesIsNamed) {
  two_members();
  request_.test_case.threads = 2;
  for (const char* strategy : {"concurrent", "pipelined"}) {
    request_.test_case.strategy = strategy;
    const Exit exit = run_with("crash_at", "run:7");
    EXPECT_EQ(exit.code, ErrorCode::kCrashed) << strategy;
    EXPECT_THAT(exit.reason, ::testing::ContainsRegex("; members? '.*(tiny-mlp|other)'.* computing")) << strategy;
  }
}

TEST_F(WorkerEnsembleTest, OfOneGraphAllMembersAreNamedWhateverGoesWrong) {
  two_members();
  request_.test_case.strategy = "merged";
  request_.test_case.goal = Goal::kLatency;
  constexpr const char* kComputing = "; members 'tiny-mlp', 'other' were computing";
  constexpr const char* kLoading = "; members 'tiny-mlp', 'other' were being loaded";
  constexpr const char* kOneGraph = "members 'tiny-mlp', 'other' in one graph: the null backend was told to fail";
  struct Row {
    const char* fault;
    const char* when;
    const char* says;
  };
  for (const Row& row :
       {Row{"crash_at", "submit:2", kComputing}, Row{"crash_at", "run:1", kComputing},
        Row{"hang_at", "run:3", kComputing}, Row{"crash_at", "open", kLoading}, Row{"hang_at", "open", kLoading},
        Row{"fail_at", "open", kOneGraph}, Row{"fail_at", "submit:2", kOneGraph}, Row{"fail_at", "run:3", kOneGraph}}) {
    const Exit exit = run_into(row.fault, row.when);
    EXPECT_FALSE(exit.ok);
    EXPECT_THAT(exit.reason, HasSubstr(row.says)) << row.fault << " " << row.when;
  }
}

// Memory is that of a load as users have it. What each member adds is read where one is loaded after the other.
TEST_F(WorkerEnsembleTest, MembersLoadSideBySideButWhereTheirOwnMemoryIsRead) {
  two_members();
  request_.test_case.strategy = "pipelined";
  request_.kind = Request::Kind::kMemory;
  const Exit whole = run(request_);
  ASSERT_TRUE(whole.ok) << whole.reason;
  EXPECT_EQ(whole.result.values.count("memory.peak"), 1U);
  EXPECT_EQ(whole.result.values.count("member.other.memory"), 0U);
  EXPECT_THAT(whole.result.texts.at("remark.memory.peak"), HasSubstr("all members side by side"));
  EXPECT_THAT(run_into("hang_at", "open").reason, HasSubstr("; members 'tiny-mlp', 'other' were being loaded"));
  request_.kind = Request::Kind::kMemberMemory;
  const Exit each = run(request_);
  ASSERT_TRUE(each.ok) << each.reason;
  std::vector<std::string> told;
  for (const auto& [name, values] : each.result.values) told.push_back(name);
  EXPECT_THAT(told, ::testing::ElementsAre("member.other.memory", "member.tiny-mlp.memory"));
  EXPECT_THAT(run_into("hang_at", "open").reason, HasSubstr("; member 'tiny-mlp' was being loaded"));
}

// The members' own memory, whatever else the process has.
TEST_F(WorkerEnsembleTest, EachMemberHasTheMemoryThatItsLoadingAdds) {
  constexpr double kOne = 64.0 * 1024 * 1024, kLittle = 8.0 * 1024 * 1024;
  struct Row {
    const char* name;
    bool twin;  ///< one file twice
    const char* strategy;
    int threads;
    std::int64_t second_batch;  ///< of the second member; 0: the ensemble's
    double second;              ///< expected
  };
  request_.test_case.batch_size = 8;
  request_.test_case.options["memory_mb"] = "64";
  for (const Row& row :
       {Row{"one load", false, "sequential", 1, 0, kOne}, Row{"one session", true, "pipelined", 2, 0, 0},
        // In batches of one the second takes eight times as long: measured, it gets three of the
        // threads, and both are loaded again.
        Row{"two loads", false, "concurrent", 4, 1, kOne}}) {
    SCOPED_TRACE(row.name);
    two_members();
    if (row.twin) request_.members[1] = request_.members[0];
    request_.test_case.strategy = kPlaced;
    request_.test_case.placement = {
        .strategy = row.strategy,
        .seats = {{.backend = "null", .batch_size = 0}, {.backend = "null", .batch_size = row.second_batch}}};
    request_.test_case.threads = row.threads;
    request_.kind = Request::Kind::kMemory;
    const Exit whole = run(request_);
    ASSERT_TRUE(whole.ok) << whole.reason;
    if (row.second_batch > 0) {
      EXPECT_EQ(whole.result.texts.at("in_force.other.threads"), "3");
    }
    request_.kind = Request::Kind::kMemberMemory;
    const Exit each = run(request_);
    ASSERT_TRUE(each.ok) << each.reason;
    const auto& values = each.result.values;
    EXPECT_NEAR(values.at("member.tiny-mlp.memory").front(), kOne, kLittle);
    EXPECT_NEAR(values.at(row.twin ? "member.tiny-mlp#2.memory" : "member.other.memory").front(), row.second, kLittle);
#if !defined(__SANITIZE_ADDRESS__)  // it keeps for a while what was freed
    EXPECT_LT(whole.result.values.at("memory.model").front(), kOne + row.second + kLittle);
#endif
  }
}

// The null backend keeps none.
TEST_F(WorkerEnsembleTest, WhereNoEngineKeepsAProfileThatIsSaidAndTheFiguresStand) {
  request_.profile_file = own_.path() / "profile.json";
  request_.test_case.goal = Goal::kLatency;
  const auto says_none = Contains(AllOf(HasSubstr("no-profile: tiny-mlp"), HasSubstr("no report of kind")));
  for (const std::string strategy : {"single", "sequential", "merged"}) {
    if (strategy != "single") two_members();
    request_.test_case.strategy = strategy;
    const Exit exit = run(request_);
    ASSERT_TRUE(exit.ok) << strategy << ": " << exit.reason;
    EXPECT_THAT(warnings_, says_none) << strategy;
    EXPECT_FALSE(std::filesystem::exists(request_.profile_file)) << strategy;
  }
}

TEST_F(WorkerEnsembleTest, MembersComputeOnTheDevicesOfTheirSeats) {
  two_members();
  request_.test_case.strategy = kPlaced;
  request_.test_case.device = "cpu+gpu:0";
  request_.test_case.placement = {
      .strategy = "pipelined", .seats = {{.backend = "null", .device = "cpu"}, {.backend = "null", .device = "gpu:0"}}};
  const Exit exit = run(request_);
  ASSERT_TRUE(exit.ok) << exit.reason;
  EXPECT_EQ(exit.result.texts.at("in_force.tiny-mlp.device"), "cpu");
  EXPECT_EQ(exit.result.texts.at("in_force.other.device"), "gpu:0");
}

TEST_F(WorkerEnsembleTest, WhereMembersAreTriedWhileTheyLoadTheColdLoadSaysSo) {
  two_members();
  request_.test_case.goal = Goal::kLatency;
  request_.cache_folder = own_.path() / "cache";
  struct Row {
    const char* strategy;
    Placement placement;
    bool says;
  };
  const Placement plan = {.strategy = "concurrent",
                          .seats = {{.backend = "null", .batch_size = 0}, {.backend = "null", .batch_size = 0}}};
  for (const Row& row : {Row{"concurrent", {}, true}, Row{kPlaced, plan, true}, Row{"sequential", {}, false}}) {
    request_.test_case.strategy = row.strategy;
    request_.test_case.placement = row.placement;
    const Exit exit = run(request_);
    ASSERT_TRUE(exit.ok) << row.strategy << ": " << exit.reason;
    EXPECT_EQ(exit.result.values.count("load.cold"), 1U) << row.strategy;
    EXPECT_EQ(exit.result.values.count("load.cached"), 1U) << row.strategy;
    const auto remark = exit.result.texts.find("remark.load.cold");
    ASSERT_EQ(remark != exit.result.texts.end(), row.says) << row.strategy;
    if (row.says) {
      EXPECT_THAT(remark->second, HasSubstr("two batches of each member"));
    }
    EXPECT_EQ(exit.result.texts.count("remark.load.cached"), 0U) << row.strategy;
  }
}

TEST_F(WorkerEnsembleTest, EachMemberHasItsThroughputAndBothItsLoads) {
  two_members();
  request_.test_case.strategy = "sequential";
  request_.test_case.options["compute_ms"] = "10";
  request_.cache_folder = own_.path() / "cache";
  const Exit exit = run(request_);
  ASSERT_TRUE(exit.ok) << exit.reason;
  const auto& values = exit.result.values;
  const double together = measure::samples_per_second(request_.test_case, values).value_or(0);
  EXPECT_GT(together, 0);
  double shares = 0;  // of all time, in which the members compute
  for (const char* member : {"tiny-mlp", "other"}) {
    const std::string tag = std::string("member.") + member;
    for (const char* what : {".load.cold", ".load.cached"})
      EXPECT_GT(values.at(tag + what).front(), 0) << member << what;
    const double own = values.at(tag + ".throughput").front();
    EXPECT_LE(own, 200) << member << ": batches of two, 10 ms each or somewhat more";
    shares += together / own;
  }
  // One after the other they have all time at the most, however slow the machine is; rates over all time, in which each
  // does as many samples as both together, would make it twice that. The window's edges cut a batch of ten.
  EXPECT_LT(shares, 1.5);
}

}  // namespace
}  // namespace assay::worker
