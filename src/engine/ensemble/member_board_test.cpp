#include "engine/ensemble/member_board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "assay/ensemble.hpp"
#include "engine/ensemble/one_graph.hpp"
#include "engine/testing/sessions.hpp"
#include "model/zoo.hpp"

namespace assay::engine {
namespace {

class MemberBoardTest : public testing::Test {
 protected:
  MemberBoardTest() { note_members_on(&board_); }
  ~MemberBoardTest() override { note_members_on(nullptr); }
  [[nodiscard]] std::string told() const { return describe_under_way(board_); }
  MemberBoard board_;
};

TEST_F(MemberBoardTest, SaysWhoIsUnderWay) {
  const MemberNote a("a"), b("b\n");
  EXPECT_EQ(told(), "");
  {
    const auto first = a.computing();
    const auto again = a.computing();
    EXPECT_EQ(told(), "member 'a' was computing");
    const auto second = b.computing();
    EXPECT_EQ(told(), "members 'a', 'b' were computing");
    const auto third = b.loading();
    EXPECT_EQ(told(), "member 'b' was being loaded, members 'a', 'b' were computing");
  }
  EXPECT_EQ(told(), "");
}

TEST_F(MemberBoardTest, MembersOfOneGraphAreUnderWayTogether) {
  {
    std::vector<MemberNote> notes;
    for (const char* name : {"a", "b"}) notes.emplace_back(name);
    const OneGraph graph({"a", "b"}, std::move(notes));
    UnderWay loading = graph.loading();
    const UnderWay moved = std::move(loading);
    EXPECT_EQ(told(), "members 'a', 'b' were being loaded");
    const UnderWay computing = graph.computing();
    EXPECT_EQ(told(), "members 'a', 'b' were being loaded, members 'a', 'b' were computing");
  }
  EXPECT_EQ(told(), "");
}

TEST_F(MemberBoardTest, PlacesAreUsedAgainAndThoseBeyondAreNotTold) {
  for (std::size_t i = 0; i < 3 * MemberBoard::kPlaces; ++i) const MemberNote passing("passing");
  std::vector<MemberNote> notes;
  for (std::size_t i = 0; i <= MemberBoard::kPlaces; ++i) notes.emplace_back("m" + std::to_string(i));
  const auto beyond = notes.back().computing();
  EXPECT_EQ(told(), "");
  const MemberNote moved = std::move(notes.front());
  const auto computing = moved.computing();
  EXPECT_EQ(told(), "member 'm0' was computing");
}

TEST_F(MemberBoardTest, LongNamesAreCutBetweenLetters) {
  std::string name;
  while (name.size() < 400) name += "ä";
  const MemberNote note(name);
  const auto computing = note.computing();
  EXPECT_EQ(told(), "member '" + name.substr(0, 114) + "' was computing");
}

TEST(MemberBoard, WithoutOneNothingIsNoted) {
  const MemberNote note("a");
  const auto computing = note.computing();
  EXPECT_EQ(describe_under_way(MemberBoard()), "");
}

TEST_F(MemberBoardTest, AnEnsembleThatIsIdleOrGoneHasNobodyUnderWay) {
  const TemporaryFolder folder;
  const auto network = model::write_zoo_network({.name = "tiny-resnet"}, folder.path());
  {
    Session session = assay::load({network, network}, {.backend = "null", .batch_size = 2, .threads = 1});
    const Tensor x = test::random_tensor(DType::kFloat32, {2, 3, 32, 32}, 5);
    (void)session.predict(x.view());
    EXPECT_EQ(told(), "");
    EXPECT_STREQ(board_.places.at(1).name.data(), "tiny-resnet#2");
    EXPECT_EQ(board_.places.at(1).taken, 1U);
  }
  EXPECT_EQ(board_.places.at(1).taken, 0U);
}

TEST_F(MemberBoardTest, OneGraphThatIsIdleFailedOrGoneHasNobodyUnderWay) {
  const TemporaryFolder folder;
  const auto network = model::write_zoo_network({.name = "tiny-resnet"}, folder.path());
  const Ensemble twice{.members = {{.model = network}, {.model = network}}, .strategy = "merged"};
  Params params{.backend = "null", .batch_size = 2, .threads = 1};
  const Tensor x = test::random_tensor(DType::kFloat32, {8, 3, 32, 32}, 5);
  for (const char* fault : {"", "open", "submit:2", "run:2"}) {
    params.options["fail_at"] = fault;
    try {
      Session session = assay::load(twice, params);
      EXPECT_EQ(board_.places.at(1).taken, 1U) << fault;
      (void)session.predict(x.view());
      EXPECT_STREQ(fault, "");
    } catch (const Error&) {
      EXPECT_STRNE(fault, "");
    }
    for (const MemberBoard::Place& place : board_.places) {
      EXPECT_EQ(place.taken + place.loading + place.computing, 0U) << fault;
    }
  }
}

}  // namespace
}  // namespace assay::engine
