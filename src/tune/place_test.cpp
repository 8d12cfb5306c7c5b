// The search with numbers that are made up: what it asks to be measured, what it finds, what it does when it must stop.
#include "tune/place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::tune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Seconds a sample: member, engine.
using Costs = std::map<std::pair<std::string, std::string>, double>;

class FakeBench {
 public:
  explicit FakeBench(Costs costs) : costs_(std::move(costs)) {}

  Bench bench() {
    return {[this](const Case& c) -> std::optional<Outcome> {
              if (!stored) return std::nullopt;
              ++asked_of_store;
              return outcome(c);
            },
            [this](const std::string& what, const std::vector<Case>& cases) {
              said.push_back(what);
              std::vector<Outcome> outcomes;
              for (const Case& c : cases) {
                if (static_cast<int>(measured.size()) >= most) break;
                measured.push_back(c);
                outcomes.push_back(outcome(c));
              }
              return outcomes;
            }};
  }

  /// An ensemble takes the sum of its members, times `penalty` where it is placed on several engines.
  Outcome outcome(const Case& c) const {
    Outcome o;
    o.test_case = c;
    double seconds = 0;
    const std::vector<std::string> members = members_of(c.model);
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::string backend = m < c.placement.seats.size() ? c.placement.seats[m].backend : c.backend;
      const auto it = costs_.find({members[m], backend});
      if (it == costs_.end()) {
        o.state = OutcomeState::kFailed;
        return o;
      }
      seconds += it->second;
      o.metrics.push_back({"member." + members[m] + ".latency.mean",
                           "ms",
                           2e3 * it->second * static_cast<double>(c.batch_size) * beside,
                           {},
                           {},
                           1,
                           ""});
    }
    if (c.strategy == "placed") seconds *= penalty;
    if (c.strategy == "sequential") seconds *= 1.1;
    o.state = OutcomeState::kMeasured;
    o.metrics.push_back({"throughput", "1/s", 1 / seconds, {}, {}, 1, ""});
    o.metrics.push_back({"latency.p50", "ms", 1e3 * 1.1 * seconds * static_cast<double>(c.batch_size), {}, {}, 1, ""});
    o.metrics.push_back({"memory.model", "MiB", 100, {}, {}, 1, ""});
    o.metrics.push_back({"memory.library", "MiB", 50, {}, {}, 1, ""});
    return o;
  }

  bool stored = false;
  int asked_of_store = 0, most = 1000;
  double penalty = 1, beside = 1;
  std::vector<std::string> said;
  std::vector<Case> measured;

 private:
  Costs costs_;
};

PlaceRequest request() {
  PlaceRequest r;
  r.ensemble.model = "a+b";
  r.ensemble.batch_size = 8;
  r.ensemble.threads = 2;
  r.backends = {"x", "y"};
  return r;
}

const Costs kEachItsOwn = {{{"a", "x"}, 1}, {{"a", "y"}, 2}, {{"b", "x"}, 3}, {{"b", "y"}, 2}};

TEST(Place, FindsAndVerifiesThePlanThatGivesEachMemberItsEngine) {
  FakeBench fake(kEachItsOwn);
  const Placed placed = place(request(), fake.bench());
  ASSERT_TRUE(placed.winner);
  const Case& winner = placed.verified[*placed.winner].test_case;
  EXPECT_EQ(winner.strategy, "placed");
  EXPECT_EQ(winner.backend, "x+y");
  EXPECT_THAT(winner.placement.seats, ElementsAre(Placement::Seat{"x", 0}, Placement::Seat{"y", 0}));
  std::vector<std::string> rivals;
  for (const Outcome& o : placed.verified) rivals.push_back(o.test_case.strategy);
  EXPECT_THAT(rivals, testing::IsSupersetOf({"placed", "pipelined", "sequential", "merged"}));
  EXPECT_THAT(fake.said, ElementsAre("each member alone", HasSubstr("beside"), HasSubstr("interleaved")));
}

TEST(Place, APlanThatDoesNotWinIsNotReported) {
  FakeBench fake(kEachItsOwn);
  fake.penalty = 2;  // two engines in one process: worse than predicted
  const Placed placed = place(request(), fake.bench());
  ASSERT_TRUE(placed.winner);
  EXPECT_NE(placed.verified[*placed.winner].test_case.strategy, "placed");
}

TEST(Place, WhatIsStoredIsNotMeasuredAgainButTheRivalsAre) {
  FakeBench fake(kEachItsOwn);
  fake.stored = true;
  const Placed placed = place(request(), fake.bench());
  EXPECT_EQ(placed.measured, 0U);
  EXPECT_EQ(placed.reused, 8U + 2U);  // two members on two engines both ways; the pair both ways
  EXPECT_THAT(fake.said, ElementsAre(HasSubstr("interleaved")));
}

TEST(Place, AnEngineThatFailsWithAMemberIsLeftOut) {
  FakeBench fake({{{"a", "x"}, 1}, {{"b", "x"}, 3}, {{"b", "y"}, 2}});
  const Placed placed = place(request(), fake.bench());
  ASSERT_TRUE(placed.winner);
  EXPECT_EQ(placed.problem.members[0].size(), 1U);
  EXPECT_THAT(placed.verified[*placed.winner].test_case.placement.seats[1].backend, "y");
}

TEST(Place, AMemberThatRunsNowhereIsAnErrorWithItsName) {
  FakeBench fake({{{"a", "x"}, 1}});
  try {
    (void)place(request(), fake.bench());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.context(), "b");
  }
}

TEST(Place, TellsHowMuchMembersSlowEachOtherDown) {
  FakeBench fake(kEachItsOwn);
  fake.beside = 1.25;
  const Placed placed = place(request(), fake.bench());
  ASSERT_EQ(placed.problem.slowdown.size(), 2U);
  EXPECT_NEAR(placed.problem.slowdown[0][1], 1.25, 1e-9);
  EXPECT_EQ(placed.problem.slowdown[0][0], 1);
}

TEST(Place, StopsWhereMeasuringStops) {
  FakeBench fake(kEachItsOwn);
  fake.most = 3;
  const Placed placed = place(request(), fake.bench());
  EXPECT_TRUE(placed.interrupted);
  EXPECT_FALSE(placed.winner);
}

TEST(Place, SmallerBatchesOfAMemberAreTried) {
  PlaceRequest r = request();
  r.batches = {4, 8, 16};
  FakeBench fake(kEachItsOwn);
  const Placed placed = place(r, fake.bench());
  EXPECT_EQ(placed.problem.members[0].size(), 4U);  // two engines, batches of 8 and 4
}

}  // namespace
}  // namespace assay::tune
