// How the time is spent: what is measured, how often, and again after an interruption or a failure.
#include "contest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "base/file.hpp"

namespace assay::bench {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// Engines with rates of their own; a turn takes its window and a second more.
class Machine {
 public:
  Means means() {
    return {.take = [this](const Case& c, milliseconds window) { return take(c, window); },
            .peak = [this](const Case& c) { return peak(c); },
            .estimate = [](const Case&, milliseconds window, Turns::Load) { return seconds_of(window); },
            .now = [this] { return now_; },
            .tell = [this](const std::string& line) { told_.push_back(line); }};
  }
  [[nodiscard]] int turns_of(const std::string& way) const {
    return static_cast<int>(std::count(taken_.begin(), taken_.end(), way));
  }

  std::map<std::string, double> rates_;  ///< by "MODEL WAY"; others: 1
  std::map<std::string, int> failures_;  ///< turns, from the first on, that fail
  std::map<std::string, double> first_;  ///< the rate of the first turn, where it differs
  int stop_after_ = -1;                  ///< turns, after which the program is interrupted
  std::vector<std::string> taken_, told_, peaks_;
  std::vector<milliseconds> windows_;

 private:
  static double seconds_of(milliseconds window) { return static_cast<double>(window.count()) * 1e-3 + 1; }

  Turn take(const Case& c, milliseconds window) {
    if (stop_after_ >= 0 && static_cast<int>(taken_.size()) == stop_after_) throw std::runtime_error("interrupted");
    const std::string way = c.model + " " + describe_way(c);
    taken_.push_back(way);
    windows_.push_back(window);
    now_ += seconds_of(window);
    if (turns_of(way) <= failures_[way]) return {0, "it broke"};
    if (turns_of(way) == 1 && first_.contains(way)) return {first_[way], ""};
    return {rates_.contains(way) ? rates_[way] : 1, ""};
  }
  Turn peak(const Case& c) {
    const std::string way = c.model + " " + describe_way(c);
    peaks_.push_back(way);
    now_ += 1;
    if (failures_.contains("peak of " + way)) return {0, "no memory"};
    return {c.model == "a" ? 100.0 : c.model == "b" ? 50.0 : 140.0, ""};
  }
  double now_ = 0;
};

class ContestTest : public testing::Test {
 protected:
  Contest::Result run(bool read_only = false) {
    State state(file_, read_only);
    return Contest(field_, settings_, state, machine_.means()).run();
  }
  static const Way& find(const Contest::Result& result, const std::string& way) {
    for (const Way& w : result.ways) {
      if (w.test_case.model + " " + describe_way(w.test_case) == way) return w;
    }
    throw std::runtime_error("no " + way);
  }

  TemporaryFolder folder_;
  std::string file_ = (folder_.path() / "state").string();
  Field field_{.members = {"a", "b"}, .sets = sets_of("x;x,y")};
  ContestSettings settings_{.window = milliseconds(2000), .blocks = 6, .minutes = 0};
  Machine machine_;
};

TEST_F(ContestTest, WhatIsNotFarFromTheBestHasASecondTurnWhichCountsWhereItIsBetter) {
  machine_.rates_ = {{"a+b sequential on x for throughput", 10}, {"a+b pipelined on x for throughput", 12}};
  machine_.first_ = {{"a+b sequential on x for throughput", 6.7},  // as it was seen
                     {"a+b merged on x for throughput", 10.5}};
  machine_.rates_["a+b merged on x for throughput"] = 12;
  machine_.rates_["a+b sequential on y for throughput"] = 8;
  const Contest::Result result = run();
  EXPECT_EQ(find(result, "a+b sequential on x for throughput").screened, 10);
  EXPECT_EQ(find(result, "a+b sequential on x for throughput").rates.size(), 6U);
  EXPECT_EQ(machine_.turns_of("a+b sequential on x for throughput"), 2 + 6);
  EXPECT_EQ(machine_.turns_of("a+b sequential on x for latency"), 1);  // far from the best
  EXPECT_EQ(machine_.turns_of("a+b pipelined on x for throughput"), 2 + 6);
  EXPECT_EQ(machine_.turns_of("a+b merged on x for throughput"), 2 + 6);  // its first turn was disturbed, too
  EXPECT_EQ(machine_.turns_of("a+b merged on y for throughput"), 1);
  // Sorting out has half a window, and the second turn comes after all first ones.
  EXPECT_EQ(machine_.windows_.front(), milliseconds(1000));
  EXPECT_EQ(machine_.windows_.back(), milliseconds(2000));
  const auto first = std::find(machine_.taken_.begin(), machine_.taken_.end(), "a+b sequential on x for throughput");
  const auto second = std::find(first + 1, machine_.taken_.end(), "a+b sequential on x for throughput");
  EXPECT_GE(second - first, 10);
}

TEST_F(ContestTest, MixedPlansAreMeasuredAndTheirMemoryIsOverTheirMembersOnTheirEngines) {
  machine_.rates_ = {{"a single on y for latency", 3},
                     {"b single on x for throughput", 3},
                     {"a+b pipelined: a on y, b on x", 5},
                     {"a+b sequential: a on y, b on x", 2}};
  const Contest::Result result = run();
  EXPECT_EQ(find(result, "a+b pipelined: a on y, b on x").rates.size(), 6U);
  EXPECT_TRUE(find(result, "a+b sequential: a on y, b on x").rates.empty());
  ASSERT_EQ(result.peaks.size(), 2 * 4U + 1);
  EXPECT_EQ(describe_way(result.peaks.back().test_case), "pipelined: a on y, b on x");
  EXPECT_EQ(result.peaks.back().members, 150);
  EXPECT_EQ(result.peaks.back().together, 140);
}

TEST_F(ContestTest, WhatFailsInEveryBlockIsLeftOutAndTheOthersHaveTheirs) {
  machine_.failures_["a single on x for latency"] = 100;
  machine_.failures_["b single on x for latency"] = 1;  // once
  const Contest::Result result = run();
  const Way& failed = find(result, "a single on x for latency");
  EXPECT_EQ(failed.trouble, "it broke");
  EXPECT_EQ(machine_.turns_of("a single on x for latency"), 2);
  EXPECT_TRUE(find(result, "b single on x for latency").trouble.empty());
  EXPECT_EQ(find(result, "b single on x for latency").rates.size(), 6U);
}

TEST_F(ContestTest, AStrategyThatFailedOnceHasAnotherTurn) {
  for (const char* way : {"a+b merged on x for throughput", "a+b pipelined: a on y, b on x"}) {
    machine_.rates_ = {{"a single on y for latency", 3}, {"b single on x for throughput", 3}, {way, 5}};
    machine_.failures_ = {{way, 1}};
    file_ += "_";
    const Contest::Result result = run();
    EXPECT_EQ(find(result, way).screened, 5);
    EXPECT_EQ(find(result, way).rates.size(), 6U);
  }
}

TEST_F(ContestTest, WhatFailedInABlockIsNotMeasuredAtAnotherTimeThanTheRest) {
  machine_.rates_["a single on x for throughput"] = 2;
  {
    State state(file_);
    Means means = machine_.means();
    const auto take = means.take;
    means.take = [&](const Case& c, milliseconds window) {
      const Turn turn = take(c, window);
      const bool third = machine_.turns_of("a single on x for throughput") == 2 + 3;
      return c.model == "a" && third && c.backend == "x" && c.goal == Goal::kThroughput ? Turn{0, "it broke"} : turn;
    };
    (void)Contest(field_, settings_, state, means).run();
  }
  const std::size_t turns = machine_.taken_.size();
  const Contest::Result again = run();
  EXPECT_EQ(machine_.taken_.size(), turns);
  EXPECT_EQ(find(again, "a single on x for throughput").rates.size(), 5U);
  EXPECT_TRUE(find(again, "a single on x for throughput").trouble.empty());
}

TEST_F(ContestTest, WhatFailsInBlocksAloneIsLeftOutToo) {
  machine_.rates_["a single on x for throughput"] = 2;
  Contest::Result result;
  {
    State state(file_);
    Means means = machine_.means();
    const auto take = means.take;
    means.take = [&](const Case& c, milliseconds window) {
      const Turn turn = take(c, window);
      return c.model == "a" && c.backend == "x" && window == milliseconds(2000) ? Turn{0, "too long"} : turn;
    };
    result = Contest(field_, settings_, state, means).run();
  }
  EXPECT_EQ(find(result, "a single on x for throughput").trouble, "too long");
  EXPECT_EQ(machine_.turns_of("a single on x for throughput"), 2 + 2);
  EXPECT_EQ(find(result, "b single on x for throughput").rates.size(), 6U);
}

TEST_F(ContestTest, AfterAnInterruptionItGoesOnAndTakesABlockThatWasCutShortAgain) {
  const int all = [&] {
    Machine whole;
    State none("");
    (void)Contest(field_, settings_, none, whole.means()).run();
    return static_cast<int>(whole.taken_.size());
  }();
  machine_.stop_after_ = all - 3;  // in the last block
  EXPECT_THROW(run(), std::runtime_error);
  machine_.stop_after_ = -1;
  const int before = static_cast<int>(machine_.taken_.size());
  const int peaks = static_cast<int>(machine_.peaks_.size());
  const Contest::Result result = run();
  const int arms = static_cast<int>(
      std::count_if(result.ways.begin(), result.ways.end(), [](const Way& way) { return !way.rates.empty(); }));
  EXPECT_GT(arms, 3);
  EXPECT_EQ(static_cast<int>(machine_.taken_.size()) - before, arms);
  EXPECT_EQ(static_cast<int>(machine_.peaks_.size()), peaks);
  EXPECT_EQ(find(result, "a single on x for throughput").rates.size(), 6U);
  (void)run();
  EXPECT_EQ(static_cast<int>(machine_.taken_.size()) - before, arms);  // nothing is left to measure
}

TEST_F(ContestTest, AReportMeasuresNothingAndSaysWhatIsThere) {
  (void)run();
  const std::size_t turns = machine_.taken_.size(), lines = machine_.told_.size();
  const Contest::Result result = run(true);
  EXPECT_EQ(machine_.taken_.size(), turns);
  EXPECT_EQ(machine_.told_.size(), lines);
  EXPECT_EQ(find(result, "a single on x for throughput").rates.size(), 6U);
  EXPECT_EQ(result.peaks.front().together, 140);
}

TEST_F(ContestTest, AReportSaysWhatWasNotMeasured) {
  (void)run();
  field_.sets = sets_of("x;x,z");
  const Contest::Result result = run(true);
  EXPECT_EQ(find(result, "a single on z for throughput").trouble, "it was not measured");
  EXPECT_EQ(find(result, "a single on x for throughput").trouble, "");
}

TEST_F(ContestTest, ItSaysBeforehandHowLongItTakesAndEndsWithTheBlockThatFits) {
  settings_.blocks = 50;
  settings_.minutes = 7;
  const Contest::Result result = run();
  EXPECT_THAT(machine_.told_.front(), HasSubstr("batch 1: about 7 min: 20 ways sorted out"));
  const std::size_t blocks = find(result, "a single on x for throughput").rates.size();
  EXPECT_GE(blocks, 4U);
  EXPECT_LT(blocks, 50U);
  const double minutes = machine_.means().now() / 60;
  EXPECT_LE(minutes, 7);
  EXPECT_GE(minutes, 5.5);  // a block takes 1.0

  Machine slow;
  settings_.minutes = 0.1;
  State none("");
  const Contest::Result least = Contest(field_, settings_, none, slow.means()).run();
  EXPECT_EQ(find(least, "a single on x for throughput").rates.size(), 4U);
}

TEST_F(ContestTest, AMemberWhoseMemoryIsNotKnownIsNamedAndTriedOnce) {
  machine_.failures_["peak of a single on x for throughput"] = 1;
  const Contest::Result result = run();
  EXPECT_THAT(result.peaks.front().trouble, HasSubstr("no memory"));
  EXPECT_THAT(result.peaks.front().trouble, HasSubstr("a · x"));
  EXPECT_EQ(result.peaks.front().members, 0);
  EXPECT_EQ(std::count(machine_.peaks_.begin(), machine_.peaks_.end(), "a single on x for throughput"), 1);
}

}  // namespace
}  // namespace assay::bench
