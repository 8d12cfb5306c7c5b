#include "core/strided.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>
#include <vector>

namespace assay {
namespace {

TEST(ContiguousSlice, LeadingAxesAreSlicedInPlace) {
  alignas(64) const float data[2 * 3 * 4] = {};
  const Shape shape = {2, 3, 4};
  EXPECT_EQ(contiguous_slice(data, 4, shape, {}, 0, 1, 1), reinterpret_cast<const std::byte*>(data + 12));
  EXPECT_EQ(contiguous_slice(data, 4, shape, {}, -1, 0, 0), reinterpret_cast<const std::byte*>(data));
  EXPECT_EQ(contiguous_slice(data, 4, {1, 3, 4}, {}, 1, 2, 1), reinterpret_cast<const std::byte*>(data + 8));
  EXPECT_EQ(contiguous_slice(data, 4, shape, {}, 1, 0, 1), nullptr);  // two pieces
  EXPECT_NE(contiguous_slice(data, 4, shape, {}, 1, 0, 3), nullptr);  // all of it
  EXPECT_EQ(contiguous_slice(data, 4, shape, {24, 8, 1}, 0, 0, 1), nullptr);
  EXPECT_NE(contiguous_slice(data, 4, shape, {99, 4, 1}, 0, 0, 1), nullptr);  // a stride that is never taken
  EXPECT_EQ(contiguous_slice(reinterpret_cast<const char*>(data) + 1, 4, shape, {}, 0, 0, 1), nullptr);
}

TEST(CopyBlock, AgreesWithIndexing) {
  std::mt19937 random(7);
  const auto upto = [&](unsigned n) { return static_cast<std::int64_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    const std::size_t rank = 1 + random() % 4;
    const std::size_t element = std::size_t{1} << (random() % 4);
    Shape shape, from_strides(rank), to_strides(rank);
    for (std::size_t a = 0; a < rank; ++a) shape.push_back(1 + upto(4));
    const auto fill_strides = [&](Shape& strides) {  // a permutation of the axes, with gaps
      std::vector<std::size_t> order(rank);
      std::iota(order.begin(), order.end(), 0U);
      std::shuffle(order.begin(), order.end(), random);
      std::int64_t step = 1;
      for (const std::size_t a : order) {
        strides[a] = step;
        step *= shape[a] + upto(2);
      }
      return static_cast<std::size_t>(step);
    };
    std::vector<std::byte> from(fill_strides(from_strides) * element), to(fill_strides(to_strides) * element);
    for (std::byte& b : from) b = static_cast<std::byte>(random());
    std::vector<std::byte> expected = to;
    const int axis = static_cast<int>(upto(static_cast<unsigned>(rank) + 1)) - 1;
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t count = axis < 0 ? 1 : 1 + upto(static_cast<unsigned>(shape[a]));
    const std::int64_t from_first = axis < 0 ? 0 : upto(static_cast<unsigned>(shape[a] - count) + 1);
    const std::int64_t to_first = axis < 0 ? 0 : upto(static_cast<unsigned>(shape[a] - count) + 1);
    Shape index(rank, 0);
    for (bool more = true; more;) {
      std::int64_t at_from = 0, at_to = 0;
      for (std::size_t d = 0; d < rank; ++d) {
        const bool sliced = static_cast<int>(d) == axis;
        at_from += (index[d] + (sliced ? from_first : 0)) * from_strides[d];
        at_to += (index[d] + (sliced ? to_first : 0)) * to_strides[d];
      }
      std::memcpy(expected.data() + static_cast<std::size_t>(at_to) * element,
                  from.data() + static_cast<std::size_t>(at_from) * element, element);
      more = false;
      for (std::size_t d = rank; d-- > 0 && !more;) {
        more = ++index[d] < (static_cast<int>(d) == axis ? count : shape[d]);
        if (!more) index[d] = 0;
      }
    }
    copy_block({to.data(), &shape, &to_strides, to_first}, {from.data(), &shape, &from_strides, from_first}, axis,
               count, element);
    ASSERT_EQ(to, expected) << round;
  }
}

TEST(ByteRange, CoversNegativeStridesAndNothing) {
  float data[20];
  const auto at = [&](int i) { return reinterpret_cast<std::uintptr_t>(data + i); };
  const ByteRange backwards = byte_range(data + 19, 4, {4, 5}, {-5, -1});
  EXPECT_EQ(backwards.begin, at(0));
  EXPECT_EQ(backwards.end, at(20));
  EXPECT_FALSE(byte_range(data, 4, {0, 5}, {}).overlaps(backwards));
  EXPECT_FALSE(byte_range(data, 4, {2, 5}, {}).overlaps(byte_range(data + 10, 4, {2, 5}, {})));
}

}  // namespace
}  // namespace assay
