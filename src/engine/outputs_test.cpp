// Outputs that are no plain row a sample: scalars, those without a batch axis, those of which only the run tells the
// shape. What cannot be put together, or taken apart, is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/sessions.hpp"

namespace assay {
namespace {

using namespace ::testing;  // NOLINT: matchers by their names
using namespace test;       // NOLINT

TEST(Outputs, AScalarBesideABatch) {
  Session session = open_null("x:float32:-1x5->y:float32:-1x3,s:float32:", {.batch_size = 4});
  EXPECT_EQ(session.outputs()[1].batch_axis, -1);
  const Tensor x = random_tensor(DType::kFloat32, {10, 5}, 1);
  const TensorView four{x.data(), DType::kFloat32, {4, 5}, {}};
  const std::vector<Tensor> expected = session.predict(four);
  EXPECT_EQ(expected[1].shape(), Shape{});
  Tensor y(DType::kFloat32, {4, 3}), s(DType::kFloat32, {});
  session.predict({&four, 1}, std::vector<MutableTensorView>{y.mutable_view(), s.mutable_view()});
  EXPECT_TRUE(same(s, expected[1]));
  EXPECT_THAT(error_of([&] { session.predict(x.view()); }).message(),
              AllOf(HasSubstr("no batch axis"), HasSubstr("--batch-axis s=")));
}

TEST(Outputs, OfUnknownRankAreTakenAsTheyCome) {
  Session session = open_null("x:float32:-1x5->z:int64:?", {.batch_size = 4, .in_flight = 2});
  EXPECT_FALSE(session.outputs()[0].rank_known);
  const Tensor x = random_tensor(DType::kFloat32, {8, 5}, 1);
  const TensorView four{x.data(), DType::kFloat32, {4, 5}, {}}, eight = x.view();
  const Tensor z = std::move(session.predict(four)[0]);
  Tensor mine(DType::kInt64, z.shape());
  const MutableTensorView out = mine.mutable_view();
  session.predict({&four, 1}, {&out, 1});
  EXPECT_TRUE(same(mine, z));
  // The pretended shape is one of 2, 2x2 and 2x2x2: no row for each sample.
  EXPECT_EQ(error_of([&] { session.predict(eight); }).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of([&] { session.predict({&eight, 1}, {&out, 1}); }).code(), ErrorCode::kInvalidArgument);
  Tensor scalar(DType::kInt64, {});
  const MutableTensorView too_small = scalar.mutable_view();
  EXPECT_EQ(error_of([&] { session.predict({&four, 1}, {&too_small, 1}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(session.predict({x.data(), DType::kFloat32, {0, 5}, {}})[0].shape(), Shape{0});
}

TEST(Outputs, MemoryForWhatOnlyTheRunKnowsIsAsLongAsTheSamples) {
  Session session = open_null("x:float32:-1x1->y:float32:-1x-1", {.batch_size = 1, .in_flight = 2});
  Tensor x(DType::kFloat32, {6, 1});
  std::fill_n(x.as<float>(), 6, 0.5F);
  const TensorView in = x.view();
  const std::int64_t width = session.predict(in)[0].shape()[1];
  for (const std::int64_t rows : {0, 1, 5, 7}) {
    Tensor y(DType::kFloat32, {rows, width});
    const MutableTensorView out = y.mutable_view();
    EXPECT_THAT(error_of([&] { session.predict({&in, 1}, {&out, 1}); }).message(), HasSubstr("6 samples")) << rows;
  }
}

TEST(Outputs, WithoutARowForEachSampleNothingIsFilledUp) {
  const std::string io = "x:float32:-1x5->y:float32:-1x3,s:float32:1";
  Params params{.batch_size = 4};
  params.options["short_batch"] = "pad";
  Session padding = open_null(io, params);
  Session fixed = open_null("x:float32:4x5->y:float32:4x3,s:float32:1", {.batch_axis = {{"x", 0}}});
  const Tensor x = random_tensor(DType::kFloat32, {4, 5}, 1);
  for (Session* session : {&padding, &fixed}) {
    EXPECT_EQ(session->predict(x.view())[1].shape(), Shape{1});
    const Error e = error_of([&] { session->predict({x.data(), DType::kFloat32, {3, 5}, {}}); });
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
    EXPECT_EQ(e.context(), "s");
    EXPECT_THAT(e.message(), HasSubstr("3 samples was filled up to 4"));
  }
}

TEST(Outputs, OfOneNameTwiceAreRefused) {
  const Error e = error_of([] { open_null("x:float32:-1x5->y:float32:-1x3,y:float32:-1x3"); });
  EXPECT_EQ(e.code(), ErrorCode::kInvalidModel);
  EXPECT_EQ(e.context(), "y");
}

TEST(Outputs, OfNoSampleWithoutABatchAxis) {
  Session session = open_null("x:float32:-1x5->y:float32:-1x3,s:float32:1", {.batch_size = 4});
  const TensorView none{nullptr, DType::kFloat32, {0, 5}, {}};
  EXPECT_THAT(error_of([&] { session.predict(none); }).message(), HasSubstr("0 samples"));
  Tensor y(DType::kFloat32, {0, 3}), s(DType::kFloat32, {1});
  const std::vector<MutableTensorView> out = {y.mutable_view(), s.mutable_view()};
  EXPECT_EQ(error_of([&] { session.predict({&none, 1}, out); }).context(), "s");
}

TEST(Outputs, AStreamPutsNoBatchesTogetherThatPredictDoesNot) {
  const FillFunction fill = [](std::int64_t, std::int64_t count, std::span<const MutableTensorView> in) {
    std::memset(in[0].data, 0, static_cast<std::size_t>(count) * 20);
  };
  int drained = 0;
  const DrainFunction drain = [&](std::int64_t, std::int64_t, std::span<const TensorView>) { ++drained; };
  Session batched = open_null("x:float32:-1x5->y:float32:-1x3,s:float32:1", {.batch_size = 4});
  EXPECT_EQ(error_of([&] { batched.predict_stream(5, fill, drain); }).context(), "s");
  EXPECT_EQ(batched.predict_stream(5, fill, {}).batches, 2);
  EXPECT_EQ(batched.predict_stream(4, fill, drain).batches, 1);
  Session whole = open_null("x:float32:1x5->y:float32:1x3");
  EXPECT_THAT(error_of([&] { whole.predict_stream(2, fill, drain); }).message(), HasSubstr("--batch-axis y="));
  EXPECT_EQ(drained, 1);
}

TEST(Outputs, AFixedFirstAxisComesWithTheWayToManySamples) {
  Session session = open_null("x:float32:1x5->y:float32:1x3");
  const Tensor x = random_tensor(DType::kFloat32, {6, 5}, 1);
  EXPECT_THAT(error_of([&] { session.predict(x.view()); }).message(),
              AllOf(HasSubstr("--batch-axis x=0"), HasSubstr("Params::batch_axis")));
  Session told = open_null("x:float32:1x5->y:float32:1x3", {.batch_axis = {{"x", 0}}});
  EXPECT_EQ(told.predict(x.view())[0].shape(), (Shape{6, 3}));
}

}  // namespace
}  // namespace assay
