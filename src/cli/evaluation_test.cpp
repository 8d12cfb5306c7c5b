#include "cli/evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "measure/weights.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A row that is sure of one of the classes.
void add_row(measure::Scores& scores, std::int64_t answer, float sure) {
  for (std::int64_t c = 0; c < scores.classes; ++c) {
    scores.values.push_back(c == answer ? sure : (1 - sure) / static_cast<float>(scores.classes - 1));
  }
}

/// Of 40 images of 8 classes: `wrong[m]` says of which images member m takes the next class.
Answered answered(const std::vector<std::vector<int>>& wrong, const std::vector<float>& sure) {
  constexpr std::int64_t kImages = 40;
  constexpr std::int64_t kClasses = 8;
  Answered a;
  a.model = "models";
  for (std::size_t m = 0; m < wrong.size(); ++m) {
    a.members.push_back(std::string(1, static_cast<char>('a' + m)));
    measure::Scores scores{kClasses, {}};
    for (int i = 0; i < kImages; ++i) {
      const bool errs = std::find(wrong[m].begin(), wrong[m].end(), i) != wrong[m].end();
      add_row(scores, (i + (errs ? 1 : 0)) % kClasses, sure[m]);
    }
    a.scores.push_back(std::move(scores));
  }
  for (int i = 0; i < kImages; ++i) a.labels.push_back(i % kClasses);
  return a;
}

const Judged& mean_of(const Evaluation& e) {
  if (!e.ensemble) throw std::logic_error("no ensemble");
  return *e.ensemble;
}

const WeightSearch& search_of(const Evaluation& e) {
  if (!e.weights) throw std::logic_error("no weights");
  return *e.weights;
}

/// What is printed, on one line.
std::string told(const Evaluation& e) {
  std::string text = evaluation_text(e);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::vector<int> range(int first, int last) {
  std::vector<int> all;
  for (int i = first; i < last; ++i) all.push_back(i);
  return all;
}

// Three that err apart from each other: two outvote the third.
TEST(Evaluation, AnEnsembleThatIsBetterIsSaidToBe) {
  const Evaluation e = evaluation_of(answered({range(0, 10), range(10, 22), range(22, 36)}, {0.9F, 0.9F, 0.9F}));
  EXPECT_EQ(e.members[0].top(1).hits, 30);
  EXPECT_EQ(e.members[2].top(1).hits, 26);
  EXPECT_EQ(mean_of(e).top(1).hits, 40);
  EXPECT_EQ(e.best, 0U);
  EXPECT_EQ(e.paired.only_first, 10);
  EXPECT_EQ(e.paired.only_second, 0);
  const std::string text = told(e);
  EXPECT_THAT(text, HasSubstr("75.0 [59.8, 85.8]"));
  EXPECT_THAT(text, HasSubstr("the ensemble is better."));
  // Other weights are as right on the first half, and surer; on the second they are no better.
  EXPECT_THAT(text, HasSubstr("no gain can be shown"));
}

TEST(Evaluation, OneImageIsSingular) {
  const std::string text = told(evaluation_of(answered({{0}, {1}, {2}}, {0.9F, 0.9F, 0.9F})));
  EXPECT_THAT(text, HasSubstr("right about 1 image,"));
  EXPECT_THAT(text, Not(HasSubstr(" 1 images")));
}

// Two that err together outvote the one that is right, unless it weighs more.
TEST(Evaluation, WeightsThatHelpAreFoundAndJudgedOnTheOtherHalf) {
  const Evaluation e = evaluation_of(answered({{}, range(0, 24), range(0, 24)}, {0.9F, 0.9F, 0.9F}));
  EXPECT_EQ(mean_of(e).top(1).hits, 16);
  EXPECT_TRUE(e.paired.second_is_better());
  EXPECT_EQ(search_of(e).searched, 20);
  EXPECT_GT(search_of(e).weights[0], search_of(e).weights[1] + search_of(e).weights[2]);
  EXPECT_EQ(search_of(e).weighted.top(1).hits, 20);
  EXPECT_TRUE(search_of(e).paired.first_is_better());
  const std::string text = told(e);
  EXPECT_THAT(text, HasSubstr("the ensemble is worse."));
  EXPECT_THAT(text, HasSubstr("the weights are better than equal ones."));
  const auto j = evaluation_json(e);
  EXPECT_EQ(j["weights"]["paired"]["gain_shown"], true);
  EXPECT_EQ(j["ensemble"]["paired"]["only_member"], 24);
}

// On the one half the first is right alone, on the other only the two others are: each half by itself has another
// winner.
TEST(Evaluation, WeightsAreNotJudgedByTheImagesThatTheyWereFoundOn) {
  const Answered plain = answered({{}, {}, {}}, {0.9F, 0.9F, 0.9F});
  const measure::Halves halves = measure::halves(plain.labels, plain.seed);
  const std::vector<int> search(halves.search.begin(), halves.search.end());
  const std::vector<int> judge(halves.judge.begin(), halves.judge.end());
  const Evaluation e = evaluation_of(answered({judge, search, search}, {0.9F, 0.9F, 0.9F}));
  EXPECT_GT(search_of(e).weights[0], search_of(e).weights[1] + search_of(e).weights[2]);
  EXPECT_EQ(search_of(e).equal.top(1).hits, 20);
  EXPECT_EQ(search_of(e).weighted.top(1).hits, 0);
  EXPECT_EQ(search_of(e).paired.only_first, 0);
  EXPECT_THAT(told(e), HasSubstr("the weights are worse than equal ones."));
}

// Weights of 5, 4, 2 and 1, as often as each member alone knew the class. In the other half the first is against two of
// 4 and 1: in twelfths their sum would be rounded below its five.
TEST(Evaluation, VotesThatAreEvenUnderTheWeightsFoundAreForTheFirstClass) {
  constexpr std::size_t kMembers = 4;
  Answered a;
  a.members = {"a", "b", "c", "d"};
  a.combine = Combine::kVote;
  for (int i = 0; i < 24; ++i) a.labels.push_back(4 + i % 3);
  const measure::Halves halves = measure::halves(a.labels, a.seed);
  std::vector<std::vector<std::int64_t>> answers(a.labels.size());
  for (std::size_t i = 0; i < halves.search.size(); ++i) {
    const std::size_t image = halves.search[i];
    answers[image] = {0, 1, 2, 3};
    answers[image][i < 5 ? 0 : i < 9 ? 1 : i < 11 ? 2 : 3] = a.labels[image];
  }
  for (const std::size_t image : halves.judge) answers[image] = {7, a.labels[image], 0, a.labels[image]};
  for (std::size_t m = 0; m < kMembers; ++m) {
    measure::Scores& scores = a.scores.emplace_back(measure::Scores{8, {}});
    for (const std::vector<std::int64_t>& answer : answers) add_row(scores, answer[m], 0.9F);
  }
  const Evaluation e = evaluation_of(a);
  EXPECT_EQ(search_of(e).weights, (std::vector<double>{5, 4, 2, 1}));
  EXPECT_EQ(search_of(e).weighted.top(1).hits, 12);
  EXPECT_THAT(told(e), HasSubstr("a 5, b 4, c 2, d 1")) << "as --weights takes them";
}

// Two images are no evidence, or three, whatever the weights. A class has five, so each half has two or three of them.
TEST(Evaluation, AGainThatCannotBeShownIsNotClaimed) {
  const std::vector<int> one_class = {0, 8, 16, 24, 32};
  const Evaluation e = evaluation_of(answered({{}, one_class, one_class}, {0.9F, 0.9F, 0.9F}));
  EXPECT_FALSE(search_of(e).paired.first_is_better());
  EXPECT_THAT(told(e), HasSubstr("no gain can be shown"));
  EXPECT_THAT(told(e), Not(HasSubstr("are better")));
  EXPECT_THAT(told(e), HasSubstr("no difference can be shown"));
}

// The member that is surest leads the mean, and has one vote of three.
TEST(Evaluation, VotesAreCountedNotAdded) {
  Answered a = answered({range(0, 30), {}, {}}, {0.99F, 0.2F, 0.2F});
  EXPECT_EQ(mean_of(evaluation_of(a)).top(1).hits, 10);
  a.combine = Combine::kVote;
  for (float& v : a.scores[0].values) v *= 10;  // votes know no scale
  const Evaluation e = evaluation_of(a);
  EXPECT_EQ(mean_of(e).top(1).hits, 40);
  EXPECT_TRUE(e.warnings.empty());
  const auto j = evaluation_json(e);
  EXPECT_EQ(j["ensemble"]["combine"], "vote");
  EXPECT_TRUE(j["ensemble"]["top5"].is_null());
  EXPECT_FALSE(j["members"][0]["top5"].is_null());
  EXPECT_THAT(told(e), HasSubstr("ensemble (vote)"));
}

TEST(Evaluation, WeightsThatAreGivenAreJudgedAndNoneSearchedFor) {
  struct GivenRow {
    Combine combine;
    std::vector<double> weights;
    std::int64_t right;
    const char* name;
  };
  for (const GivenRow& row : {GivenRow{Combine::kMean, {}, 16, "ensemble (mean)"},
                              GivenRow{Combine::kMean, {3, 1, 1}, 40, "ensemble (mean, weights 3, 1, 1)"},
                              GivenRow{Combine::kMean, {1, 1, 0.5}, 16, "ensemble (mean, weights 1, 1, 0.5)"},
                              GivenRow{Combine::kVote, {}, 16, "ensemble (vote)"},
                              GivenRow{Combine::kVote, {2.5, 1, 1}, 40, "ensemble (vote, weights 2.5, 1, 1)"}}) {
    Answered a = answered({{}, range(0, 24), range(0, 24)}, {0.9F, 0.9F, 0.9F});
    a.combine = row.combine;
    a.weights = row.weights;
    const Evaluation e = evaluation_of(a);
    EXPECT_EQ(mean_of(e).name, row.name);
    EXPECT_EQ(mean_of(e).top(1).hits, row.right) << row.name;
    EXPECT_EQ(e.weights.has_value(), row.weights.empty()) << row.name;
    const auto j = evaluation_json(e);
    EXPECT_EQ(j["weights"].is_null(), !row.weights.empty());
    EXPECT_EQ(j["ensemble"]["given_weights"].is_null(), row.weights.empty());
    EXPECT_EQ(told(e).find("those given") == std::string::npos, row.weights.empty()) << told(e);
  }
}

TEST(Evaluation, MembersThatAnswerAlikeNeedNoWeights) {
  EXPECT_THAT(told(evaluation_of(answered({{1}, {1}}, {0.9F, 0.9F}))), HasSubstr("No weights were found"));
}

TEST(Evaluation, AWeightOfZeroIsAMemberLeftOut) {
  const Evaluation e = evaluation_of(answered({{}, range(0, 40)}, {0.6F, 0.9F}));
  EXPECT_THAT(search_of(e).weights, ElementsAre(1, 0));
  EXPECT_THAT(told(e), HasSubstr("a 1, b 0 (that is, left out)"));
}

TEST(Evaluation, OneModelHasNoEnsemble) {
  const Evaluation e = evaluation_of(answered({range(0, 20)}, {0.9F}));
  const auto j = evaluation_json(e);
  EXPECT_TRUE(j["ensemble"].is_null());
  EXPECT_TRUE(j["weights"].is_null());
  EXPECT_EQ(j["n"], 40);
  EXPECT_EQ(j["members"][0]["top1"]["value"], 0.5);
  EXPECT_THAT(told(e), Not(HasSubstr("nsemble")));
}

TEST(Evaluation, TopFiveOfFiveClassesSaysNothing) {
  Answered a{"m", {"m"}, {{5, {}}}, {0, 1}, 1};
  add_row(a.scores[0], 0, 0.9F);
  add_row(a.scores[0], 0, 0.9F);
  EXPECT_TRUE(evaluation_json(evaluation_of(a))["members"][0]["top5"].is_null());
}

TEST(Evaluation, ScalesThatAreMixedAreWarnedOf) {
  Answered a = answered({{}, {}}, {0.9F, 0.9F});
  for (float& v : a.scores[1].values) v *= 10;
  EXPECT_THAT(evaluation_of(a).warnings, ElementsAre(HasSubstr("a answer probabilities, b other values")));
}

TEST(Evaluation, WhatIsPrintedFitsInto80Columns) {
  Answered a = answered({{}, range(0, 9)}, {0.9F, 0.9F});
  a.members = {std::string(50, 'x'), std::string(90, 'y')};
  a.model = a.members[0] + "+" + a.members[1];
  std::istringstream lines(evaluation_text(evaluation_of(a)));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(report::width(line), report::kColumns) << line;
}

}  // namespace
}  // namespace assay::cli
