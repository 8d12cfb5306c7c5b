// What of an ensemble is pure: the wiring, and the combining.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ensemble/combine.hpp"
#include "engine/ensemble/member_meter.hpp"
#include "engine/ensemble/wiring.hpp"
#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MemberTensors member(const std::string& name, const std::string& io) {
  const std::size_t arrow = io.find("->");
  MemberTensors m{name, 0, test::tensors_of(io.substr(0, arrow)), test::tensors_of(io.substr(arrow + 2))};
  for (TensorInfo& t : m.outputs) t.batch_axis = 0;
  return m;
}

std::vector<std::string> names(const std::vector<TensorInfo>& all) {
  std::vector<std::string> result;
  for (const TensorInfo& t : all) result.push_back(t.name);
  return result;
}

TEST(Wire, TheOnlyInputOfEachIsOneWhateverItsName) {
  const std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->y:float32:-1x3"),
                                          member("b", "image:float32:-1x5->z:float32:-1x3")};
  const Wiring w = wire(all, Combine::kMean);
  EXPECT_THAT(names(w.inputs), ElementsAre("x"));
  EXPECT_THAT(names(w.outputs), ElementsAre("y"));
  EXPECT_THAT(w.input_of, ElementsAre(ElementsAre(0), ElementsAre(0)));
  EXPECT_THAT(w.output_of, ElementsAre(ElementsAre(0), ElementsAre(0)));
}

TEST(Wire, AnotherShapeIsAnInputOfItsOwn) {
  const std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->y:float32:-1x3"),
                                          member("b", "x:float32:-1x7->y:float32:-1x3"),
                                          member("c", "x:float32:-1x5->y:float32:-1x3")};
  const Wiring w = wire(all, Combine::kMean);
  EXPECT_THAT(names(w.inputs), ElementsAre("a.x", "b.x"));
  EXPECT_THAT(w.input_of, ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(0)));
}

TEST(Wire, AnInputHasItsMembersNameBeforeItOnlyWhereItMust) {
  struct Row {
    const char *of_a, *of_b;
    int group_of_b;
    std::vector<std::string> inputs;
  };
  for (const Row& row :
       {Row{"x:float32:-1x5", "image:float32:-1x7", 0, {"x", "image"}},
        Row{"x:float32:-1x5", "x:float32:-1x7", 0, {"a.x", "b.x"}},
        Row{"x:float32:-1x5", "image:float32:-1x5", 1, {"x", "b.image"}},
        Row{"ids:int64:-1x4,mask:int64:-1x4", "ids:int64:-1x4,mask:int64:-1x9", 0, {"ids", "a.mask", "b.mask"}}}) {
    std::vector<MemberTensors> all = {member("a", row.of_a + std::string("->y:float32:-1x3")),
                                      member("b", row.of_b + std::string("->y:float32:-1x3"))};
    all[1].input_group = row.group_of_b;
    const Wiring w = wire(all, Combine::kMean);
    EXPECT_EQ(names(w.inputs), row.inputs) << row.of_a << ", " << row.of_b;
    const std::string& last = all[1].inputs.back().name;  // what is said of it reaches the member
    EXPECT_THAT(for_member<int>({{row.inputs.back(), 1}}, w, all[1], 1),
                ElementsAre(std::pair<const std::string, int>(last, 1)));
  }
}

TEST(Wire, WhatIsPreparedInTheSameWayIsShared) {
  struct Row {
    std::vector<int> groups;
    std::vector<std::string> inputs;
    std::vector<std::size_t> input_of;
  };
  for (const Row& row : {Row{{0, 0, 0}, {"x"}, {0, 0, 0}}, Row{{0, 1, 0}, {"a.x", "b.x"}, {0, 1, 0}},
                         Row{{0, 1, 1}, {"a.x", "b.x"}, {0, 1, 1}}, Row{{0, 1, 2}, {"a.x", "b.x", "c.x"}, {0, 1, 2}},
                         Row{{1, 1, 1}, {"a.x"}, {0, 0, 0}}}) {
    std::vector<MemberTensors> all;
    for (std::size_t m = 0; m < 3; ++m) {
      all.push_back(member(std::string(1, "abc"[m]), "x:float32:-1x5->y:float32:-1x3"));
      all.back().input_group = row.groups[m];
    }
    const Wiring w = wire(all, Combine::kMean);
    EXPECT_EQ(names(w.inputs), row.inputs) << testing::PrintToString(row.groups);
    for (std::size_t m = 0; m < 3; ++m) {
      EXPECT_THAT(w.input_of[m], ElementsAre(row.input_of[m])) << testing::PrintToString(row.groups);
    }
  }
}

TEST(Wire, SeveralInputsAreSharedByName) {
  const std::vector<MemberTensors> all = {member("a", "ids:int64:-1x4,mask:int64:-1x4->y:float32:-1x3"),
                                          member("b", "mask:int64:-1x4,ids:int64:-1x4->y:float32:-1x3")};
  const Wiring w = wire(all, Combine::kMean);
  EXPECT_THAT(names(w.inputs), ElementsAre("ids", "mask"));
  EXPECT_THAT(w.input_of, ElementsAre(ElementsAre(0, 1), ElementsAre(1, 0)));
  EXPECT_THAT(for_member<int>({{"ids", 1}}, w, all[1], 1), ElementsAre(std::pair<const std::string, int>("ids", 1)));
}

TEST(Wire, WhatIsSaidOfAnOutputReachesTheMembersThatHaveIt) {
  const std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->y:float32:-1x3"),
                                          member("b", "x:float32:-1x5->z:float32:-1x3")};
  const std::vector<MemberTensors> several = {member("a", "x:float32:-1x5->boxes:float32:-1x4,scores:float32:-1x3"),
                                              member("b", "x:float32:-1x5->scores:float32:-1x3,boxes:float32:-1x4")};
  using Axes = std::map<std::string, int>;
  struct Row {
    const std::vector<MemberTensors>& members;
    Combine combine;
    Axes given;
    Axes of_second;
  };
  for (const Row& row : {Row{all, Combine::kMean, {{"y", 1}}, {{"z", 1}}}, Row{all, Combine::kVote, {{"z", 1}}, {}},
                         Row{all, Combine::kMembers, {{"b.z", 1}, {"a.y", 0}}, {{"z", 1}}},
                         Row{several, Combine::kMean, {{"scores", 1}, {"x", 1}}, {{"scores", 1}}}}) {
    EXPECT_EQ(for_member_outputs<int>(row.given, row.members.front(), row.members[1], row.combine), row.of_second)
        << to_string(row.combine) << testing::PrintToString(row.given);
  }
}

TEST(Wire, AFixedBatchIsTheMembersOwn) {
  std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->y:float32:-1x3"),
                                    member("b", "x:float32:4x5->y:float32:4x3")};
  all[1].inputs[0].batch_axis = 0;
  const Wiring w = wire(all, Combine::kMean);
  EXPECT_THAT(w.inputs, testing::SizeIs(1));
  EXPECT_THAT(w.inputs[0].shape, ElementsAre(-1, 5));
}

TEST(Wire, OutputsOfSeveralAreCombinedByName) {
  const std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->boxes:float32:-1x4,scores:float32:-1x3"),
                                          member("b", "x:float32:-1x5->scores:float32:-1x3,boxes:float32:-1x4")};
  EXPECT_THAT(wire(all, Combine::kMean).output_of, ElementsAre(ElementsAre(0, 1), ElementsAre(1, 0)));
}

TEST(Wire, MembersOwnOutputsCarryTheirNames) {
  const std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->y:float32:-1x3"),
                                          member("b", "x:float32:-1x5->y:int64:-1x9")};
  EXPECT_THAT(names(wire(all, Combine::kMembers).outputs), ElementsAre("a.y", "b.y"));
}

struct Refusal {
  const char* name;
  const char* a;
  const char* b;
  const char* says;
};

class WireRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(WireRefuses, WhatCannotBeCombined) {
  const Refusal& row = GetParam();
  const std::vector<MemberTensors> all = {member("a", row.a), member("b", row.b)};
  const Error e = test::error_of([&] { (void)wire(all, Combine::kMean); });
  EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(e.message(), HasSubstr(row.says));
  EXPECT_THAT(e.message(), HasSubstr("--combine members (Combine::kMembers)"));
}

INSTANTIATE_TEST_SUITE_P(
    Engine, WireRefuses,
    testing::Values(Refusal{"Classes", "x:float32:-1x5->y:float32:-1x3", "x:float32:-1x5->y:float32:-1x4",
                            "'y' of 'a' is float32 ?x3, 'y' of 'b' is float32 ?x4"},
                    Refusal{"Number", "x:float32:-1x5->y:float32:-1x3", "x:float32:-1x5->y:float32:-1x3,z:float32:-1x3",
                            "'a' has 1 of them, 'b' has 2"},
                    Refusal{"Names", "x:float32:-1x5->y:float32:-1x3,z:float32:-1x3",
                            "x:float32:-1x5->y:float32:-1x3,w:float32:-1x3",
                            "'b' has an output 'w', which 'a' has not"},
                    Refusal{"Types", "x:float32:-1x5->y:int64:-1x3", "x:float32:-1x5->y:int64:-1x3",
                            "float32 and float64 can be combined"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(MemberNames, AreThoseGivenElseTheFiles) {
  const std::vector<Member> members = {{.model = "a.onnx"}, {.model = "a.onnx", .name = "b"}, {.model = "x/a.onnx"}};
  EXPECT_THAT(member_names(members), ElementsAre("a", "b", "a#2"));
}

TEST(Wire, TwoMembersOfOneNameAreRefused) {
  const std::vector<MemberTensors> all = {member("a", "x:float32:-1x5->y:float32:-1x3"),
                                          member("a", "x:float32:-1x5->y:float32:-1x3")};
  EXPECT_THAT(test::error_of([&] { (void)wire(all, Combine::kMean); }).message(), HasSubstr("two members"));
}

TEST(CombineTest, MeanVoteAndWeights) {
  const std::vector<float> a = {0.75F, 0.25F, 0.5F, 0.5F};
  const std::vector<float> b = {0.25F, 0.75F, 0.0F, 1.0F};
  const void* members[] = {a.data(), b.data()};
  std::vector<float> y(4);
  combine(Combine::kMean, members, std::vector<double>{1, 1}, DType::kFloat32, {2, 2}, 0, y.data());
  EXPECT_THAT(y, ElementsAre(0.5F, 0.5F, 0.25F, 0.75F));
  combine(Combine::kMean, members, std::vector<double>{3, 1}, DType::kFloat32, {2, 2}, 0, y.data());
  EXPECT_THAT(y, ElementsAre(0.625F, 0.375F, 0.375F, 0.625F));
  combine(Combine::kVote, members, std::vector<double>{3, 1}, DType::kFloat32, {2, 2}, 0, y.data());
  EXPECT_THAT(y, ElementsAre(0.75F, 0.25F, 0.75F, 0.25F));  // of equals, the first
}

TEST(CombineTest, EvenVotesAreEven) {
  const std::vector<double> first = {1, 0, 0}, second = {0, 1, 0}, third = {0, 0, 1};
  const void* members[] = {third.data(), first.data(), first.data(), second.data()};
  std::vector<double> y(3);
  // 1/12 + 4/12 is less than 5/12 in doubles.
  combine(Combine::kVote, members, std::vector<double>{5, 1, 4, 2}, DType::kFloat64, {1, 3}, 0, y.data());
  EXPECT_EQ(y[0], y[2]);
  EXPECT_DOUBLE_EQ(y[1], 2.0 / 12);
}

TEST(CombineTest, WeightsOfVotesNeedNotFitTheAnswersType) {
  const std::vector<float> first = {1, 0}, second = {0, 1};
  const void* members[] = {first.data(), second.data(), second.data()};
  std::vector<float> y(2);
  // In float32 the first is 16777220, the second 16777216.
  combine(Combine::kVote, members, std::vector<double>{16777219, 16777217, 2}, DType::kFloat32, {1, 2}, 0, y.data());
  EXPECT_THAT(y, ElementsAre(0.5F, 0.5F));
}

TEST(CombineTest, VotesAreForTheClassesWhereverTheyLie) {
  const std::vector<float> a = {0, 1, 2, 5, 4, 3};
  struct Row {
    Shape shape;
    int batch_axis;
    std::vector<float> votes;
  };
  for (const Row& row : {Row{{2, 3}, 0, {0, 0, 1, 1, 0, 0}}, Row{{2, 3, 1, 1}, 0, {0, 0, 1, 1, 0, 0}},
                         Row{{2, 1, 1, 3}, 0, {0, 0, 1, 1, 0, 0}}, Row{{1, 2, 3}, 1, {0, 0, 1, 1, 0, 0}},
                         Row{{3, 2}, 1, {0, 0, 0, 1, 1, 0}}, Row{{3, 1, 2}, 2, {0, 0, 0, 1, 1, 0}},
                         Row{{6}, -1, {0, 0, 0, 1, 0, 0}}, Row{{1, 6, 1}, 0, {0, 0, 0, 1, 0, 0}}}) {
    const void* members[] = {a.data()};
    std::vector<float> y(a.size());
    combine(Combine::kVote, members, std::vector<double>{1}, DType::kFloat32, row.shape, row.batch_axis, y.data());
    EXPECT_EQ(y, row.votes) << to_string(row.shape);
  }
}

TEST(CombineTest, ThereIsOneAxisOfClassesOrNone) {
  struct Row {
    Shape shape;
    int batch_axis;
    std::optional<std::size_t> axis;
  };
  for (const Row& row :
       {Row{{-1, 3}, 0, 1}, Row{{-1, 3, 1, 1}, 0, 1}, Row{{3, -1}, 1, 0}, Row{{5}, -1, 0}, Row{{-1, -1}, 0, 1},
        Row{{-1, 1}, 0, {}}, Row{{-1}, 0, {}}, Row{{}, -1, {}}, Row{{-1, 3, 2}, 0, {}}, Row{{-1, 0}, 0, {}}}) {
    EXPECT_EQ(class_axis(row.shape, row.batch_axis), row.axis) << to_string(row.shape);
  }
}

TEST(CombineTest, WhatHasNoClassesIsNotVotedUpon) {
  for (const char* output : {"-1x1", "-1", "-1x3x2", "-1x1x1"}) {
    const std::string io = "x:float32:-1x5->y:float32:" + std::string(output);
    const std::vector<MemberTensors> all = {member("a", io), member("b", io)};
    EXPECT_NO_THROW((void)wire(all, Combine::kMean));
    EXPECT_THAT(test::error_of([&] { (void)wire(all, Combine::kVote); }).message(),
                testing::AllOf(HasSubstr("output 'y' of 'a' has the shape ?"), HasSubstr("two classes or more"),
                               HasSubstr("--combine mean or members")));
  }
}

TEST(CombineTest, Doubles) {
  const std::vector<double> a = {1, 0}, b = {0, 1};
  const void* members[] = {a.data(), b.data()};
  std::vector<double> y(2);
  combine(Combine::kMean, members, std::vector<double>{1, 1}, DType::kFloat64, {1, 2}, 0, y.data());
  EXPECT_THAT(y, ElementsAre(0.5, 0.5));
}

TEST(MemberMeterTest, WhatTwoLanesComputeAtOnceIsOneTimeOfBoth) {
  using std::chrono::nanoseconds;
  MemberMeter meter;
  meter.begin(nanoseconds(100));
  meter.begin(nanoseconds(110));
  EXPECT_EQ(meter.account(nanoseconds(120)).active, nanoseconds(20)) << "under way";
  meter.end(nanoseconds(100), nanoseconds(130));
  meter.end(nanoseconds(110), nanoseconds(150));
  meter.begin(nanoseconds(200));
  meter.end(nanoseconds(200), nanoseconds(205));
  const MemberAccount a = meter.account(nanoseconds(1000));
  EXPECT_EQ(a.batches, 3);
  EXPECT_EQ(a.busy, nanoseconds(30 + 40 + 5));
  EXPECT_EQ(a.active, nanoseconds(50 + 5));
  EXPECT_EQ(a.longest, nanoseconds(40));
}

TEST(CombineTest, NamesGoThereAndBack) {
  for (const Combine c : {Combine::kMean, Combine::kVote, Combine::kMembers}) {
    EXPECT_EQ(combine_from_string(to_string(c)), c);
  }
  EXPECT_THAT(test::error_of([] { (void)combine_from_string("median"); }).message(), HasSubstr("mean, vote, members"));
}

}  // namespace
}  // namespace assay::engine
