// Sessions and slots over libraries of ours that compute nothing: the order of calls, error paths, leaks.
#include "session.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>

#include "fake_fixture.hpp"

namespace assay::tensorrt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

using test::count;
using test::cuda;
using test::FakeSession;
using test::in_force;
using test::no_memory;
using test::tensor;
using test::thrown_by;
using test::trt;

constexpr const char* kPlain = "in x 2x4\nout y 2x3\n";
constexpr const char* kDynamic = "in x -1x4\nout y -1x3\n";

/// Since it was set, without those that only name the device.
std::string cuda_calls() {
  constexpr std::string_view kDevice = "cudaSetDevice 0\n";
  std::string calls = cuda().log();
  for (std::size_t at = 0; (at = calls.find(kDevice)) != std::string::npos;) calls.erase(at, kDevice.size());
  return calls;
}

TEST_F(FakeSession, IsDescribedAsTheEngineAndTheDeviceSay) {
  const auto session = open(kPlain);
  const kit::Description d = session->describe();
  ASSERT_EQ(d.inputs.size(), 1U);
  EXPECT_EQ(d.inputs[0].name, "x");
  EXPECT_THAT(d.inputs[0].shape, ElementsAre(2, 4));
  EXPECT_THAT(d.outputs[0].shape, ElementsAre(2, 3));
  EXPECT_TRUE(d.from_cache);
  EXPECT_TRUE(d.computes_in_wait);
  EXPECT_EQ(d.short_batch, ASSAY_SHORT_BATCH_PAD);
  EXPECT_EQ(d.memory_kinds, (1U << ASSAY_HOST) | (1U << ASSAY_PINNED));
  const std::pair<const char*, const char*> said[] = {{"device", "gpu:0"},
                                                      {"precision", "f32"},
                                                      {"threads", "2"},
                                                      {"streams", "3"},
                                                      {"workspace_bytes", "1048576"},
                                                      {"optimization_level", "3"},
                                                      {"tf32", "false"},
                                                      {"refit", "false"},
                                                      {"cuda_graph", "false"},
                                                      {"profile.x", "2x4"},
                                                      {"gpu.name", "Fake GPU 0"}};
  for (const auto& [key, value] : said) EXPECT_EQ(in_force(*session, key), value) << key;
  EXPECT_EQ(in_force(*session, "version"), backend_.probe(request_.host).version);
  EXPECT_THAT(in_force(*session, "gpu.uuid"), HasSubstr("GPU-"));
}

TEST_F(FakeSession, IsOnTheGpuThatCudaTellsAndNotOnTheOneThatWasAskedFor) {
  cuda().set("devices=2 current_device=1");
  const auto session = open(kPlain);
  EXPECT_EQ(in_force(*session, "device"), "gpu:1") << "asked for was " << request_.device;
  EXPECT_EQ(in_force(*session, "gpu.name"), "Fake GPU 1");
  EXPECT_THAT(session->report("placement"), HasSubstr("{\"device\": \"gpu:1\", \"name\": \"Fake GPU 1\""));
  cuda().set("cudaGetDevice=999");
  std::ofstream(request_.model_path) << kPlain;  // a cache of no use is built anew
  EXPECT_EQ(thrown_by([&] { (void)open(kPlain); }).first, ASSAY_FRAMEWORK) << "what is not told is not taken for so";
}

TEST_F(FakeSession, MemoryOnAnotherGpuThanTheEngineIsRefused) {
  const auto session = open(kPlain);
  cuda().set("pointer_device=1");
  const auto [status, text] = thrown_by([&] { (void)session->open_slot(two_); });
  EXPECT_EQ(status, ASSAY_FRAMEWORK);
  EXPECT_THAT(text, HasSubstr("asked for on gpu:0, where the engine is, and CUDA says that it lies on gpu:1: "));
  EXPECT_EQ(cuda().held(), 0);
  cuda().set("");
  (void)session->open_slot(two_);
}

TEST_F(FakeSession, ABatchIsCopiedInComputedAndCopiedOutOnOneStream) {
  const auto session = open(kPlain);
  const auto slot = session->open_slot(two_);
  cuda().set("");
  trt().set("");
  const assay_tensor x = tensor(x_, x_shape_);
  assay_tensor y = tensor(y_, y_shape_);
  slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr);
  kit::Timing timing;
  slot->wait({&y, 1}, timing);
  EXPECT_EQ(cuda_calls(),
            "cudaEventRecord e1 s1\ncudaMemcpyAsync in 32 s1\ncudaEventRecord e2 s1\ncudaEventRecord e3 s1\n"
            "cudaEventRecord e4 s1\ncudaMemcpyAsync out 24 s1\ncudaEventRecord e5 s1\ncudaEventSynchronize e5\n"
            "cudaEventElapsedTime\ncudaEventElapsedTime\ncudaEventElapsedTime\ncudaEventElapsedTime\n");
  EXPECT_EQ(trt().log(), "enqueueV3\n");
  EXPECT_THAT(y_, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(timing.copy_in_ns, 1000000);
  EXPECT_EQ(timing.compute_ns, 1000000);
  EXPECT_EQ(timing.copy_out_ns, 1000000);
  // From the first mark to the fourth, less what the host took.
  EXPECT_THAT(timing.ahead_ns, AllOf(Ge(0), Le(3000000)));
}

TEST_F(FakeSession, BatchesOfSeveralSlotsComputeOneAfterAnother) {
  const auto session = open(kPlain);
  const auto first = session->open_slot(two_);
  auto second = session->open_slot(two_);
  const assay_tensor x = tensor(x_, x_shape_);
  const auto waits_of = [&](kit::Slot& slot) {
    assay_tensor y = tensor(y_, y_shape_);
    kit::Timing timing;
    cuda().set("");
    slot.submit({&x, 1}, {&y, 1}, nullptr, nullptr);
    slot.wait({&y, 1}, timing);
    const std::string calls = cuda_calls();
    const bool in_place = calls.starts_with(
        "cudaEventRecord e1 s1\ncudaMemcpyAsync in 32 s1\ncudaEventRecord e2 s1\ncudaStreamWaitEvent s1 e3\n"
        "cudaEventRecord e4 s1\n");
    EXPECT_EQ(count(calls, "cudaStreamWaitEvent"), in_place ? 1U : 0U)
        << "after the copies in, before the clock begins";
    EXPECT_EQ(timing.compute_ns, 1000000);
    return count(calls, "cudaStreamWaitEvent");
  };
  EXPECT_EQ(waits_of(*first), 0U) << "nothing computes";
  EXPECT_EQ(waits_of(*first), 0U) << "its own stream is in order";
  EXPECT_EQ(waits_of(*second), 1U);
  EXPECT_EQ(waits_of(*first), 1U);
  EXPECT_EQ(waits_of(*second), 1U);
  second.reset();
  EXPECT_EQ(waits_of(*first), 0U) << "a slot that is closed is not waited for";
}

TEST_F(FakeSession, ABatchWaitsForWhatTheOneBeforeComputedAndForNoneOfItsCopies) {
  const auto session = open(kPlain);
  const auto first = session->open_slot(two_);
  const auto second = session->open_slot(two_);
  cuda().set("");
  for (kit::Slot* slot : {first.get(), second.get()}) run_batch(*slot);
  EXPECT_THAT(cuda_calls(), HasSubstr("cudaMemcpyAsync in 32 s1\ncudaEventRecord e2 s1\ncudaEventRecord e3 s1\n"
                                      "cudaEventRecord e4 s1\ncudaMemcpyAsync out 24 s1\n"));
  EXPECT_THAT(cuda_calls(), HasSubstr("cudaMemcpyAsync in 32 s2\ncudaEventRecord e7 s2\ncudaStreamWaitEvent s2 e4\n"
                                      "cudaEventRecord e8 s2\ncudaEventRecord e9 s2\ncudaMemcpyAsync out 24 s2\n"));
}

TEST_F(FakeSession, ACallbackIsCalledOnceAndMemoryOfTheSlotsIsPinned) {
  const auto session = open(kPlain);
  const auto slot = session->open_slot(two_);
  const assay_tensor x = tensor(x_, x_shape_);
  std::atomic<int> done{0};
  for (int batch = 1; batch <= 3; ++batch) {
    assay_tensor y = no_memory();
    slot->submit({&x, 1}, {&y, 1}, [](void* user) { ++*static_cast<std::atomic<int>*>(user); }, &done);
    kit::Timing timing;
    slot->wait({&y, 1}, timing);
    EXPECT_EQ(done, batch);
    ASSERT_NE(y.data, nullptr);
    EXPECT_EQ(y.rank, 2);
    EXPECT_EQ(y.bytes, 24U);
    EXPECT_EQ(static_cast<const float*>(y.data)[5], 6.0F);
  }
  EXPECT_EQ(count(cuda().log(), "cudaHostAlloc"), 1U);
}

TEST_F(FakeSession, SlotsOfADynamicEngineTakeWhatItWasBuiltFor) {
  const auto session = open(kDynamic);
  EXPECT_EQ(session->describe().short_batch, ASSAY_SHORT_BATCH_RESHAPE);
  EXPECT_THAT(session->describe().inputs[0].shape, ElementsAre(-1, 4));
  EXPECT_EQ(in_force(*session, "profile.x"), "1 to 8 x 4, best 4 x 4");
  for (const std::int64_t batch : {1, 8}) {
    const std::vector<kit::FixedShape> shapes = {{"x", {batch, 4}}};
    const auto slot = session->open_slot(shapes);
    EXPECT_THAT(session->report("memory"), HasSubstr("\"slots_bytes\": " + std::to_string(batch * 28)));
  }
  EXPECT_THAT(session->report("memory"), HasSubstr("\"slots_bytes\": 0"));
  struct Row {
    std::vector<kit::FixedShape> shapes;
    const char* says;
  };
  const Row rows[] = {{{{"x", {9, 4}}}, "built for 1 to 8 x 4"},
                      {{{"x", {2, 5}}}, "built for 1 to 8 x 4"},
                      {{}, "a shape for each of the 1 inputs"},
                      {{{"z", {2, 4}}}, "a shape was given for 'z'"}};
  for (const Row& row : rows) {
    const auto [status, text] = thrown_by([&] { (void)session->open_slot(row.shapes); });
    EXPECT_EQ(status, ASSAY_INVALID_ARGUMENT);
    EXPECT_THAT(text, HasSubstr(row.says));
  }
}

TEST_F(FakeSession, SlotsShareOneScratchMemoryAsLongAsThereAreAny) {
  const auto session = open(kDynamic);
  const auto scratch = [] { return count(cuda().log(), "cudaMalloc 4096\n"); };
  for (int round = 1; round <= 2; ++round) {
    trt().set("");
    cuda().set("");
    std::vector<std::unique_ptr<kit::Slot>> slots;
    for (const std::int64_t batch : {2, 8, 1, 2, 2}) {
      const std::vector<kit::FixedShape> shapes = {{"x", {batch, 4}}};
      slots.push_back(session->open_slot(shapes));
      EXPECT_EQ(scratch(), 1U);
    }
    EXPECT_EQ(count(trt().log(), "setDeviceMemoryV2 4096\n"), slots.size());
    slots.erase(slots.begin());
    run_batch(*slots.back());
    EXPECT_THAT(session->report("memory"), HasSubstr("\"scratch_bytes\": 4096"));
    slots.clear();
    EXPECT_EQ(cuda().held(), 0) << "it goes with the last slot";
    EXPECT_THAT(session->report("memory"), HasSubstr("\"scratch_bytes\": 0"));
  }
}

TEST_F(FakeSession, AnOutputWhoseShapeDependsOnValuesIsHandedOut) {
  const auto session = open("in x 2x4\nout n ?x2\n");
  EXPECT_THAT(session->describe().outputs[0].shape, ElementsAre(-1, 2));
  const auto slot = session->open_slot(two_);
  const assay_tensor x = tensor(x_, x_shape_);
  assay_tensor n = no_memory();
  kit::Timing timing;
  slot->submit({&x, 1}, {&n, 1}, nullptr, nullptr);
  slot->wait({&n, 1}, timing);
  EXPECT_THAT(std::vector<std::int64_t>(n.shape, n.shape + n.rank), ElementsAre(3, 2));
  EXPECT_EQ(static_cast<const float*>(n.data)[5], 6.0F);
  EXPECT_EQ(timing.ahead_ns, -1) << "TensorRT has waited for the device";
  const std::vector<std::int64_t> other = {2, 2};
  std::vector<float> room(4);
  const assay_tensor wrong = tensor(room, other);
  const auto [status, text] = thrown_by([&] { slot->submit({&x, 1}, {&wrong, 1}, nullptr, nullptr); });
  EXPECT_EQ(status, ASSAY_INVALID_ARGUMENT);
  EXPECT_THAT(text, HasSubstr("came out as 3x2"));
}

TEST_F(FakeSession, AnOutputOnTheHostIsNotCopiedFromTheDevice) {
  const auto session = open("in x 2x4\nout s 2 host\n");
  const auto slot = session->open_slot(two_);
  const assay_tensor x = tensor(x_, x_shape_);
  const std::vector<std::int64_t> shape = {2};
  std::vector<float> s(2);
  assay_tensor out = tensor(s, shape);
  kit::Timing timing;
  slot->submit({&x, 1}, {&out, 1}, nullptr, nullptr);
  slot->wait({&out, 1}, timing);
  EXPECT_THAT(s, ElementsAre(1, 2));
  EXPECT_THAT(cuda().log(), Not(HasSubstr("out ")));
}

TEST_F(FakeSession, AGraphIsCapturedAtTheSecondBatchAndLaunchedFromThenOn) {
  request_.options["cuda_graph"] = "true";
  const auto session = open(kPlain);
  const auto slot = session->open_slot(two_);
  EXPECT_THAT(in_force(*session, "cuda_graph"), HasSubstr("not yet"));
  const assay_tensor x = tensor(x_, x_shape_);
  assay_tensor y = tensor(y_, y_shape_);
  for (int batch = 0; batch < 4; ++batch) {
    kit::Timing timing;
    slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr);
    slot->wait({&y, 1}, timing);
  }
  EXPECT_EQ(count(trt().log(), "enqueueV3"), 2U);
  EXPECT_EQ(count(cuda().log(), "cudaStreamBeginCapture"), 1U);
  EXPECT_EQ(count(cuda().log(), "cudaGraphLaunch"), 3U);
  EXPECT_EQ(in_force(*session, "cuda_graph"), "true");
  auto other = session->open_slot(two_);
  EXPECT_THAT(in_force(*session, "cuda_graph"), HasSubstr("1 of 2 slots"));
  other.reset();
  EXPECT_EQ(in_force(*session, "cuda_graph"), "true");
}

TEST_F(FakeSession, AGraphThatCannotBeIsUnsupported) {
  request_.options["cuda_graph"] = "true";
  const auto unknown = open("in x 2x4\nout n ?x2\n");
  const auto [status, text] = thrown_by([&] { (void)unknown->open_slot(two_); });
  EXPECT_EQ(status, ASSAY_UNSUPPORTED);
  EXPECT_THAT(text, HasSubstr("cuda_graph needs"));
  const auto session = open(kPlain);
  const auto slot = session->open_slot(two_);
  const assay_tensor x = tensor(x_, x_shape_);
  assay_tensor y = tensor(y_, y_shape_);
  run_batch(*slot);
  trt().set("enqueueV3=1");
  EXPECT_EQ(thrown_by([&] { slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr); }).first, ASSAY_UNSUPPORTED);
  trt().set("");
}

TEST_F(FakeSession, ABatchThatFailsSaysWhyAndTheSlotGoesOn) {
  const auto session = open(kPlain);
  const auto slot = session->open_slot(two_);
  const assay_tensor x = tensor(x_, x_shape_);
  assay_tensor y = tensor(y_, y_shape_);
  kit::Timing timing;
  trt().set("enqueueV3@1=1");
  const auto [status, text] = thrown_by([&] { slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr); });
  EXPECT_EQ(status, ASSAY_FRAMEWORK);
  EXPECT_EQ(text, "launching a batch failed: told to fail");
  slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr);
  EXPECT_EQ(thrown_by([&] { slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);
  slot->wait({&y, 1}, timing);
  EXPECT_EQ(thrown_by([&] { slot->wait({&y, 1}, timing); }).first, ASSAY_INVALID_ARGUMENT);
  const std::vector<std::int64_t> other = {1, 4};
  const assay_tensor less = tensor(x_, other);
  EXPECT_EQ(thrown_by([&] { slot->submit({&less, 1}, {&y, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(thrown_by([&] { slot->submit({}, {&y, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);
}

TEST_F(FakeSession, ADeviceThatIsLostIsSaidByWaitAndACallbackIsStillCalled) {
  for (const bool with_callback : {false, true}) {
    cuda().set("cudaEventSynchronize=719");
    const auto session = open(kPlain);
    const auto slot = session->open_slot(two_);
    const assay_tensor x = tensor(x_, x_shape_);
    assay_tensor y = tensor(y_, y_shape_);
    kit::Timing timing;
    std::atomic<int> done{0};
    const assay_done_fn count_one = [](void* user) { ++*static_cast<std::atomic<int>*>(user); };
    slot->submit({&x, 1}, {&y, 1}, with_callback ? count_one : nullptr, &done);
    EXPECT_EQ(thrown_by([&] { slot->wait({&y, 1}, timing); }).first, ASSAY_DEVICE_LOST);
    EXPECT_EQ(done, with_callback ? 1 : 0);
    EXPECT_EQ(thrown_by([&] { slot->submit({&x, 1}, {&y, 1}, nullptr, nullptr); }).first, ASSAY_DEVICE_LOST);
  }
}

TEST_F(FakeSession, ASlotThatDoesNotFitLeavesNothingBehind) {
  const auto session = open(kPlain);
  for (const char* settings : {"cudaMalloc@1=2", "cudaMalloc@2=2", "cudaMalloc@3=2"}) {
    cuda().set(settings);
    EXPECT_EQ(thrown_by([&] { (void)session->open_slot(two_); }).first, ASSAY_OUT_OF_MEMORY) << settings;
    EXPECT_EQ(cuda().held(), 0) << settings;
  }
  cuda().set("");
  const long session_holds = trt().held();
  for (const char* settings : {"createExecutionContext=1", "setInputShape=1", "setTensorAddress@1=1",
                               "setTensorAddress@2=1", "inferShapes=1"}) {
    trt().set(settings);
    EXPECT_EQ(thrown_by([&] { (void)session->open_slot(two_); }).first, ASSAY_FRAMEWORK) << settings;
    EXPECT_EQ(trt().held(), session_holds) << settings;
  }
  trt().set("");
}

TEST_F(FakeSession, ACachedEngineThatIsOfNoUseIsBuiltAnew) {
  keep_log();
  std::ofstream(request_.model_path) << kPlain;
  const auto session = open("none");
  EXPECT_FALSE(session->describe().from_cache);
  EXPECT_THAT(logged(), HasSubstr("the cached engine is of no use, and it is built instead: reading the engine"));
  EXPECT_THAT(logged(), HasSubstr("that is no engine"));
}

TEST_F(FakeSession, ReportsWhatItKnows) {
  const auto plain = open(kPlain);
  EXPECT_EQ(plain->report("plan"), "{\"Layers\": [\"layer\"]}");
  EXPECT_EQ(plain->report("placement"),
            "{\"device\": \"gpu:0\", \"name\": \"Fake GPU 0\", \"layers\": 1, \"engine\": {\"Layers\": [\"layer\"]}}");
  EXPECT_EQ(plain->report("memory"), "{\"weights_bytes\": 1000, \"scratch_bytes\": 0, \"slots_bytes\": 0}");
  EXPECT_EQ(thrown_by([&] { (void)plain->report("profile"); }).first, ASSAY_UNSUPPORTED);
  EXPECT_EQ(thrown_by([&] { (void)plain->report("dump"); }).first, ASSAY_UNSUPPORTED);
  request_.profile = true;
  const auto profiled = open(kPlain);
  const auto slot = profiled->open_slot(two_);
  run_batch(*slot);
  EXPECT_THAT(profiled->report("profile"), HasSubstr("{\"batches\": 1, \"nodes\": [{\"name\": \"layer\", \"runs\": 1"));
}

TEST_F(FakeSession, HasPinnedMemoryForTheHost) {
  const auto session = open(kPlain);
  void* pinned = session->allocate(ASSAY_PINNED, 64);
  EXPECT_THAT(cuda().log(), HasSubstr("cudaHostAlloc 64 portable"));
  session->release(ASSAY_PINNED, pinned);
  void* plain = session->allocate(ASSAY_HOST, 64);
  EXPECT_NE(plain, nullptr);
  session->release(ASSAY_HOST, plain);
  EXPECT_EQ(thrown_by([&] { (void)session->allocate(ASSAY_DEVICE, 64); }).first, ASSAY_UNSUPPORTED);
}

TEST_F(FakeSession, AnswersAnErrorWhereTensorRtMakesNoRuntimeOrBuilder) {
  trt().set("createInferRuntime=1 createInferBuilder=1");
  EXPECT_EQ(thrown_by([&] { (void)open(kPlain); }).second,
            "making TensorRT's builder failed: the fake has no builder");  // as for a cache of no use
  trt().set("createInferRuntime=1");
  std::ofstream(request_.model_path) << kPlain;
  EXPECT_THAT(thrown_by([&] { (void)open(kPlain); }).second, HasSubstr("making TensorRT's runtime failed"));
}

}  // namespace
}  // namespace assay::tensorrt
