// load and predict over the null backend, whose answer for a sample follows from that sample alone.

#include "assay/assay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine/stream.hpp"
#include "engine/testing/sessions.hpp"

namespace assay {
namespace {

using namespace ::testing;  // NOLINT: matchers by their names
using namespace test;       // NOLINT

constexpr const char* kIo = "x:float32:-1x5->y:float32:-1x3";

/// One sample at a time, each in a call of its own.
std::vector<Tensor> one_by_one(Session& session, const std::vector<Tensor>& x) {
  const std::int64_t samples = x[0].shape()[0];
  std::vector<Tensor> whole;
  std::vector<std::size_t> row;
  for (std::int64_t n = 0; n < samples; ++n) {
    std::vector<TensorView> views;
    for (const Tensor& t : x) {
      const std::size_t bytes = t.bytes() / static_cast<std::size_t>(samples);
      Shape shape = t.shape();
      shape[0] = 1;
      views.push_back({t.as<std::byte>() + static_cast<std::size_t>(n) * bytes, t.dtype(), shape, {}});
    }
    const std::vector<Tensor> y = session.predict(views);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (n == 0) {
        Shape shape = y[i].shape();
        shape[0] = samples;
        whole.emplace_back(y[i].dtype(), shape);
        row.push_back(y[i].bytes());
      }
      std::memcpy(whole[i].as<std::byte>() + static_cast<std::size_t>(n) * row[i], y[i].data(), row[i]);
    }
  }
  return whole;
}

std::vector<Tensor> only(Tensor t) {
  std::vector<Tensor> all;
  all.push_back(std::move(t));
  return all;
}

struct PredictCase {
  std::int64_t samples, batch;
  int in_flight;
  const char* short_batch;
  bool computes_in_wait;
};

class PredictTest : public TestWithParam<PredictCase> {};

TEST_P(PredictTest, TheAnswerDoesNotDependOnTheBatch) {
  const PredictCase c = GetParam();
  Params params{.batch_size = c.batch, .in_flight = c.in_flight};
  params.options["short_batch"] = c.short_batch;
  params.options["computes_in_wait"] = c.computes_in_wait ? "true" : "false";
  params.options["compute_ms"] = "0.2";
  Session session = open_null(kIo, params);
  Session single = open_null(kIo);
  const Tensor x = random_tensor(DType::kFloat32, {c.samples, 5}, 3);
  const std::vector<Tensor> y = session.predict(x.view());
  ASSERT_EQ(y.size(), 1U);
  EXPECT_EQ(y[0].shape(), (Shape{c.samples, 3}));
  if (c.samples > 0) {
    EXPECT_TRUE(same(y[0], one_by_one(single, only(random_tensor(DType::kFloat32, {c.samples, 5}, 3)))[0]));
  }
  Tensor mine(DType::kFloat32, {c.samples, 3});
  const TensorView view = x.view();
  const MutableTensorView out = mine.mutable_view();
  session.predict({&view, 1}, {&out, 1});
  EXPECT_TRUE(same(mine, y[0]));
}

std::vector<PredictCase> cases() {
  std::vector<PredictCase> all;
  for (const std::int64_t samples : {0, 1, 7, 8, 9, 25, 64}) {
    for (const std::int64_t batch : {0, 1, 8}) {
      for (const int in_flight : {1, 3}) {
        for (const char* policy : {"reshape", "pad"}) {
          all.push_back({samples, batch, in_flight, policy, false});
          if (in_flight > 1) all.push_back({samples, batch, in_flight, policy, true});
        }
      }
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Splits, PredictTest, ValuesIn(cases()), [](const auto& tested) {
  const PredictCase& c = tested.param;
  return "n" + std::to_string(c.samples) + "_batch" + std::to_string(c.batch) + "_flight" +
         std::to_string(c.in_flight) + "_" + c.short_batch + (c.computes_in_wait ? "_in_wait" : "");
});

TEST(Predict, StridedMemoryOnBothSides) {
  Session session = open_null(kIo, {.batch_size = 4, .in_flight = 2});
  const Tensor x = random_tensor(DType::kFloat32, {10, 5}, 1);
  const std::vector<Tensor> expected = session.predict(x.view());
  std::vector<float> wide(10 * 8, -1), turned(5 * 10), out(3 * 10, -1);
  for (std::size_t n = 0; n < 10; ++n) {
    for (std::size_t j = 0; j < 5; ++j) {
      wide[n * 8 + j] = x.as<float>()[n * 5 + j];
      turned[j * 10 + n] = x.as<float>()[n * 5 + j];
    }
  }
  EXPECT_TRUE(same(session.predict({wide.data(), DType::kFloat32, {10, 5}, {8, 1}})[0], expected[0]));
  EXPECT_TRUE(same(session.predict({turned.data(), DType::kFloat32, {10, 5}, {1, 10}})[0], expected[0]));
  const float* last = x.as<float>() + 9 * 5;
  const TensorView backwards{last, DType::kFloat32, {10, 5}, {-5, 1}};
  const MutableTensorView y{out.data(), DType::kFloat32, {10, 3}, {1, 10}};
  session.predict({&backwards, 1}, {&y, 1});
  for (std::size_t n = 0; n < 10; ++n) {
    for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(out[j * 10 + n], expected[0].as<float>()[(9 - n) * 3 + j]);
  }
}

TEST(Predict, MemoryThatIsNotAlignedToItsElements) {
  Session session = open_null(kIo, {.batch_size = 4});
  const Tensor x = random_tensor(DType::kFloat32, {9, 5}, 1);
  std::vector<std::byte> shifted(x.bytes() + 1);
  std::memcpy(shifted.data() + 1, x.data(), x.bytes());
  EXPECT_TRUE(
      same(session.predict({shifted.data() + 1, DType::kFloat32, {9, 5}, {}})[0], session.predict(x.view())[0]));
}

TEST(Predict, SeveralInputsAndOutputsOfSeveralTypes) {
  const std::string io = "a:uint8:-1x2x3,b:int64:-1,c:float16:-1x4->y:float32:-1x2,z:int64:-1x1,w:float16:-1x3x2";
  for (const char* policy : {"reshape", "pad"}) {
    Params params{.batch_size = 4, .in_flight = 2};
    params.options["short_batch"] = policy;
    Session session = open_null(io, params);
    Session single = open_null(io);
    std::vector<Tensor> x;
    x.push_back(random_tensor(DType::kUint8, {11, 2, 3}, 1));
    x.push_back(random_tensor(DType::kInt64, {11}, 2));
    x.push_back(random_tensor(DType::kFloat16, {11, 4}, 3));
    const std::vector<TensorView> views = {x[0].view(), x[1].view(), x[2].view()};
    const std::vector<Tensor> y = session.predict(views);
    const std::vector<Tensor> expected = one_by_one(single, x);
    ASSERT_EQ(y.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same(y[i], expected[i])) << i << " " << policy;
  }
}

TEST(Predict, TheModelsOrderOfTensorsNotTheBackends) {
  const FakeModel fake("b:float32:-1x2,a:float32:-1x3->z:float32:-1x1,y:float32:-1x2");
  Params params{.backend = "null", .batch_size = 2};
  params.options["io"] = "a:float32:-1x3,b:float32:-1x2->y:float32:-1x2,z:float32:-1x1";
  Session mixed = engine::open_model(fake.model, params, {});
  Session plain = open_null(params.options["io"], {.batch_size = 2});
  EXPECT_EQ(mixed.inputs()[0].name, "b");
  EXPECT_EQ(mixed.outputs()[0].name, "z");
  const Tensor a = random_tensor(DType::kFloat32, {5, 3}, 1);
  const Tensor b = random_tensor(DType::kFloat32, {5, 2}, 2);
  const std::vector<Tensor> from_mixed = mixed.predict(std::vector<TensorView>{b.view(), a.view()});
  const std::vector<Tensor> from_plain = plain.predict(std::vector<TensorView>{a.view(), b.view()});
  EXPECT_TRUE(same(from_mixed[0], from_plain[1]));
  EXPECT_TRUE(same(from_mixed[1], from_plain[0]));
}

TEST(Predict, AFixedBatchIsFilledUp) {
  const std::string io = "x:float32:4x5->y:float32:4x3";
  Session session = open_null(io, {.batch_axis = {{"x", 0}}});
  EXPECT_EQ(engine::samples_per_batch(session), 4);
  EXPECT_EQ(session.outputs()[0].batch_axis, 0);
  const Tensor ten = random_tensor(DType::kFloat32, {10, 5}, 1);
  const std::vector<Tensor> y = session.predict(ten.view());
  EXPECT_EQ(y[0].shape(), (Shape{10, 3}));
  // To the null backend four rows together are one sample: the last two of ten are filled up with the last.
  Tensor eight(DType::kFloat32, {12, 5});
  std::memcpy(eight.data(), ten.data(), ten.bytes());
  for (int row = 10; row < 12; ++row) {
    std::memcpy(eight.as<float>() + row * 5, ten.as<float>() + 9 * 5, 5 * sizeof(float));
  }
  const std::vector<Tensor> whole = session.predict(eight.view());
  EXPECT_EQ(std::memcmp(whole[0].data(), y[0].data(), y[0].bytes()), 0);
  EXPECT_EQ(engine::samples_per_batch(open_null(io, {.batch_size = 4, .batch_axis = {{"x", 0}}})), 4);
  const Error e = error_of([&] { open_null(io, {.batch_size = 3, .batch_axis = {{"x", 0}}}); });
  EXPECT_THAT(e.message(), AllOf(HasSubstr("3"), HasSubstr("fixed at 4")));
}

TEST(Predict, WithoutABatchAxisEachCallIsOneRun) {
  Session session = open_null("x:float32:2x5,k:int64:3->y:float32:4,s:float32:");
  const Tensor x = random_tensor(DType::kFloat32, {2, 5}, 1);
  const Tensor k = random_tensor(DType::kInt64, {3}, 1);
  const std::vector<Tensor> y = session.predict(std::vector<TensorView>{x.view(), k.view()});
  EXPECT_EQ(y[0].shape(), Shape{4});
  EXPECT_EQ(y[1].shape(), Shape{});
  const Tensor twice = random_tensor(DType::kFloat32, {4, 5}, 1);
  EXPECT_EQ(error_of([&] { session.predict(std::vector<TensorView>{twice.view(), k.view()}); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Predict, WholeGraphsTakeAnyShape) {
  Session session = open_null("x:float32:-1x3x-1->y:float32:-1x2", {.batch_size = 0});
  for (int round = 0; round < 2; ++round) {
    for (const std::int64_t width : {1, 4, 9, 2, 6, 3}) {  // more shapes than are kept
      const Tensor x = random_tensor(DType::kFloat32, {width, 3, width}, 1);
      EXPECT_EQ(session.predict(x.view())[0].shape(), (Shape{width, 2}));
    }
  }
}

TEST(Predict, ShapesOnlyTheRunKnows) {
  const std::string io = "x:float32:-1x5->y:float32:-1x-1,z:int64:?";
  Session session = open_null(io, {.batch_size = 4, .in_flight = 2});
  const Tensor x = random_tensor(DType::kFloat32, {4, 5}, 1);
  const std::vector<Tensor> y = session.predict(x.view());
  EXPECT_EQ(y[0].shape()[0], 4);
  EXPECT_GE(y[0].shape()[1], 1);
  EXPECT_GE(y[1].shape().size(), 1U);
  const Tensor none = random_tensor(DType::kFloat32, {0, 5}, 1);
  EXPECT_EQ(session.predict(none.view())[0].shape(), (Shape{0, 0}));
}

TEST(Predict, BatchesOfUnknownShapeArePutTogether) {
  Session session = open_null("x:float32:-1x1->y:float32:-1x-1", {.batch_size = 1, .in_flight = 2});
  Tensor x(DType::kFloat32, {6, 1});  // equal samples: equal shapes
  std::fill_n(x.as<float>(), 6, 0.5F);
  const std::vector<Tensor> y = session.predict(x.view());
  EXPECT_EQ(y[0].shape()[0], 6);
  Tensor mine(DType::kFloat32, y[0].shape());
  const TensorView in = x.view();
  const MutableTensorView out = mine.mutable_view();
  session.predict({&in, 1}, {&out, 1});
  EXPECT_TRUE(same(mine, y[0]));
  Tensor wrong(DType::kFloat32, {6, y[0].shape()[1] + 1});
  const MutableTensorView wrong_out = wrong.mutable_view();
  EXPECT_THAT(error_of([&] { session.predict({&in, 1}, {&wrong_out, 1}); }).message(),
              HasSubstr("was given for 6 samples, but"));
  const Tensor mixed = random_tensor(DType::kFloat32, {40, 1}, 5);
  EXPECT_THAT(error_of([&] { session.predict(mixed.view()); }).message(), HasSubstr("put together"));
}

TEST(Predict, ABatchAxisThatIsNotTheFirst) {
  for (const char* pad : {"false", "true"}) {
    Params params{.batch_size = 4, .in_flight = 2};
    params.options = {{"transposed", "true"}, {"pad", pad}};
    Session session = open_spy(params);
    const Tensor x = random_tensor(DType::kFloat32, {2, 11}, 1);
    const std::vector<Tensor> y = session.predict(x.view());
    ASSERT_EQ(y[0].shape(), (Shape{2, 11}));
    for (int i = 0; i < 22; ++i) EXPECT_EQ(y[0].as<float>()[i], 2 * x.as<float>()[i]) << i;
    Tensor streamed(DType::kFloat32, {2, 11});
    session.predict_stream(
        11,
        [&](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> in) {
          for (std::int64_t row = 0; row < 2; ++row) {
            const std::int64_t step = in[0].strides.empty() ? count : in[0].strides[0];
            std::copy_n(x.as<float>() + row * 11 + first, count, static_cast<float*>(in[0].data) + row * step);
          }
        },
        [&](std::int64_t first, std::int64_t count, std::span<const TensorView> out) {
          ASSERT_EQ(out[0].shape, (Shape{2, count}));
          for (std::int64_t row = 0; row < 2; ++row) {
            const std::int64_t step = out[0].strides.empty() ? count : out[0].strides[0];
            std::copy_n(static_cast<const float*>(out[0].data) + row * step, count,
                        streamed.as<float>() + row * 11 + first);
          }
        });
    EXPECT_TRUE(same(streamed, y[0]));
  }
}

TEST(Predict, MemoryIsUsedInPlace) {
  Session session = open_spy({.batch_size = 4, .in_flight = 1});
  const Tensor x = random_tensor(DType::kFloat32, {8, 4}, 1);
  Tensor y(DType::kInt64, {8, 6});
  const TensorView in = x.view();
  const MutableTensorView out = y.mutable_view();
  session.predict({&in, 1}, {&out, 1});
  for (int n = 0; n < 8; ++n) {
    const std::int64_t* row = y.as<std::int64_t>() + 6 * n;
    EXPECT_EQ(row[0], reinterpret_cast<std::intptr_t>(x.as<float>() + 4 * n));
    EXPECT_EQ(row[1], reinterpret_cast<std::intptr_t>(row));
    EXPECT_EQ(row[2], static_cast<std::int64_t>(::pthread_self()));  // and on this thread
    EXPECT_EQ(row[3], 4);
  }
}

TEST(Predict, NoMoreInFlightThanAsked) {
  for (const int in_flight : {1, 3}) {
    Params params{.batch_size = 1, .in_flight = in_flight};
    params.options = {{"delay_us", "300"}};
    Session session = open_spy(params);
    EXPECT_EQ(session.in_flight(), in_flight);
    const Tensor x = random_tensor(DType::kFloat32, {60, 4}, 1);
    std::vector<std::thread> callers;
    std::atomic<std::int64_t> most{0};
    for (int c = 0; c < 6; ++c) {
      callers.emplace_back([&] {
        for (const std::int64_t n : {60, 1, 1, 20}) {
          const std::vector<Tensor> y = session.predict({x.data(), DType::kFloat32, {n, 4}, {}});
          for (std::int64_t i = 0; i < n; ++i) most = std::max<std::int64_t>(most, y[0].as<std::int64_t>()[6 * i + 4]);
        }
      });
    }
    for (std::thread& t : callers) t.join();
    EXPECT_EQ(most, in_flight);
  }
}

TEST(Predict, AloneItHasOneBatchInFlight) {
  Params params{.batch_size = 2, .in_flight = 3};
  Session session = open_spy(params);
  const Tensor x = random_tensor(DType::kFloat32, {7, 4}, 1);
  const std::vector<Tensor> expected = session.predict(x.view());
  Tensor y(DType::kInt64, expected[0].shape());
  const TensorView in[] = {x.view()};
  const MutableTensorView out[] = {y.mutable_view()};
  engine::predict_alone(session, in, out);
  for (std::int64_t i = 0; i < 7; ++i) EXPECT_EQ(y.as<std::int64_t>()[6 * i + 4], 1) << i;
}

TEST(Predict, ManyCallersAtOnce) {
  Params params{.batch_size = 4, .in_flight = 2};
  params.options["compute_ms"] = "0.1";
  Session session = open_null(kIo, params);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (unsigned c = 0; c < 8; ++c) {
    callers.emplace_back([&, c] {
      Session single = open_null(kIo);
      for (unsigned round = 0; round < 4; ++round) {
        const std::int64_t n = 1 + (c * 5 + round * 3) % 17;
        const std::vector<Tensor> x = only(random_tensor(DType::kFloat32, {n, 5}, c * 100 + round));
        const Tensor expected = std::move(one_by_one(single, x)[0]);
        if (!same(session.predict(x[0].view())[0], expected)) ++wrong;
      }
    });
  }
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Predict, AsynchronousCallsAndASessionThatGoesFirst) {
  const Tensor x = random_tensor(DType::kFloat32, {9, 5}, 1);
  std::future<std::vector<Tensor>> first, bad;
  Tensor expected;
  {
    Params params{.batch_size = 2};
    params.options["compute_ms"] = "1";
    Session session = open_null(kIo, params);
    expected = std::move(session.predict(x.view())[0]);
    first = session.predict_async({x.view()});
    bad = session.predict_async({x.view(), x.view()});
    const Session elsewhere = std::move(session);
  }
  EXPECT_TRUE(same(first.get()[0], expected));
  EXPECT_EQ(error_of([&] { bad.get(); }).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace assay
