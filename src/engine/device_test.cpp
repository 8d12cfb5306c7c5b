// The null backend's device with memory of its own: staging, overlap, its memory's end, its loss. How long copies
// beside computing take is tested on clocks of their own (backends/null/device_test.cpp, virtual_time_test.cpp) and
// measured in benchmarks/overhead.cpp.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "engine/testing/sessions.hpp"

namespace assay {
namespace {

using testing::HasSubstr;

Params on_device(std::map<std::string, std::string> options = {}) {
  return {.backend = "null", .device = "gpu:0", .batch_size = 2, .options = std::move(options)};
}

TEST(OwnMemory, AnswersAreThoseOfTheCpu) {
  const Tensor x = test::random_tensor(DType::kFloat32, {9, 5}, 3);
  Params cpu = on_device();
  cpu.device = "cpu";
  const Tensor expected = std::move(test::open_null(test::kIo, cpu).predict(x.view())[0]);
  EXPECT_TRUE(test::same(test::open_null(test::kIo, on_device()).predict(x.view())[0], expected));
}

TEST(OwnMemory, BatchesGoThroughPinnedBuffersWhereverTheCallersMemoryLies) {
  Session session = test::open_null(test::kIo, on_device());
  EXPECT_EQ(session.in_force().at("device"), "gpu:0");
  const Tensor x = test::random_tensor(DType::kFloat32, {6, 5}, 3);
  Tensor y(DType::kFloat32, {6, 3});
  const TensorView x_view = x.view();
  const MutableTensorView y_view = y.mutable_view();
  session.predict({&x_view, 1}, {&y_view, 1});
  const auto memory = nlohmann::json::parse(session.report("memory"));
  EXPECT_EQ(memory["pageable_tensors"], 0);
  EXPECT_EQ(memory["pinned_tensors"], 6);  // three batches, one input and one output
  EXPECT_GT(memory["device_bytes"], 0);
}

/// By events, at any pace: a batch is not done before two later ones are handed over to be copied in, for which a
/// pipeline that waited for it first would wait in vain.
TEST(OwnMemory, TheNextBatchesAreHandedOverBeforeTheOneThatComputesIsDone) {
  constexpr std::int64_t kBatches = 20;
  for (const char* computes_in_wait : {"false", "true"}) {
    Params params = on_device(
        {{"held_by", "2"}, {"held_batches", std::to_string(kBatches)}, {"computes_in_wait", computes_in_wait}});
    params.in_flight = 3;
    Session session = test::open_null(test::kIo, params);
    const Tensor x = test::random_tensor(DType::kFloat32, {kBatches * params.batch_size, 5}, 3);
    const Tensor y = std::move(session.predict(x.view())[0]);
    EXPECT_EQ(y.shape(), (Shape{kBatches * params.batch_size, 3}));
  }
}

TEST(OwnMemory, TakenUpIsOutOfMemoryAndSaysHowMuchThereIs) {
  const Error model = test::error_of(
      [] { (void)test::open_null(test::kIo, on_device({{"device_memory_mb", "10"}, {"memory_mb", "11"}})); });
  EXPECT_EQ(model.code(), ErrorCode::kOutOfMemory);
  EXPECT_THAT(model.message(), HasSubstr("memory is 10 MiB"));
  Params large = on_device({{"device_memory_mb", "1"}});
  large.batch_size = 100'000;
  EXPECT_EQ(test::error_of([&] { (void)test::open_null(test::kIo, large); }).code(), ErrorCode::kOutOfMemory);
}

TEST(OwnMemory, ALostDeviceIsAnErrorOfItsKind) {
  Session session = test::open_null(test::kIo, on_device({{"fail_at", "run:3"}, {"fail_as", "device_lost"}}));
  const Tensor x = test::random_tensor(DType::kFloat32, {10, 5}, 3);
  EXPECT_EQ(test::error_of([&] { (void)session.predict(x.view()); }).code(), ErrorCode::kDeviceLost);
}

TEST(OwnMemory, ADeviceThatIsNotThereIsUnavailableAndSaysWhichAre) {
  Params params = on_device();
  params.device = "gpu:7";
  const Error e = test::error_of([&] { (void)test::open_null(test::kIo, params); });
  EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(e.message(), HasSubstr("cpu, gpu:0"));
}

}  // namespace
}  // namespace assay
