// The cases of a search.
#include "tune/place_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/error.hpp"

namespace assay::tune {
namespace {

PlaceRequest two_on_two() {
  PlaceRequest r;
  r.ensemble.model = "a+b";
  r.ensemble.batch_size = 8;
  r.ensemble.threads = 2;
  r.backends = {"x", "y"};
  return r;
}

TEST(PlaceCases, OnOneEngineSmallerBatchesAreAPlacementToo) {
  Problem problem;
  problem.members = {{{"x", 8, 1, 1, 0}, {"x", 1, 1, 1, 0}}, {{"x", 8, 1, 1, 0}, {"x", 1, 1, 1, 0}}};
  struct Row {
    std::vector<std::size_t> ways;
    const char* strategy;
    std::vector<Placement::Seat> seats;
  };
  for (const Row& row : {Row{{0, 0}, "concurrent", {}}, Row{{0, 1}, "placed", {{"x", 0}, {"x", 1}}},
                         Row{{1, 1}, "placed", {{"x", 1}, {"x", 1}}}}) {
    const Case c = plan_case(two_on_two(), problem, {"concurrent", row.ways, 0, 0});
    EXPECT_EQ(c.strategy, row.strategy);
    EXPECT_EQ(c.backend, "x");
    EXPECT_EQ(c.placement.seats, row.seats);
    EXPECT_EQ(c.placement.strategy, row.seats.empty() ? "" : "concurrent");
  }
}

TEST(PlaceCases, CostsAreOfTheThreadsThatALaneMayHave) {
  struct Row {
    const char* model;
    int threads;
    std::vector<int> lanes;
  };
  for (const Row& row : {Row{"a+b", 2, {}}, Row{"a+b", 3, {2}}, Row{"a+b", 8, {2, 4}}, Row{"a+b+c", 3, {}},
                         Row{"a+b+c", 4, {2}}, Row{"a+b+c", 16, {2, 4, 8}}, Row{"a", 8, {}}}) {
    PlaceRequest r = two_on_two();
    r.ensemble.model = row.model;
    r.ensemble.threads = row.threads;
    EXPECT_EQ(lane_threads(r), row.lanes) << row.model << " " << row.threads;
    std::set<int> measured;
    for (const Case& c : cost_cases(r)) measured.insert(c.threads);
    std::set<int> wanted(row.lanes.begin(), row.lanes.end());
    wanted.insert(row.threads);
    EXPECT_EQ(measured, wanted) << row.model << " " << row.threads;
  }
}

TEST(PlaceCases, NoLaneOfAPairWaitsForLong) {
  EXPECT_EQ(times_beside(1, 1), 1);
  for (double costlier = 1; costlier < 8.5; costlier += 0.01) {
    const double lane = times_beside(costlier, 1);
    EXPECT_LT(std::abs(lane - costlier) / std::max(lane, costlier), 1 / 3.0) << costlier;
    EXPECT_LT(lane - 1, costlier) << "the longest first: the last would go to the costlier one's lane";
  }
  EXPECT_EQ(times_beside(1000, 1), 8);
}

TEST(PlaceCases, WhatIsSaidOfTheInputsIsSaidToEachMemberByItsOwnNames) {
  PlaceRequest r = two_on_two();
  TensorInfo x;
  x.name = "x";
  x.shape = {-1, 3, -1, -1};
  x.batch_axis = 0;
  TensorInfo image = x;
  image.name = "image";
  r.files = {{"a", {x}}, {"b", {image}}};
  const Shape shape = {1, 3, 32, 32};
  r.ensemble.shapes = {{"x", shape}};
  using Shapes = std::map<std::string, Shape>;
  EXPECT_EQ(member_case(r, "a", {"x"}, 8, Goal::kLatency).shapes, (Shapes{{"x", shape}}));
  EXPECT_EQ(member_case(r, "b", {"x"}, 8, Goal::kLatency).shapes, (Shapes{{"image", shape}}));
  EXPECT_EQ(pair_case(r, {"a", {"x"}}, {"b", {"x"}}).shapes, (Shapes{{"x", shape}}));
  EXPECT_EQ(pair_case(r, {"b", {"x"}}, {"a", {"x"}}).shapes, (Shapes{{"image", shape}}));
}

TEST(PlaceCases, ARequestComesBackFromItsText) {
  PlaceRequest r = two_on_two();
  r.batches = {1};
  r.ensemble.strategy = kPlaced;
  r.ensemble.weights = {1, 2};
  const std::vector<PlaceRequest> back = requests_from_text(to_text({r, two_on_two()}), "here");
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(case_key(back[0].ensemble), case_key(r.ensemble));
  EXPECT_EQ(back[0].backends, r.backends);
  EXPECT_EQ(back[0].batches, r.batches);
  for (const char* text : {"", "[1]", R"([{"ensemble": {}}])"})
    EXPECT_THROW((void)requests_from_text(text, "here"), Error);
}

}  // namespace
}  // namespace assay::tune
