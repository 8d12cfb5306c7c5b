#include "core/copy.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "assay/error.hpp"

namespace assay {
namespace {

std::vector<int> counting(std::size_t n) {
  std::vector<int> v(n);
  std::iota(v.begin(), v.end(), 0);
  return v;
}

TEST(Copy, StridedAgainstTheDefinition) {
  const std::vector<int> source = counting(2 * 3 * 4);
  struct Row {
    const char* what;
    Shape from_strides;
    Shape to_strides;
  };
  const Row rows[] = {{"both contiguous", {}, {}},
                      {"from Fortran order", {1, 2, 6}, {}},
                      {"to Fortran order", {}, {1, 2, 6}},
                      {"last two axes swapped", {12, 1, 3}, {12, 1, 3}}};
  for (const Row& row : rows) {
    std::vector<int> target(source.size(), -1);
    const Shape shape = {2, 3, 4};
    copy_elements({source.data(), DType::kInt32, shape, row.from_strides},
                  {target.data(), DType::kInt32, shape, row.to_strides});
    const Shape from = row.from_strides.empty() ? contiguous_strides(shape) : row.from_strides;
    const Shape to = row.to_strides.empty() ? contiguous_strides(shape) : row.to_strides;
    for (int a = 0; a < 2; ++a) {
      for (int b = 0; b < 3; ++b) {
        for (int c = 0; c < 4; ++c) {
          EXPECT_EQ(target[static_cast<std::size_t>(a * to[0] + b * to[1] + c * to[2])],
                    source[static_cast<std::size_t>(a * from[0] + b * from[1] + c * from[2])])
              << row.what;
        }
      }
    }
  }
}

TEST(Copy, SlicesOfAnyAxis) {
  const std::vector<int> source = counting(12);
  const TensorView view{source.data(), DType::kInt32, {3, 4}, {}};
  std::vector<int> target(6);
  copy_elements(slice(view, 1, 1, 2), {target.data(), DType::kInt32, {3, 2}, {}});
  EXPECT_EQ(target, (std::vector<int>{1, 2, 5, 6, 9, 10}));
  EXPECT_THROW(slice(view, 1, 3, 2), Error);
  EXPECT_THROW(slice(view, 2, 0, 1), Error);
}

TEST(Copy, ScalarsEmptyAndMismatch) {
  const int one = 7;
  int to = 0;
  copy_elements({&one, DType::kInt32, {}, {}}, {&to, DType::kInt32, {}, {}});
  EXPECT_EQ(to, 7);
  copy_elements({nullptr, DType::kInt32, {0, 3}, {}}, {nullptr, DType::kInt32, {0, 3}, {}});
  const Shape many(40, 1);
  EXPECT_THROW(copy_elements({&one, DType::kInt32, many, {}}, {&to, DType::kInt32, many, {}}), Error);
  EXPECT_THROW(copy_elements({&one, DType::kInt32, {1}, {}}, {&to, DType::kInt32, {}, {}}), Error);
  EXPECT_THROW(copy_elements({&one, DType::kInt32, {}, {}}, {&to, DType::kFloat32, {}, {}}), Error);
}

}  // namespace
}  // namespace assay
