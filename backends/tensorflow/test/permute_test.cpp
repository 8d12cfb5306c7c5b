#include <gmock/gmock.h>

#include <cstring>

#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

using testing::ElementsAre;

template <class T>
std::vector<T> moved(const std::vector<T>& values, const Ints& dims, const Ints& order) {
  const std::vector<std::byte> bytes = permuted(std::as_bytes(std::span(values)), dims, order, sizeof(T));
  std::vector<T> result(values.size());
  if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

TEST(Permuted, IsATransposition) {
  EXPECT_THAT(moved<float>({1, 2, 3, 4, 5, 6}, {2, 3}, {1, 0}), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(moved<std::uint8_t>({1, 2, 3, 4, 5, 6}, {1, 2, 3}, {0, 2, 1}), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(moved<std::int64_t>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2}, {2, 1, 0}), ElementsAre(1, 5, 3, 7, 2, 6, 4, 8));
}

TEST(Permuted, OfNothingIsNothing) { EXPECT_TRUE(moved<float>({}, {0, 3}, {1, 0}).empty()); }

TEST(Layouts, AreEachOthersInverse) {
  EXPECT_THAT(to_last(4), ElementsAre(0, 2, 3, 1));
  EXPECT_THAT(from_last(4), ElementsAre(0, 3, 1, 2));
  EXPECT_THAT(to_last(3), ElementsAre(0, 2, 1));
  for (const std::size_t rank : {3U, 4U, 5U}) {
    const Ints there = to_last(rank);
    const Ints back = from_last(rank);
    for (std::size_t i = 0; i < rank; ++i) {
      EXPECT_EQ(there[static_cast<std::size_t>(back[i])], static_cast<std::int64_t>(i));
      EXPECT_EQ(Operator::place(there[i], rank, true), static_cast<std::int64_t>(i));
    }
  }
}

}  // namespace
}  // namespace assay::tensorflow
