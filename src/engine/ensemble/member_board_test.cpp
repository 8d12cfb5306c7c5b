#include "engine/ensemble/member_board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "assay/ensemble.hpp"
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

}  // namespace
}  // namespace assay::engine
