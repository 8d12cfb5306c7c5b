#include "assay/tensor.hpp"

#include <gtest/gtest.h>

#include "assay/error.hpp"

namespace assay {
namespace {

TEST(Shape, TextAndBack) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 3, 224, 224}, Shape{-1, 0, 7}}) {
    EXPECT_EQ(shape_from_string(to_string(shape)), shape) << to_string(shape);
  }
  for (const char* text : {"", "x", "1x", "1xx2", "-1x3", "1x3 ", "99999999999999999999", "a"}) {
    EXPECT_THROW(shape_from_string(text), Error) << text;
  }
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({0, 1LL << 62, 8}), 0);
  EXPECT_THROW(element_count({2, -1}), Error);
  EXPECT_THROW(element_count({1LL << 40, 1LL << 40}), Error);
}

TEST(DType, NamesAndSizes) {
  EXPECT_EQ(size_of(DType::kFloat16), 2U);
  EXPECT_EQ(size_of(DType::kInt64), 8U);
  EXPECT_EQ(dtype_from_string("bfloat16"), DType::kBFloat16);
  EXPECT_STREQ(to_string(DType::kUint8), "uint8");
  EXPECT_THROW(dtype_from_string("float"), Error);
  EXPECT_THROW(size_of(static_cast<DType>(99)), Error);
}

TEST(Tensor, IsAlignedAndSized) {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}}) {
    Tensor t(DType::kFloat32, shape);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data()) % 64, 0U);
    EXPECT_EQ(t.bytes(), static_cast<std::size_t>(element_count(shape)) * 4);
    EXPECT_EQ(t.view().shape, shape);
  }
  EXPECT_THROW(Tensor(DType::kFloat64, {1LL << 61}), Error);
}

}  // namespace
}  // namespace assay
