// What load and predict refuse, and that a session works on after an error.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/sessions.hpp"

namespace assay {
namespace {

using namespace ::testing;  // NOLINT: matchers by their names
using namespace test;       // NOLINT

TEST(LoadErrors, NameWhatWasAskedAndWhatThereIs) {
  const auto message = [](const std::string& io, const Params& params) {
    return error_of([&] { open_null(io, params); }).message();
  };
  EXPECT_THAT(message(kIo, {.batch_size = -2}), HasSubstr("-2"));
  EXPECT_THAT(message(kIo, {.threads = -1}), HasSubstr("-1 threads"));
  EXPECT_THAT(message(kIo, {.shapes = {{"q", {1, 5}}}}), HasSubstr("'x'"));
  EXPECT_THAT(message(kIo, {.shapes = {{"x", {1, 6}}}}), AllOf(HasSubstr("1x6"), HasSubstr("?x5")));
  EXPECT_THAT(message(kIo, {.batch_axis = {{"x", 2}}}), HasSubstr("2 axes"));
  EXPECT_THAT(message(kIo, {.batch_axis = {{"q", 0}}}), AllOf(HasSubstr("'x'"), HasSubstr("'y'")));
  EXPECT_THAT(message(kIo, {.device = "gpu:1"}), AllOf(HasSubstr("gpu:0"), HasSubstr("cpu")));
  EXPECT_THAT(message(kIo, {.gpuid = 2}), HasSubstr("gpu:2"));
  EXPECT_THAT(message(kIo, {.device = "gpu:1", .gpuid = 2}), HasSubstr("leave one out"));
  EXPECT_THAT(message("x:float32:2x5->y:float32:2x3", {.batch_size = 8}), HasSubstr("no input has a batch axis"));
  EXPECT_THAT(message("x:float32:?->y:float32:2x3", {}), HasSubstr("not even how many axes"));
  EXPECT_EQ(error_of([&] { open_null(kIo, {.precision = Precision::kBFloat16}); }).code(), ErrorCode::kUnsupported);
}

TEST(LoadErrors, FreeAxesComeWithTheLineToAdd) {
  const Error e = error_of([] { open_null("x:float32:-1x3x-1x-1->y:float32:-1x3", {}); });
  EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(e.message(), AllOf(HasSubstr("axis 2 (axis2) of 'x'"), HasSubstr("axis 3 (axis3) of 'x'"),
                                 HasSubstr("--shape x=1x3x<AXIS2>x<AXIS3>")));
  Session session = open_null("x:float32:-1x3x-1x-1->y:float32:-1x3", {.shapes = {{"x", {1, 3, 4, 2}}}});
  EXPECT_EQ(session.predict(random_tensor(DType::kFloat32, {5, 3, 4, 2}, 1).view())[0].shape(), (Shape{5, 3}));
  const Tensor other = random_tensor(DType::kFloat32, {5, 3, 4, 3}, 1);
  EXPECT_THAT(error_of([&] { session.predict(other.view()); }).message(),
              AllOf(HasSubstr("?x3x4x2"), HasSubstr("5x3x4x3")));
}

TEST(LoadErrors, ABackendThatIsNotAvailable) {
  const ScopedVariable gone("ASSAY_NULL_UNAVAILABLE", "the dog ate it");
  const Error e = error_of([] { open_null(kIo); });
  EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(e.message(), HasSubstr("the dog ate it"));
}

TEST(LoadErrors, ABackendWhoseTensorsAreNotTheModels) {
  const FakeModel fake("x:float32:-1x5->y:float32:-1x3");
  Params params{.backend = "null"};
  params.options["io"] = "q:float32:-1x5->y:float32:-1x3";
  EXPECT_EQ(error_of([&] { engine::open_model(fake.model, params, {}); }).code(), ErrorCode::kFramework);
  params.options["io"] = "x:float64:-1x5->y:float32:-1x3";
  EXPECT_THAT(error_of([&] { engine::open_model(fake.model, params, {}); }).message(),
              AllOf(HasSubstr("float64"), HasSubstr("float32")));
}

TEST(LoadErrors, ABackendThatReadsNoModelIsToldItsTensors) {
  const FakeModel fake("a:float32:-1x5,b:int64:2->y:float32:-1x3,z:uint8:?");
  const Session session = engine::open_model(fake.model, {.backend = "null"}, {});
  ASSERT_EQ(session.outputs().size(), 2U);
  EXPECT_EQ(session.outputs()[0].shape, (Shape{-1, 3}));
  EXPECT_FALSE(session.outputs()[1].rank_known);
}

class PredictErrors : public Test {
 protected:
  Session session = open_null(kIo, {.batch_size = 4, .in_flight = 2});
  Tensor x = random_tensor(DType::kFloat32, {10, 5}, 1);
  std::string message(const TensorView& view) {
    const Error e = error_of([&] { session.predict(view); });
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(e.context(), "x");
    return e.message();
  }
};

TEST_F(PredictErrors, InputsThatDoNotFit) {
  EXPECT_THAT(message({x.data(), DType::kFloat64, {10, 5}, {}}),
              AllOf(HasSubstr("float32 ?x5"), HasSubstr("float64"), HasSubstr("convert")));
  EXPECT_THAT(message({x.data(), DType::kFloat32, {50}, {}}), AllOf(HasSubstr("?x5"), HasSubstr("50 (1 axes)")));
  EXPECT_THAT(message({x.data(), DType::kFloat32, {5, 10}, {}}), AllOf(HasSubstr("?x5"), HasSubstr("5x10")));
  EXPECT_THAT(message({x.data(), DType::kFloat32, {-1, 5}, {}}), HasSubstr("?x5"));
  EXPECT_THAT(message({x.data(), DType::kFloat32, {10, 5}, {5}}), HasSubstr("1 strides"));
  EXPECT_THAT(message({nullptr, DType::kFloat32, {10, 5}, {}}), HasSubstr("no memory"));
  EXPECT_THAT(message({x.data(), DType::kFloat32, {INT64_MAX / 2, 5}, {}}), HasSubstr("too many elements"));
  EXPECT_THAT(error_of([&] { session.predict(std::vector<TensorView>{x.view(), x.view()}); }).message(),
              AllOf(HasSubstr("2 inputs"), HasSubstr("1: 'x'")));
}

TEST_F(PredictErrors, InputsOfDifferentNumbersOfSamples) {
  Session two = open_null("a:float32:-1x5,b:float32:-1x5->y:float32:-1x3", {.batch_size = 4});
  const Tensor less = random_tensor(DType::kFloat32, {9, 5}, 1);
  EXPECT_THAT(error_of([&] { two.predict(std::vector<TensorView>{x.view(), less.view()}); }).message(),
              AllOf(HasSubstr("9 samples"), HasSubstr("10 for 'a'")));
}

TEST_F(PredictErrors, OutputMemoryThatDoesNotFitOrOverlaps) {
  Tensor y(DType::kFloat32, {10, 3});
  const TensorView in = x.view();
  const auto refused = [&](const MutableTensorView& out) {
    return error_of([&] { session.predict({&in, 1}, {&out, 1}); }).message();
  };
  EXPECT_THAT(refused({y.data(), DType::kFloat32, {9, 3}, {}}), AllOf(HasSubstr("9x3"), HasSubstr("10 samples")));
  EXPECT_THAT(refused({y.data(), DType::kFloat16, {10, 3}, {}}), HasSubstr("float16"));
  EXPECT_THAT(refused({y.data(), DType::kFloat32, {10, 3}, {0, 1}}), HasSubstr("stride of 0"));
  EXPECT_THAT(refused({x.as<float>() + 49, DType::kFloat32, {10, 3}, {}}), HasSubstr("overlaps that of input 'x'"));
  Session two = open_null("x:float32:-1x5->y:float32:-1x3,z:float32:-1x3", {.batch_size = 4});
  const std::vector<MutableTensorView> twice = {y.mutable_view(), y.mutable_view()};
  EXPECT_THAT(error_of([&] { two.predict({&in, 1}, twice); }).message(), HasSubstr("overlaps that of output 'y'"));
}

TEST_F(PredictErrors, AnOutputWithoutBatchAxisCannotBePutTogether) {
  Session sum = open_null("x:float32:-1x5->y:float32:-1x3,s:float32:1", {.batch_size = 4});
  EXPECT_EQ(sum.predict({x.data(), DType::kFloat32, {4, 5}, {}})[1].shape(), Shape{1});
  EXPECT_THAT(error_of([&] { sum.predict(x.view()); }).message(),
              AllOf(HasSubstr("no batch axis"), HasSubstr("10 samples")));
}

/// Where the backend fails, the call fails with its words, and the next call works.
class BackendFailure : public TestWithParam<std::tuple<const char*, int, std::int64_t>> {};

TEST_P(BackendFailure, IsReportedAndGotOver) {
  const auto& [where, in_flight, samples] = GetParam();
  Params params{.batch_size = 4, .in_flight = in_flight};
  params.options["fail_at"] = where;
  params.options["compute_ms"] = "0.2";
  Session session = open_null(kIo, params);
  Session sound = open_null(kIo);
  const Tensor x = random_tensor(DType::kFloat32, {samples, 5}, 1);
  const Error e = error_of([&] {
    for (int call = 0; call < 8; ++call) session.predict(x.view());
  });
  EXPECT_FALSE(e.message().empty());
  EXPECT_TRUE(same(session.predict(x.view())[0], sound.predict(x.view())[0]));
}

INSTANTIATE_TEST_SUITE_P(Everywhere, BackendFailure,
                         ::testing::Combine(Values("run:1", "run:4", "run:7", "submit:1", "submit:5"), Values(1, 3),
                                            Values<std::int64_t>(3, 4, 38)),
                         [](const auto& tested) {
                           std::string name = std::get<0>(tested.param);
                           name[name.find(':')] = '_';
                           return name + "_flight" + std::to_string(std::get<1>(tested.param)) + "_n" +
                                  std::to_string(std::get<2>(tested.param));
                         });

TEST(SlotFailure, IsReportedAndGotOver) {
  Params params{.batch_size = 4, .in_flight = 2};
  params.options["fail_at"] = "slot:2";  // the first is opened by load
  Session session = open_null(kIo, params);
  const Tensor x = random_tensor(DType::kFloat32, {38, 5}, 1);
  EXPECT_THROW(session.predict(x.view()), Error);
  EXPECT_TRUE(same(session.predict(x.view())[0], open_null(kIo).predict(x.view())[0]));
  params.options["fail_at"] = "slot:1";
  EXPECT_THROW(open_null(kIo, params), Error);
}

}  // namespace
}  // namespace assay
