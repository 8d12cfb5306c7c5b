#include "core/search.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "assay/error.hpp"

namespace assay {
namespace {

TEST(PlacedSearch, ComesBackFromTheEnvironment) {
  PlacedSearch search;
  search.members = {"a", "b"};
  search.slowdown = {{1, 1.25}, {1.5, 1}};
  search.predicted = {{12.5, {"pipelined", {{"x", 8, 1}, {"y", 1, 3}}}}};
  Campaign campaign;
  EXPECT_FALSE(search_of(campaign));
  campaign.environment[kSearchKey] = to_text(search);
  const auto back = search_of(campaign);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->members, search.members);
  EXPECT_EQ(back->slowdown, search.slowdown);
  ASSERT_EQ(back->predicted.size(), 1U);
  EXPECT_EQ(back->predicted[0].rate, 12.5);
  EXPECT_EQ(back->predicted[0].placement.strategy, "pipelined");
  EXPECT_EQ(back->predicted[0].placement.seats, search.predicted[0].placement.seats);
  EXPECT_TRUE(back->slowdown_devices.empty());
  EXPECT_TRUE(back->failed.empty());
}

TEST(PlacedSearch, PlansThatFailedBeforeComeBackWithIt) {
  PlacedSearch search;
  search.failed.resize(2);
  search.failed[0].strategy = "concurrent";
  search.failed[1].strategy = kPlaced;
  search.failed[1].placement = {"pipelined", {{"x", 0}, {"y", 4}}};
  Campaign campaign;
  campaign.environment[kSearchKey] = to_text(search);
  const auto back = search_of(campaign);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->failed.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(case_key(back->failed[i]), case_key(search.failed[i])) << i;
}

TEST(PlacedSearch, OfSeveralDevicesComesBackWithThem) {
  PlacedSearch search;
  search.members = {"a", "b"};
  search.slowdown = {{1, 1.25}, {1.5, 1}};
  search.slowdown_devices = {"cpu", "gpu:0"};
  search.predicted = {{12.5, {"pipelined", {{"x", 8, 1, "cpu"}, {"y", 1, 0, "gpu:0"}}}}};
  Campaign campaign;
  campaign.environment[kSearchKey] = to_text(search);
  const auto back = search_of(campaign);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->slowdown_devices, search.slowdown_devices);
  EXPECT_EQ(back->predicted[0].placement.seats, search.predicted[0].placement.seats);
}

TEST(PlacedSearch, APairThatWasNotMeasuredComesBackAsSuch) {
  Campaign campaign;
  campaign.environment[kSearchKey] = to_text({{"a", "b"}, {{1, std::nan("")}, {1.5, 1}}, {}});
  const auto back = search_of(campaign);
  ASSERT_TRUE(back);
  EXPECT_TRUE(std::isnan(back->slowdown[0][1]));
  EXPECT_EQ(back->slowdown[1][0], 1.5);
}

TEST(PlacedSearch, WhatIsNoneIsAnErrorThatNamesTheEntry) {
  for (const char* text : {"", "[]", "{}", R"({"members": 1, "slowdown": [], "predicted": []})",
                           R"({"members": [], "slowdown": [], "predicted": [1]})"}) {
    Campaign campaign;
    campaign.environment[kSearchKey] = text;
    try {
      (void)search_of(campaign);
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << text;
      EXPECT_EQ(e.context(), kSearchKey) << text;
    }
  }
}

}  // namespace
}  // namespace assay
