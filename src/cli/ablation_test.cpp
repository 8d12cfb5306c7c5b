#include "cli/ablation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.hpp"

namespace assay::cli {
namespace {

using testing::HasSubstr;

Case null_case() {
  Case c;
  c.model = "m";
  c.backend = "null";
  return c;
}

TEST(Ablation, WithoutItTheCasesStay) { EXPECT_EQ(ablated({null_case()}, {}).size(), 1U); }

TEST(Ablation, EachOtherValueOfAnOptionIsACase) {
  const std::vector<Case> all = ablated({null_case()}, {"short_batch"});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].options.empty());
  EXPECT_EQ(all[1].options.at("short_batch"), "pad");
  EXPECT_EQ(ablated({null_case()}, {"null.short_batch"}).size(), 2U);
}

TEST(Ablation, OfAListNothingAndEachChoiceAloneIsACase) {
  std::vector<std::string> values;
  for (const Case& c : ablated({null_case()}, {"untold"})) {
    values.push_back(c.options.contains("untold") ? c.options.at("untold") : "(default)");
  }
  EXPECT_THAT(values, testing::ElementsAre("(default)", "copy_in", "compute", "copy_out"));
}

TEST(Ablation, AllTakesEveryOptionWithAListOfValuesOneAtATime) {
  const std::vector<Case> all = ablated({null_case()}, {"all"});
  EXPECT_GT(all.size(), 2U);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].options.size(), 1U);
}

TEST(Ablation, WhatACaseSetsStays) {
  Case c = null_case();
  c.options["short_batch"] = "pad";
  EXPECT_EQ(ablated({c}, {"short_batch"}).size(), 1U);
}

TEST(Ablation, AnOptionThatNobodyHasOrThatHasNoListIsRefused) {
  const auto message = [](const std::string& name) -> std::string {
    try {
      ablated({null_case()}, {name});
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message("short_bach"), HasSubstr("short_batch"));
  EXPECT_THAT(message("compute_ms"), HasSubstr("--option"));
}

}  // namespace
}  // namespace assay::cli
