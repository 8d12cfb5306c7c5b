// The search with numbers that are made up: what it asks to be measured, what it finds, what it does when it must stop.
#include "tune/fake_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <set>

#include "assay/error.hpp"

namespace assay::tune {
namespace {

using Seat = Placement::Seat;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pointwise;
using testing::UnorderedElementsAre;

TEST(Place, FindsAndVerifiesThePlanThatGivesEachMemberItsEngine) {
  FakeBench fake(kEachItsOwn);
  const Placed placed = place(request(), fake.bench());
  ASSERT_TRUE(placed.winner);
  const Case& winner = placed.verified[*placed.winner].test_case;
  EXPECT_EQ(winner.strategy, "placed");
  EXPECT_EQ(winner.backend, "x+y");
  EXPECT_THAT(winner.placement.seats, ElementsAre(Seat{"x", 0}, Seat{"y", 0}));
  std::vector<std::string> rivals;
  for (const Outcome& o : placed.verified) rivals.push_back(o.test_case.strategy);
  EXPECT_THAT(rivals, testing::IsSupersetOf({"placed", "sequential", "merged"}));
  EXPECT_THAT(fake.said, ElementsAre("alone", "pairs", "found", "plans"));
  EXPECT_THAT(fake.found.members, ElementsAre("a", "b"));
  EXPECT_EQ(fake.found.slowdown, placed.problem.slowdown);
  ASSERT_EQ(fake.found.predicted.size(), placed.plans.size());
  EXPECT_DOUBLE_EQ(fake.found.predicted[0].rate, 1 / placed.plans[0].seconds);
  EXPECT_THAT(fake.found.predicted[0].placement.seats, ElementsAre(Seat{"x", 8, 1}, Seat{"y", 8, 1}));
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
  EXPECT_EQ(placed.reused, 8U + 3U);  // two members on two engines both ways; the pair, and each beside itself
  EXPECT_THAT(fake.said, ElementsAre("found", "plans"));
}

TEST(Place, PairsThatNoOneCampaignHasAreAllMeasuredAgain) {
  FakeBench fake(kEachItsOwn);
  fake.stored = true;
  fake.of_one_campaign = false;
  const Placed placed = place(request(), fake.bench());
  EXPECT_EQ(placed.reused, 8U);
  EXPECT_EQ(placed.measured, 3U);
  EXPECT_THAT(fake.said, ElementsAre("pairs", "found", "plans"));
}

TEST(Place, MembersThatOneEngineSuitsBestAreBesideEachOtherOnce) {
  FakeBench fake({{{"a", "x"}, 1}, {{"a", "y"}, 2}, {{"b", "x"}, 2}, {{"b", "y"}, 3}});
  fake.stored = true;
  const Placed placed = place(request(), fake.bench());
  EXPECT_EQ(placed.reused, 8U + 3U);
  EXPECT_TRUE(std::isfinite(placed.problem.slowdown[0][1]));
  EXPECT_TRUE(std::isfinite(placed.problem.slowdown[1][0]));
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
  EXPECT_NEAR(placed.problem.slowdown[1][0], 1.25, 1e-9);
  EXPECT_EQ(placed.problem.slowdown[0][0], 1);
}

TEST(Place, BesideEachOtherMembersAreOnTheEnginesThatSuitEachBest) {
  FakeBench fake({{{"a", "x"}, 1}, {{"a", "y"}, 2}, {{"b", "x"}, 4}, {{"b", "y"}, 3}});
  (void)place(request(), fake.bench());
  std::vector<std::string> pairs;
  for (const Case& c : fake.measured) {
    if (c.combine != "members") continue;
    pairs.push_back(c.model + " on " + c.backend);
    if (c.backend != "x+y") continue;
    EXPECT_EQ(c.placement.strategy, "concurrent") << "a lane each";
    EXPECT_THAT(c.placement.seats, ElementsAre(Seat{"y", 0}, Seat{"x", 0}, Seat{"x", 0}, Seat{"x", 0}));
  }
  EXPECT_THAT(pairs, UnorderedElementsAre("a+a on x", "b+b on y", "b+a+a+a on x+y"));
}

TEST(Place, AModelThatIsThereTwiceWithAnotherBetweenIsBesideItAsInItsFirstPlace) {
  PlaceRequest r = request();
  r.ensemble.model = "a+b+a";
  r.backends = {"x"};
  FakeBench fake({{{"a", "x"}, 1}, {{"b", "x"}, 3}});
  fake.beside = 1.25;
  const Placed placed = place(r, fake.bench());
  ASSERT_EQ(placed.problem.slowdown.size(), 3U);
  EXPECT_THAT(placed.problem.slowdown[0], Pointwise(DoubleNear(1e-9), {1.0, 1.25, 1.0}));
  EXPECT_THAT(placed.problem.slowdown[1], Pointwise(DoubleNear(1e-9), {1.25, 1.0, 1.25}));
  EXPECT_THAT(placed.problem.slowdown[2], Pointwise(DoubleNear(1e-9), {1.0, 1.25, 1.0}));
}

TEST(Place, OfTwoFilesOfOneNameEachHasItsOwnSlowDown) {
  PlaceRequest r = request();
  r.ensemble.model = "p/m.onnx+q/m.onnx";
  r.backends = {"x"};
  FakeBench fake({{{"p/m.onnx", "x"}, 1}, {{"q/m.onnx", "x"}, 3}});
  fake.beside = 1.25;
  const Placed placed = place(r, fake.bench());
  EXPECT_THAT(placed.problem.slowdown.at(0), Pointwise(DoubleNear(1e-9), {1.0, 1.25}));
  EXPECT_THAT(placed.problem.slowdown.at(1), Pointwise(DoubleNear(1e-9), {1.25, 1.0}));
}

TEST(Place, BesideACostlierMemberTheCheaperOneComputesAllTheTime) {
  FakeBench fake({{{"a", "x"}, 1}, {{"b", "x"}, 3}});
  PlaceRequest r = request();
  r.backends = {"x"};
  (void)place(r, fake.bench());
  std::vector<std::string> pairs;
  for (const Case& c : fake.measured) {
    if (c.combine != "members") continue;
    pairs.push_back(c.model);
    EXPECT_EQ(c.strategy, "concurrent");
    EXPECT_EQ(c.threads, 2);
  }
  EXPECT_THAT(pairs, UnorderedElementsAre("a+a", "b+b", "b+a+a+a"));
}

TEST(Place, APairThatFailedIsNotSaidToBeWithoutSlowDown) {
  FakeBench fake(kEachItsOwn);
  Bench bench = fake.bench();
  bench.measure = [measure = bench.measure](PlaceStep step, const std::vector<Case>& cases) {
    std::vector<Outcome> outcomes = measure(step, cases);
    for (Outcome& o : outcomes) {
      if (o.test_case.model == "b+a+a" && step == PlaceStep::kPairs) o.state = OutcomeState::kFailed;
    }
    return outcomes;
  };
  const Placed placed = place(request(), bench);
  ASSERT_EQ(placed.problem.slowdown.size(), 2U);
  EXPECT_TRUE(std::isnan(placed.problem.slowdown[0][1]));
  EXPECT_TRUE(std::isnan(placed.problem.slowdown[1][0])) << "one pair tells of both";
  EXPECT_EQ(placed.problem.slowdown[0][0], 1);
}

TEST(Place, WhereTheBestPlansFailTheNextOnesAreTried) {
  PlaceRequest r = request();
  r.batches = {4};
  FakeBench fake(kEachItsOwn);
  fake.placed_fails = 1;
  fake.failing_rounds = 1;
  const Placed placed = place(r, fake.bench());
  EXPECT_THAT(fake.said, ElementsAre("alone", "pairs", "found", "plans", "found", "plans"));
  EXPECT_TRUE(placed.winner);
  EXPECT_EQ(fake.found.failed.size(), kVerifiedPlans) << "with the next ones it is kept which failed";
  for (const Case& c : fake.found.failed) EXPECT_EQ(c.strategy, "placed");
}

TEST(Place, WhatFailedBeforeInTheSameSearchIsNotTriedAgain) {
  FakeBench fake(kEachItsOwn);
  const Placed first = place(request(), fake.bench());
  std::set<std::string> failed;
  for (std::size_t i = 0; i < kVerifiedPlans; ++i) failed.insert(case_key(first.verified.at(i).test_case));
  Bench bench = fake.bench();
  bench.failed = [&](const Case& c) { return failed.contains(case_key(c)); };
  const Placed next = place(request(), bench);
  ASSERT_TRUE(next.winner);
  for (const Outcome& o : next.verified) EXPECT_FALSE(failed.contains(case_key(o.test_case)));
  EXPECT_EQ(fake.found.predicted.size(), first.plans.size()) << "what was found stays";
  std::set<std::string> kept;
  for (const Case& c : fake.found.failed) kept.insert(case_key(c));
  EXPECT_EQ(kept, failed);
  bench.failed = [](const Case&) { return true; };
  EXPECT_THAT(place(request(), bench).verified, IsEmpty());
}

TEST(Place, WhatMayNotFitIsNoPlanAndALibraryCountsWhoeverRunsOnIt) {
  FakeBench fake({{{"a", "x"}, 1}, {{"b", "x"}, 3}, {{"b", "y"}, 2}});
  PlaceRequest r = request();
  r.memory_limit = 1e12;
  const Placed placed = place(r, fake.bench());
  for (const auto& [backend, bytes] : placed.problem.libraries) EXPECT_GT(bytes, 0) << backend;
  Bench unknown = fake.bench();
  unknown.measure = [measure = unknown.measure](PlaceStep step, const std::vector<Case>& cases) {
    std::vector<Outcome> outcomes = measure(step, cases);
    for (Outcome& o : outcomes) {
      std::erase_if(o.metrics, [&](const Metric& m) { return m.tag == "memory.model" && o.test_case.backend == "y"; });
    }
    return outcomes;
  };
  EXPECT_EQ(place(r, unknown).problem.members[1].size(), 1U) << "on y its memory is not known";
}

TEST(Place, ALibraryCountsWhereOnlySmallerBatchesRunOnIt) {
  FakeBench fake(kEachItsOwn);
  PlaceRequest r = request();
  r.batches = {4};
  r.memory_limit = 1e12;
  Bench bench = fake.bench();
  bench.measure = [measure = bench.measure](PlaceStep step, const std::vector<Case>& cases) {
    std::vector<Outcome> outcomes = measure(step, cases);
    for (Outcome& o : outcomes) {
      if (o.test_case.backend == "y" && o.test_case.batch_size == kBatch) o.state = OutcomeState::kFailed;
    }
    return outcomes;
  };
  const Placed placed = place(r, bench);
  ASSERT_EQ(placed.problem.libraries.size(), 2U);
  for (const auto& [backend, bytes] : placed.problem.libraries) EXPECT_EQ(bytes, 50 * 1024.0 * 1024.0) << backend;
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
  fake.small_batch = 0.5;
  const Placed placed = place(r, fake.bench());
  EXPECT_EQ(placed.problem.members[0].size(), 4U);  // two engines, batches of 8 and 4
  EXPECT_THAT(placed.verified.at(0).test_case.placement.seats, ElementsAre(Seat{"x", 4}, Seat{"y", 4}));
}

/// Ten members, three of them on one engine only: more combinations than are all tried. A member with a larger number
/// takes more memory, and in batches of half the ensemble's less of it, but more time.
struct TenMembers {
  TenMembers() {
    std::mt19937 generator(5);
    std::uniform_real_distribution<double> seconds(0.5, 5), quicker(0.25, 2.5);
    MadeUpCosts costs;
    std::vector<std::string> names;
    for (int m = 0; m < 10; ++m) {
      names.push_back("m" + std::to_string(m));
      costs[{names.back(), "x"}] = seconds(generator);
      if (m < 7) costs[{names.back(), "y"}] = quicker(generator);
    }
    request.ensemble.model = joined_members(names);
    request.batches = {kBatch / 2};
    fake = std::make_unique<FakeBench>(costs);
    fake->small_batch = 1.3;
    fake->beside = 1.05;
    bench = fake->bench();
    bench.measure = [measure = bench.measure](PlaceStep step, const std::vector<Case>& cases) {
      std::vector<Outcome> outcomes = measure(step, cases);
      for (Outcome& o : outcomes) {
        const double mib = 60 + 20 * (o.test_case.model.back() - '0');
        for (Metric& metric : o.metrics) {
          if (metric.tag == "memory.model") metric.value = o.test_case.batch_size < kBatch ? 0.4 * mib : mib;
        }
      }
      return outcomes;
    };
  }

  PlaceRequest request = tune::request();
  std::unique_ptr<FakeBench> fake;
  Bench bench;
};

TEST(Place, OfTenMembersTheLocalSearchComesWithinTwoPerCentOfTheExactOneAndWins) {
  constexpr double kMiB = 1024.0 * 1024.0;
  TenMembers ten;
  ten.request.memory_limit = 1100 * kMiB;
  const Placed placed = place(ten.request, ten.bench);
  double combinations = 1;
  for (const std::vector<Way>& ways : placed.problem.members) combinations *= static_cast<double>(ways.size());
  ASSERT_GT(combinations, 100'000) << "so that it is the local search";
  const Plan exact = best_plans(placed.problem, 1, 1'000'000).at(0);
  ASSERT_FALSE(placed.plans.empty());
  EXPECT_GE(placed.plans[0].seconds, exact.seconds - 1e-12);
  EXPECT_LE(placed.plans[0].seconds, 1.02 * exact.seconds);
  for (const Plan& plan : placed.plans) EXPECT_LE(plan.memory, ten.request.memory_limit);
  Problem roomy = placed.problem;
  roomy.memory_limit = 0;
  EXPECT_GT(exact.seconds, best_plans(roomy, 1)[0].seconds) << "memory is what makes it hard";
  ASSERT_TRUE(placed.winner);
  EXPECT_EQ(placed.verified[*placed.winner].test_case.strategy, "placed");
  EXPECT_EQ(placed.verified[*placed.winner].test_case.placement.seats.size(), 10U);
  const auto sequential = std::find_if(placed.verified.begin(), placed.verified.end(),
                                       [](const Outcome& o) { return o.test_case.strategy == "sequential"; });
  ASSERT_NE(sequential, placed.verified.end());
  EXPECT_EQ(sequential->state, OutcomeState::kMeasured);
}

TEST(Place, WhereThreadsAreMoreThanMembersTheirDivisionIsAPartOfThePlan) {
  PlaceRequest r = request();
  r.ensemble.threads = 4;
  FakeBench fake({{{"a", "x"}, 1}, {{"b", "x"}, 1}});
  r.backends = {"x"};
  Bench bench = fake.bench();
  // On four threads b is as slow as on two, a four times as quick as on one.
  bench.measure = [measure = bench.measure](PlaceStep step, const std::vector<Case>& cases) {
    std::vector<Outcome> outcomes = measure(step, cases);
    for (Outcome& o : outcomes) {
      const Case& c = o.test_case;
      if (step != PlaceStep::kAlone) continue;
      const int quick = c.model == "b" ? std::min(c.threads, 2) : c.threads;
      for (Metric& m : o.metrics) {
        if (m.tag == "throughput") m.value = 0.1;
        if (m.tag == "latency.p50") m.value = 1e3 * kBatch * 40.0 / quick;
      }
    }
    return outcomes;
  };
  const Placed placed = place(r, bench);
  EXPECT_THAT(placed.problem.members.at(0).at(0).on_threads, ElementsAre(testing::Pair(2, 20.0)));
  const auto concurrent = std::find_if(placed.plans.begin(), placed.plans.end(),
                                       [](const Plan& plan) { return plan.strategy == "concurrent"; });
  ASSERT_NE(concurrent, placed.plans.end());
  EXPECT_THAT(concurrent->threads, ElementsAre(2, 2));
  EXPECT_DOUBLE_EQ(concurrent->seconds, 20);
  const Case c = plan_case(r, placed.problem, *concurrent);
  EXPECT_EQ(c.strategy, "placed");
  EXPECT_THAT(c.placement.seats, ElementsAre(Seat{"x", 0, 2}, Seat{"x", 0, 2}));
  for (const PlacedSearch::Prediction& p : fake.found.predicted) {
    const int each = p.placement.strategy == "sequential" ? 4 : p.placement.strategy == "pipelined" ? 1 : 2;
    EXPECT_THAT(p.placement.seats, testing::Each(testing::Field(&Placement::Seat::threads, each)));
  }
}

TEST(Place, WhatIsForeseenIsNoLessThanWhatIsMeasured) {
  PlaceRequest r = request();
  r.batches = {1, 8};
  for (const int threads : {1, 2, 4}) {
    r.ensemble.threads = threads;
    FakeBench fake(kEachItsOwn);
    (void)place(r, fake.bench());
    const Foreseen f = foreseen(r);
    // Members, engines, batches, both ways; of four threads a lane may have two.
    EXPECT_EQ(f.alone.size(), threads == 4 ? 24U : 16U);
    EXPECT_EQ(f.pairs.size(), threads > 1 ? 4U : 0U);
    EXPECT_LE(fake.measured.size(), f.alone.size() + f.pairs.size() + f.plans.size());
    EXPECT_GE(fake.measured.size(), f.alone.size() + f.pairs.size() + 1);
  }
}

}  // namespace
}  // namespace assay::tune
