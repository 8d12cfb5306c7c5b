#include "model/zoo/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace assay::model {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers that come with the authors' Random123 library.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomTensor, AnyPieceIsThePieceOfTheWhole) {
  const RandomTensor random(5, "conv1.weight");
  std::vector<std::int32_t> whole(103);
  random.fill(0, whole.data(), whole.size());
  for (const std::uint64_t first : {0, 1, 3, 4, 50}) {
    std::vector<std::int32_t> piece(53);
    random.fill(first, piece.data(), piece.size());
    EXPECT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + static_cast<std::ptrdiff_t>(first))) << first;
  }
}

TEST(RandomTensor, HasMeanZeroAndDeviationOne) {
  const RandomTensor random(1, "x");
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const double u = random.unit(i);
    EXPECT_LE(std::abs(u), 2.4495);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.02);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
}

TEST(RandomTensor, SeedsAndNamesMakeDifferentNumbers) {
  const double here = RandomTensor(1, "a").unit(0);
  EXPECT_NE(here, RandomTensor(2, "a").unit(0));
  EXPECT_NE(here, RandomTensor(std::uint64_t{1} << 32 | 1, "a").unit(0));
  EXPECT_NE(here, RandomTensor(1, "b").unit(0));
}

}  // namespace
}  // namespace assay::model
