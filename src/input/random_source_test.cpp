#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "assay/error.hpp"
#include "input/source.hpp"

namespace assay::input {
namespace {

using ::testing::HasSubstr;

TensorInfo image_input() {
  return {.name = "x", .dtype = DType::kFloat32, .shape = {-1, 3, 8, 8}, .axes = {"n", "", "", ""}, .batch_axis = 0};
}

Tensor filled(Source& source, DType dtype, Shape shape, std::int64_t first, std::int64_t count) {
  Tensor tensor(dtype, std::move(shape));
  const MutableTensorView view = tensor.mutable_view();
  source.fill(first, count, std::span(&view, 1));
  return tensor;
}

TEST(RandomSource, FloatsAreStandardNormalAndAFunctionOfTheSample) {
  const auto source = random_source({image_input()}, {}, {.source = "random", .seed = 7, .ranges = {}}, 192 * 4 * 100);
  const Tensor batch = filled(*source, DType::kFloat32, {64, 3, 8, 8}, 0, 64);
  double sum = 0;
  double squares = 0;
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    sum += batch.as<float>()[i];
    squares += batch.as<float>()[i] * batch.as<float>()[i];
  }
  const auto n = static_cast<double>(batch.size());
  EXPECT_NEAR(sum / n, 0, 0.05);
  EXPECT_NEAR(squares / n, 1, 0.05);
  const Tensor third = filled(*source, DType::kFloat32, {1, 3, 8, 8}, 2, 1);
  EXPECT_EQ(std::memcmp(third.data(), batch.as<float>() + 2 * 192, 192 * 4), 0);
  EXPECT_NE(std::memcmp(third.data(), batch.as<float>() + 3 * 192, 192 * 4), 0);
}

TEST(RandomSource, RotatesOverJustMoreThanTheCache) {
  const auto source = random_source({image_input()}, {}, {}, 192 * 4 * 4);  // exactly four samples: five exceed it
  const Tensor first = filled(*source, DType::kFloat32, {1, 3, 8, 8}, 0, 1);
  const Tensor fourth = filled(*source, DType::kFloat32, {1, 3, 8, 8}, 4, 1);
  const Tensor again = filled(*source, DType::kFloat32, {1, 3, 8, 8}, 5, 1);
  EXPECT_EQ(std::memcmp(first.data(), again.data(), first.bytes()), 0);
  EXPECT_NE(std::memcmp(first.data(), fourth.data(), first.bytes()), 0);
}

TEST(RandomSource, SeedsAndInputsDiffer) {
  TensorInfo other = image_input();
  other.name = "y";
  const auto two = random_source({image_input(), other}, {}, {}, 0);
  Tensor x(DType::kFloat32, {1, 3, 8, 8});
  Tensor y(DType::kFloat32, {1, 3, 8, 8});
  const MutableTensorView views[] = {x.mutable_view(), y.mutable_view()};
  two->fill(0, 1, views);
  EXPECT_NE(std::memcmp(x.data(), y.data(), x.bytes()), 0);
  const auto reseeded = random_source({image_input()}, {}, {.source = "random", .seed = 2, .ranges = {}}, 0);
  const Tensor z = filled(*reseeded, DType::kFloat32, {1, 3, 8, 8}, 0, 1);
  EXPECT_NE(std::memcmp(x.data(), z.data(), x.bytes()), 0);
}

TEST(RandomSource, IntegersCoverTheirRangeAndNoMore) {
  const TensorInfo ids{.name = "ids", .dtype = DType::kInt64, .shape = {-1, 200}, .axes = {}, .batch_axis = 0};
  const auto source = random_source({ids}, {}, {.source = "random", .seed = 1, .ranges = {{"ids", {-3, 4}}}}, 0);
  const Tensor t = filled(*source, DType::kInt64, {1, 200}, 0, 1);
  std::set<std::int64_t> seen(t.as<std::int64_t>(), t.as<std::int64_t>() + t.size());
  EXPECT_EQ(seen, (std::set<std::int64_t>{-3, -2, -1, 0, 1, 2, 3, 4}));
}

TEST(RandomSource, BatchAxisMayBeAnyOrNone) {
  const TensorInfo last{.name = "a", .dtype = DType::kUint8, .shape = {5, -1}, .axes = {}, .batch_axis = 1};
  const TensorInfo none{.name = "b", .dtype = DType::kUint8, .shape = {4}, .axes = {}, .batch_axis = -1};
  const auto source = random_source({last, none}, {}, {}, 0);
  Tensor a(DType::kUint8, {5, 2});
  Tensor b(DType::kUint8, {4});
  const MutableTensorView views[] = {a.mutable_view(), b.mutable_view()};
  source->fill(0, 2, views);
  for (int row = 0; row < 5; ++row) EXPECT_EQ(a.as<std::uint8_t>()[2 * row], a.as<std::uint8_t>()[2 * row + 1]);
}

TEST(RandomSource, RefusesWhatItCannotMake) {
  TensorInfo open = image_input();
  open.shape = {-1, 3, -1, 8};
  const auto message = [](auto&& make) {
    try {
      make();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(message([&] { random_source({open}, {}, {}, 0); }), HasSubstr("--shape x="));
  EXPECT_NO_THROW(random_source({open}, {{"x", {9, 3, 8, 8}}}, {}, 0));
  const TensorInfo bytes{.name = "u", .dtype = DType::kUint8, .shape = {2}, .axes = {}, .batch_axis = -1};
  EXPECT_THAT(
      message([&] { random_source({bytes}, {}, {.source = "random", .seed = 1, .ranges = {{"u", {0, 256}}}}, 0); }),
      HasSubstr("within 0 and 255"));
  EXPECT_THAT(message([&] {
                random_source({image_input()}, {}, {.source = "random", .seed = 1, .ranges = {{"x", {0, 1}}}}, 0);
              }),
              HasSubstr("ranges are for integers"));
}

}  // namespace
}  // namespace assay::input
