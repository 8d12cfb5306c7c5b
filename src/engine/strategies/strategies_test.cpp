// The schedules, and what comes of them on a clock that is set by hand: lanes take jobs from the board as the
// executor's threads do.
#include "engine/strategies/strategy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/strategies/job_board.hpp"

namespace assay::engine {
namespace {

using testing::ElementsAre;

struct Simulation {
  double seconds = 0;  ///< until the last of the batches is over
  double busy = 0;     ///< of all lanes together
  std::vector<Job> begun;
};

/// `costs`: seconds of a member's batch on one thread; on n threads it takes an n-th.
Simulation simulate(const Schedule& schedule, const std::vector<double>& costs, std::size_t batches) {
  constexpr double kIdle = std::numeric_limits<double>::infinity();
  JobBoard board(schedule);
  std::vector<Job> jobs(schedule.lanes.size());
  std::vector<double> ends(schedule.lanes.size(), kIdle);
  Simulation result;
  std::size_t added = 0;
  for (std::size_t over = 0; over < batches;) {
    while (added < batches && added < over + static_cast<std::size_t>(schedule.in_flight)) board.add(added++);
    for (std::size_t lane = 0; lane < jobs.size(); ++lane) {
      if (ends[lane] != kIdle) continue;
      const std::optional<Job> job = board.take(lane);
      if (!job) continue;
      const MemberSetup& setup = schedule.members[job->member];
      const double time = costs[job->member] / (static_cast<double>(setup.threads) / setup.streams);
      jobs[lane] = *job;
      ends[lane] = result.seconds + time;
      result.busy += time;
      result.begun.push_back(*job);
    }
    const auto next = std::min_element(ends.begin(), ends.end());
    if (*next == kIdle) {
      ADD_FAILURE() << "batches are left, and no lane has a job";
      return result;
    }
    result.seconds = *next;
    *next = kIdle;
    if (board.finish(jobs[static_cast<std::size_t>(next - ends.begin())])) ++over;
  }
  return result;
}

struct Row {
  const char* strategy;
  std::vector<double> costs;
  int threads;
  Goal goal;
  std::size_t batches;
  double seconds;  ///< expected
  std::vector<std::string> devices{};
};

class Strategies : public testing::TestWithParam<Row> {};

TEST_P(Strategies, TakesSoLongOnAFakeClock) {
  const Row& row = GetParam();
  const Schedule schedule = strategy_by_name(row.strategy).schedule({row.costs, row.threads, row.goal, row.devices});
  EXPECT_NEAR(simulate(schedule, row.costs, row.batches).seconds, row.seconds, 1e-9);
}

const std::vector<double> kPaper = {2, 4, 6};

INSTANTIATE_TEST_SUITE_P(
    Engine, Strategies,
    testing::Values(
        // One batch: a member after the other on both threads; divided 6 | 4 + 2; freely 6 | 4 + 2.
        Row{"sequential", kPaper, 2, Goal::kLatency, 1, 6}, Row{"concurrent", kPaper, 2, Goal::kLatency, 1, 6},
        Row{"pipelined", kPaper, 2, Goal::kLatency, 1, 6},
        // A division that does not come out even leaves a core idle; pipelined fills it with the next batch.
        Row{"sequential", {1, 1, 4}, 2, Goal::kThroughput, 10, 30},
        Row{"concurrent", {1, 1, 4}, 2, Goal::kThroughput, 10, 40},
        Row{"pipelined", {1, 1, 4}, 2, Goal::kThroughput, 10, 30},
        // One member is an ensemble.
        Row{"sequential", {4}, 2, Goal::kThroughput, 10, 20}, Row{"concurrent", {4}, 2, Goal::kThroughput, 10, 20},
        Row{"pipelined", {4}, 2, Goal::kThroughput, 10, 20},
        // One thread: nothing to divide.
        Row{"sequential", kPaper, 1, Goal::kThroughput, 3, 36}, Row{"concurrent", kPaper, 1, Goal::kThroughput, 3, 36},
        Row{"pipelined", kPaper, 1, Goal::kThroughput, 3, 36},
        // More threads than members: 6 on 3, 4 on 2, 2 on 1.
        Row{"concurrent", kPaper, 6, Goal::kThroughput, 5, 10}, Row{"pipelined", kPaper, 6, Goal::kThroughput, 2, 6},
        // Ten members, of which one is as costly as all others.
        Row{"concurrent", {9, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 2, Goal::kThroughput, 4, 36},
        Row{"pipelined", {9, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 2, Goal::kThroughput, 4, 36},
        // Another device works beside the CPU's lanes, which do not wait for it: 10 batches of 8 s on two of them.
        Row{"pipelined", {4, 4, 3}, 2, Goal::kThroughput, 10, 40, {"cpu", "cpu", "gpu:0"}},
        Row{"concurrent", {4, 4, 3}, 2, Goal::kThroughput, 10, 40, {"cpu", "cpu", "gpu:0"}},
        // One after the other is what sequential is, wherever members are: 4 / 2 + 4 / 2 + 3 / 2.
        Row{"sequential", {4, 4, 3}, 2, Goal::kThroughput, 10, 55, {"cpu", "cpu", "gpu:0"}},
        // The device that is last decides.
        Row{"concurrent", {4, 4, 5}, 2, Goal::kThroughput, 10, 50, {"cpu", "cpu", "gpu:0"}}),
    [](const auto& row) {
      return std::string(row.param.strategy) + "_" + std::to_string(row.param.costs.size()) + "members" +
             std::to_string(row.param.threads) + "threads" + std::to_string(row.index);
    });

TEST(Strategy, NoLaneIsIdleWhilePipelinedHasWork) {
  const std::vector<double> costs = {0.3, 1.1, 0.7, 2.9, 0.2};
  for (const int threads : {2, 3, 4, 8}) {
    const Schedule schedule = pipelined_schedule({costs, threads, Goal::kThroughput});
    constexpr std::size_t kBatches = 200;
    const Simulation s = simulate(schedule, costs, kBatches);
    EXPECT_GT(s.busy / (s.seconds * threads), 0.98) << threads << " threads";
  }
}

TEST(Strategy, ConcurrentDividesByCostAndSharesTheThreads) {
  const Schedule s = concurrent_schedule({{1, 8, 3}, 4, Goal::kThroughput});
  EXPECT_THAT(s.lanes, ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(0)));
  EXPECT_EQ(s.members[1].threads, 2);
  EXPECT_EQ(s.members[0].threads + s.members[1].threads + s.members[2].threads, 4);
}

TEST(Strategy, ConcurrentDividesWhatThreadsOfMembersOwnLeave) {
  struct OwnRow {
    std::vector<double> costs;
    int threads;
    std::vector<int> own, expected;
    std::vector<std::string> devices{};
  };
  for (const OwnRow& row : {OwnRow{{1, 100}, 5, {3, 0}, {3, 2}}, OwnRow{{100, 1}, 5, {3, 0}, {3, 2}},
                            OwnRow{{1, 100, 10}, 8, {3, 0, 0}, {3, 4, 1}}, OwnRow{{1, 1}, 5, {1, 2}, {1, 2}},
                            OwnRow{{1, 1}, 3, {3, 0}, {3, 1}},  // more than there are: for whoever loads to refuse
                            OwnRow{{9, 9, 1}, 4, {0, 3, 2}, {2, 3, 2}, {"cpu", "gpu:0", "cpu"}}}) {
    const Schedule s = concurrent_schedule({row.costs, row.threads, Goal::kThroughput, row.devices, row.own});
    std::vector<int> threads;
    for (const MemberSetup& m : s.members) threads.push_back(m.threads);
    EXPECT_EQ(threads, row.expected) << testing::PrintToString(row.costs) << testing::PrintToString(row.own);
  }
}

TEST(Strategy, AMemberComputesNoMoreBatchesAtOnceThanItHasThreadsOfItsOwn) {
  struct OwnRow {
    const char* strategy;
    std::vector<int> own;
    std::vector<MemberSetup> setups;
    std::vector<std::string> devices{};
  };
  const std::vector<OwnRow> rows = {
      {"pipelined", {1, 0}, {{1, 1}, {4, 4}}},
      {"pipelined", {3, 4}, {{3, 3}, {4, 4}}},
      {"pipelined", {8, 0}, {{8, 4}, {4, 4}}},  // for whoever loads to refuse
      {"sequential", {1, 0}, {{1, 1}, {4, 1}}},
      {"concurrent", {1, 0}, {{1, 1}, {3, 1}}},
      // Elsewhere threads do not compute: two batches, of which one is copied.
      {"pipelined", {1, 1}, {{1, 2}, {1, 1}}, {"gpu:0", "cpu"}},
  };
  for (const OwnRow& row : rows) {
    const Workload work{{1, 1}, 4, Goal::kThroughput, row.devices, row.own};
    Schedule s = strategy_by_name(row.strategy).schedule(work);
    keep_own_threads(work, s);
    EXPECT_EQ(s.members, row.setups) << row.strategy << testing::PrintToString(row.own);
  }
}

TEST(Strategy, OnSeveralDevicesTheMembersOfEachHaveLanesOfTheirOwn) {
  using Lanes = std::vector<std::vector<std::size_t>>;
  struct DeviceRow {
    const char* name;
    const char* strategy;
    int threads;
    std::vector<std::string> devices;
    Lanes lanes;
    std::vector<MemberSetup> setups;
  };
  const std::vector<double> costs = {1, 2, 3};
  for (const DeviceRow& row :
       {DeviceRow{"the CPU's two lanes and two of the GPU's",
                  "pipelined",
                  2,
                  {"cpu", "gpu:0", "cpu"},
                  {{2, 0}, {2, 0}, {1}, {1}},
                  {{2, 2}, {2, 2}, {2, 2}}},
        {"the CPU's threads are for the members on it",
         "concurrent",
         4,
         {"cpu", "gpu:0", "cpu"},
         {{2}, {0}, {1}},
         {{1, 1}, {1, 1}, {3, 1}}},
        {"a lane for every member that is elsewhere",
         "concurrent",
         2,
         {"cpu", "gpu:0", "gpu:0"},
         {{0}, {2}, {1}},
         {{2, 1}, {1, 1}, {1, 1}}},
        {"nobody on the CPU", "concurrent", 4, {"gpu:0", "gpu:1", "gpu:1"}, {{0}, {2}, {1}}, {{1, 1}, {1, 1}, {1, 1}}},
        {"all on one other device, as on the CPU",
         "pipelined",
         2,
         {"gpu:0", "gpu:0", "gpu:0"},
         {{2, 1, 0}, {2, 1, 0}},
         {{2, 2}, {2, 2}, {2, 2}}},
        {"one after the other", "sequential", 2, {"cpu", "gpu:0", "cpu"}, {{0, 1, 2}}, {{2, 1}, {2, 1}, {2, 1}}}}) {
    const Schedule s = strategy_by_name(row.strategy).schedule({costs, row.threads, Goal::kThroughput, row.devices});
    EXPECT_EQ(s.lanes, row.lanes) << row.name;
    EXPECT_EQ(s.members, row.setups) << row.name;
    EXPECT_GE(s.in_flight, 2) << row.name;
  }
}

TEST(Strategy, WhoElseUsesTheCoresFollowsFromTheLanesOnThem) {
  using Devices = std::vector<std::string>;
  using Sessions = std::vector<std::size_t>;
  struct CoresRow {
    const char* name;
    const char* strategy;
    int threads;
    Sessions session_of;
    Devices devices;
    assay_core_use use;
    double at_once;
  };
  const Sessions own = {0, 1, 2}, one = {0, 0, 0};
  for (const CoresRow& row : {
           CoresRow{"one after the other", "sequential", 4, own, {}, ASSAY_CORES_IN_TURN, 4},
           {"one after the other, of one session", "sequential", 4, one, {}, ASSAY_CORES_OWN, 4},
           {"side by side", "concurrent", 4, own, {}, ASSAY_CORES_SHARED, 4},
           {"one session on several lanes", "pipelined", 2, one, {}, ASSAY_CORES_SHARED, 2},
           {"one thread", "pipelined", 1, own, {}, ASSAY_CORES_IN_TURN, 1},
           {"one member on the CPU", "concurrent", 4, own, {"cpu", "gpu:0", "gpu:0"}, ASSAY_CORES_OWN, 4},
           {"two", "concurrent", 4, own, {"cpu", "gpu:0", "cpu"}, ASSAY_CORES_SHARED, 4},
           {"none", "pipelined", 4, own, {"gpu:0", "gpu:0", "gpu:1"}, ASSAY_CORES_OWN, 0},
       }) {
    const Schedule s =
        strategy_by_name(row.strategy).schedule({{1, 1, 1}, row.threads, Goal::kThroughput, row.devices});
    EXPECT_EQ(core_use(s, row.session_of, row.devices), row.use) << row.name;
    EXPECT_EQ(threads_at_once(s, session_setups(s, row.session_of), row.devices), row.at_once) << row.name;
  }
}

/// Costs of 1, 2, 3 …, and of every so many members one session.
void expect_the_budget(const Strategy& strategy, std::size_t members, std::size_t of_one_session, int threads) {
  std::vector<double> costs;
  std::vector<std::size_t> session_of;
  for (std::size_t m = 0; m < members; ++m) {
    costs.push_back(static_cast<double>(m + 1));
    session_of.push_back(m - m % of_one_session);
  }
  const Schedule s = strategy.schedule({costs, threads, Goal::kThroughput});
  EXPECT_EQ(threads_at_once(s, session_setups(s, session_of), {}), threads)
      << strategy.name << ", " << members << " members, " << of_one_session << " of one session";
}

// Shared sessions give lanes fractions of threads; a sum of them that is too large by a rounding would be refused.
TEST(Strategy, AllKeepToTheBudgetToTheLastBit) {
  for (const Strategy& strategy : strategies()) {
    if (strategy.schedule == nullptr) continue;
    for (std::size_t members = 1; members <= 12; ++members) {
      for (const std::size_t of_one_session : {std::size_t{1}, std::size_t{3}, members}) {
        for (int threads = 1; threads <= 32; ++threads) expect_the_budget(strategy, members, of_one_session, threads);
      }
    }
  }
}

TEST(Strategy, ThreadsOfMembersOwnMayComeToAPartOfAThread) {
  const Schedule s = concurrent_schedule({{1, 1, 1}, 3, Goal::kThroughput});
  EXPECT_EQ(threads_at_once(s, {{3, 2}, {3, 2}, {1, 1}}, {}), 4);
  EXPECT_EQ(threads_at_once(s, {{3, 2}, {1, 1}, {1, 1}}, {}), 3.5) << "more than three";
}

TEST(Strategy, SequentialKeepsTheOrderOfTheMembers) {
  const Simulation s = simulate(sequential_schedule({kPaper, 2, Goal::kThroughput}), kPaper, 2);
  std::vector<std::size_t> members;
  for (const Job& job : s.begun) members.push_back(job.member);
  EXPECT_THAT(members, ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(Strategy, ASharedSessionHasThreadsAndStreamsOfAllLanesThatUseIt) {
  struct SharedRow {
    const char* name;
    const char* strategy;
    std::vector<double> costs;
    int threads;
    std::vector<std::size_t> session_of;
    std::vector<MemberSetup> setups;
  };
  for (const SharedRow& row : {SharedRow{"nobody shares", "concurrent", {1, 1}, 4, {0, 1}, {{2, 1}, {2, 1}}},
                               SharedRow{"a lane each", "concurrent", {1, 1}, 2, {0, 0}, {{2, 2}, {2, 2}}},
                               SharedRow{"lanes that differ", "concurrent", {1, 1}, 3, {0, 0}, {{3, 2}, {3, 2}}},
                               SharedRow{"one lane", "concurrent", {1, 1, 2}, 2, {0, 0, 2}, {{1, 1}, {1, 1}, {1, 1}}},
                               SharedRow{"in order", "sequential", {1, 1}, 2, {0, 0}, {{2, 1}, {2, 1}}},
                               SharedRow{"any lane", "pipelined", {1, 1, 1}, 3, {0, 0, 2}, {{3, 3}, {3, 3}, {3, 3}}}}) {
    const Schedule schedule = strategy_by_name(row.strategy).schedule({row.costs, row.threads, Goal::kThroughput});
    EXPECT_EQ(session_setups(schedule, row.session_of), row.setups) << row.name;
  }
  const Schedule own = {.members = {{.threads = 2, .streams = 2}}, .lanes = {{0}, {0}, {0}}, .in_flight = 2};
  EXPECT_THAT(session_setups(own, std::vector<std::size_t>{0}), ElementsAre(MemberSetup{2, 2}));
}

TEST(Strategy, PlacedIsRefusedWithWhoSearchesForIt) {
  try {
    (void)strategy_by_name("placed");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.message(), testing::HasSubstr("'placed' is what `assay bench` searches for"));
  }
}

TEST(Strategy, OneThatThereIsNotIsRefusedWithThoseThereAre) {
  try {
    (void)strategy_by_name("paralel");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.message(), testing::HasSubstr("sequential, concurrent, pipelined"));
  }
}

TEST(JobBoardTest, AMemberHasNoMoreBatchesAtOnceThanStreams) {
  JobBoard board({.members = {{1, 1}}, .lanes = {{0}, {0}}, .in_flight = 2});
  board.add(7);
  board.add(8);
  const std::optional<Job> first = board.take(0);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->batch, 7U);
  EXPECT_FALSE(board.take(1));
  EXPECT_TRUE(board.finish(*first));
  EXPECT_EQ(board.take(1)->batch, 8U);
}

TEST(JobBoardTest, WhatIsAbandonedIsNotBegun) {
  JobBoard board({.members = {{1, 1}, {1, 1}, {1, 1}}, .lanes = {{0, 1, 2}, {1}}, .in_flight = 1});
  board.add(0);
  const std::optional<Job> a = board.take(0);
  const std::optional<Job> b = board.take(1);
  board.abandon(0);
  EXPECT_FALSE(board.take(0));
  EXPECT_FALSE(board.finish(*a));
  EXPECT_TRUE(board.finish(*b));
}

}  // namespace
}  // namespace assay::engine
