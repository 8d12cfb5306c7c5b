#include "measure/accuracy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/case.hpp"
#include "measure/weights.hpp"

namespace assay::measure {
namespace {

using testing::ElementsAre;

TEST(Accuracy, AVoteIsForTheFirstOfTheLargest) {
  const Scores scores = votes({3, {0.1F, 0.7F, 0.2F, 5, 5, -1, -3, -2, -2}});
  EXPECT_EQ(scores.classes, 3);
  EXPECT_EQ(scores.values, (std::vector<float>{0, 1, 0, 1, 0, 0, 0, 1, 0}));
}

// Newcombe, Two-sided confidence intervals for the single proportion (Statistics in Medicine, 1998), table I, method 3.
TEST(Accuracy, WilsonsIntervalIsThatOfNewcombesTable) {
  struct Row {
    std::int64_t hits, n;
    double low, high;
  };
  for (const Row& row : {Row{81, 263, 0.2553, 0.3662}, Row{15, 148, 0.0624, 0.1605}, Row{0, 20, 0, 0.1611},
                         Row{1, 29, 0.0061, 0.1718}, Row{29, 29, 0.8830, 1}}) {
    const Interval interval = Share{row.hits, row.n}.interval();
    EXPECT_NEAR(interval.low, row.low, 5e-5) << row.hits << "/" << row.n;
    EXPECT_NEAR(interval.high, row.high, 5e-5) << row.hits << "/" << row.n;
  }
  EXPECT_EQ((Share{0, 20}.interval().low), 0);
  EXPECT_EQ((Share{20, 20}.interval().high), 1);
  EXPECT_EQ((Share{0, 0}.interval().high), 1);
}

// Sums of binomial coefficients over powers of two.
TEST(Accuracy, McNemarsExactTest) {
  struct Row {
    std::int64_t first, second;
    double p;
  };
  for (const Row& row : {Row{0, 0, 1}, Row{1, 0, 1}, Row{5, 0, 2.0 / 32}, Row{0, 6, 2.0 / 64}, Row{7, 7, 1},
                         Row{1, 9, 2.0 * (1 + 10) / 1024}, Row{10, 2, 2.0 * (1 + 12 + 66) / 4096}}) {
    EXPECT_NEAR((Paired{row.first, row.second}.p()), row.p, 1e-9) << row.first << " " << row.second;
  }
  EXPECT_FALSE((Paired{5, 0}.first_is_better()));
  EXPECT_TRUE((Paired{6, 0}.first_is_better()));
  EXPECT_FALSE((Paired{0, 6}.first_is_better()));
  EXPECT_TRUE((Paired{0, 6}.second_is_better()));
}

Scores scores(std::int64_t classes, std::vector<float> values) { return {classes, std::move(values)}; }

TEST(Accuracy, RanksCountWhatIsLargerAndOfEqualsTheFirst) {
  const std::vector<Scores> member = {scores(4, {0.1F, 0.4F, 0.4F, 0.1F,  //
                                                 1, 2, 3, 4,              //
                                                 0, 0, 0, 0})};
  const std::vector<std::int64_t> labels = {2, 0, 3};
  const std::vector<double> one = {1};
  const auto all = ranks(member, one, labels, all_samples(3));
  EXPECT_THAT(all, ElementsAre(1, 3, 3));
  EXPECT_THAT(ranks(member, one, labels, {1}), ElementsAre(3));
  EXPECT_EQ(top(all, 1).hits, 0);
  EXPECT_EQ(top(all, 2).hits, 1);
  EXPECT_EQ(top(all, 4).n, 3);
}

TEST(Accuracy, WeightsDecideBetweenMembers) {
  const std::vector<Scores> members = {scores(2, {0.6F, 0.4F}), scores(2, {0.1F, 0.9F})};
  const std::vector<std::int64_t> labels = {0};
  EXPECT_THAT(ranks(members, std::vector<double>{1, 1}, labels, {0}), ElementsAre(1));
  EXPECT_THAT(ranks(members, std::vector<double>{5, 1}, labels, {0}), ElementsAre(0));
}

// 0.1 + 0.2 is rounded above 0.3.
TEST(Accuracy, EvenVotesUnderWholePartsAreForTheFirstClass) {
  const std::vector<Scores> members = {scores(3, {0, 1, 0}), scores(3, {0, 0, 1}), scores(3, {0, 0, 1})};
  const std::vector<double> given = {0.3, 0.1, 0.2};
  EXPECT_THAT(ranks(members, given, std::vector<std::int64_t>{1}, {0}), ElementsAre(1));
  EXPECT_THAT(ranks(members, whole_parts(given), std::vector<std::int64_t>{1}, {0}), ElementsAre(0));
}

TEST(Accuracy, PairsAreCountedWhereOneAloneIsRight) {
  const std::vector<std::int64_t> first = {0, 0, 1, 3, 0}, second = {0, 2, 0, 1, 1};
  const Paired p = paired(first, second);
  EXPECT_EQ(p.only_first, 2);
  EXPECT_EQ(p.only_second, 1);
}

TEST(Accuracy, ProbabilitiesAreToldFromLogits) {
  EXPECT_TRUE(are_probabilities(scores(2, {0.3F, 0.7F, 1, 0})));
  EXPECT_FALSE(are_probabilities(scores(2, {0.3F, 0.7F, 1, 1})));
  EXPECT_FALSE(are_probabilities(scores(2, {-1, 2})));
}

TEST(Weights, HalvesAreHalfOfEachClassAndTheSeedsAlone) {
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 40; ++i) labels.push_back(i % 4);
  for (const int odd : {4, 4, 4, 5, 6, 7}) labels.push_back(odd);  // classes of 3, 1, 1, 1
  const Halves h = halves(labels, 7);
  EXPECT_EQ(h.search.size(), 23U);
  EXPECT_EQ(h.judge.size(), 23U);
  for (std::int64_t c = 0; c < 4; ++c) {
    EXPECT_EQ(std::count_if(h.search.begin(), h.search.end(), [&](std::size_t i) { return labels[i] == c; }), 5);
  }
  Samples both = h.search;
  both.insert(both.end(), h.judge.begin(), h.judge.end());
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, all_samples(labels.size()));
  EXPECT_EQ(halves(labels, 7).search, h.search);
  EXPECT_NE(halves(labels, 8).search, h.search);
}

TEST(Weights, OfOneImageAClassTheSeedDrawsTheHalves) {
  std::vector<std::int64_t> labels(8);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i);
  std::set<Samples> drawn;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Halves h = halves(labels, seed);
    EXPECT_EQ(h.search.size(), 4U);
    EXPECT_EQ(h.judge.size(), 4U);
    std::sort(h.search.begin(), h.search.end());
    drawn.insert(h.search);
  }
  EXPECT_GT(drawn.size(), 10U);  // of 70
}

/// Members of which the first is always right with 0.6 and the others agree on the wrong class with 0.9.
std::vector<Scores> one_who_knows(std::size_t members, std::size_t samples) {
  std::vector<Scores> all(members, scores(2, {}));
  for (std::size_t s = 0; s < samples; ++s) {
    for (std::size_t m = 0; m < members; ++m) {
      const float right = m == 0 ? 0.6F : 0.1F;
      all[m].values.insert(all[m].values.end(), {right, 1 - right});
    }
  }
  return all;
}

TEST(Weights, TheOneWhoKnowsGetsThemAll) {
  for (const std::size_t members : {2U, 3U, 4U, 6U}) {
    const std::vector<std::int64_t> labels(5, 0);
    const auto all = one_who_knows(members, labels.size());
    const auto w = search_weights(all, labels, all_samples(labels.size()));
    ASSERT_EQ(w.size(), members);
    for (const double part : w) EXPECT_EQ(part, std::round(part));
    EXPECT_EQ(top(ranks(all, w, labels, all_samples(5)), 1).hits, 5) << members;
    EXPECT_GT(normalised(w)[0], 0.8) << members;
    EXPECT_EQ(top(ranks(all, std::vector<double>(members, 1), labels, all_samples(5)), 1).hits, 0) << members;
  }
}

TEST(Weights, WhatCannotBeToldApartStaysEqual) {
  const std::vector<std::int64_t> labels = {0, 1, 0};
  const Scores same = scores(2, {0.7F, 0.3F, 0.2F, 0.8F, 0.9F, 0.1F});
  for (const std::size_t members : {2U, 3U, 4U, 5U}) {
    const std::vector<Scores> all(members, same);
    const auto w = search_weights(all, labels, all_samples(3));
    EXPECT_EQ(w, std::vector<double>(members, 1));
  }
}

// Both are right about all; the surer one is the better, by probabilities and by what becomes some.
TEST(Weights, AmongEquallyRightOnesTheSurerWins) {
  const std::vector<std::int64_t> labels = {0, 1};
  for (const float size : {1.0F, 10.0F}) {
    const std::vector<Scores> all = {scores(2, {0.6F * size, 0.4F * size, 0.4F * size, 0.6F * size}),
                                     scores(2, {0.9F * size, 0.1F * size, 0.1F * size, 0.9F * size})};
    EXPECT_THAT(search_weights(all, labels, all_samples(2)), ElementsAre(0, 1));
  }
}

}  // namespace
}  // namespace assay::measure
