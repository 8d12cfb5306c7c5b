#include "nvidia/cuda_objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "nvidia/fixture.hpp"

namespace assay::nvidia {
namespace {

using fake::thrown_by;
using ::testing::HasSubstr;

class CudaObjects : public ::testing::Test {
 protected:
  CudaObjects() { told(""); }
  static void told(const std::string& settings) { fake::cudart().set(settings); }
  static std::string log() { return fake::cudart().log(); }

  const std::unique_ptr<const CudaRuntime> cuda_ = CudaRuntime::load(fake::roots());
};

TEST_F(CudaObjects, AreGivenBackOnTheirDevice) {
  told("devices=2");
  {
    DeviceBuffer buffer(*cuda_, 1, 64);
    EXPECT_NE(buffer.data(), nullptr);
    EXPECT_EQ(buffer.bytes(), 64U);
    const Stream stream(*cuda_, 0);
    EXPECT_EQ(stream.device(), 0);
    EXPECT_EQ(fake::cudart().held(), 2);
  }
  EXPECT_EQ(log(),
            "cudaSetDevice 1\ncudaMalloc 64\ncudaSetDevice 0\ncudaStreamCreateWithFlags non-blocking\n"
            "cudaSetDevice 0\ncudaStreamDestroy\ncudaSetDevice 1\ncudaFree\n");
  EXPECT_EQ(fake::cudart().held(), 0);
}

TEST_F(CudaObjects, AreMovedAndGivenBackOnce) {
  {
    DeviceBuffer a(*cuda_, 0, 64);
    void* data = a.data();
    DeviceBuffer b(std::move(a));
    EXPECT_EQ(b.data(), data);
    DeviceBuffer c(*cuda_, 0, 32);
    c = std::move(b);  // what it had is given back
    EXPECT_EQ(c.data(), data);
    EXPECT_EQ(c.bytes(), 64U);
    EXPECT_EQ(fake::cudart().held(), 1);
    Event event(*cuda_, 0);
    event = Event(*cuda_, 0);
    EXPECT_EQ(fake::cudart().held(), 2);
  }
  EXPECT_EQ(fake::cudart().held(), 0);
}

TEST_F(CudaObjects, OfNoBytesIsNoMemory) {
  const DeviceBuffer buffer(*cuda_, 0, 0);
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.bytes(), 0U);
  EXPECT_EQ(allocate_pinned(*cuda_, 0), nullptr);
  free_pinned(*cuda_, nullptr);
  EXPECT_EQ(log(), "");
}

TEST_F(CudaObjects, ABatchGoesInAndOutInOrderAndIsTimed) {
  std::array<char, 8> in = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'};
  std::array<char, 8> out{};
  bool done = false;
  std::thread::id caller;
  {
    DeviceBuffer buffer(*cuda_, 0, in.size());
    Stream stream(*cuda_, 0);
    Event begin(*cuda_, 0), end(*cuda_, 0);
    told("");
    begin.record(stream);
    stream.copy_in(buffer.data(), in.data(), in.size());
    stream.copy_out(out.data(), buffer.data(), out.size());
    end.record(stream);
    struct Told {
      bool* done;
      std::thread::id* caller;
    } user{&done, &caller};
    stream.call(
        [](void* data) {
          auto* told_done = static_cast<Told*>(data);
          *told_done->done = true;
          *told_done->caller = std::this_thread::get_id();
        },
        &user);
    end.synchronize();
    stream.synchronize();
    EXPECT_EQ(end.nanoseconds_since(begin), 1'000'000);
    std::string calls = log();
    for (std::size_t at = 0; (at = calls.find("cudaSetDevice 0\n")) != std::string::npos;) calls.erase(at, 16);
    EXPECT_EQ(calls,
              "cudaEventRecord e1 s1\ncudaMemcpyAsync in 8 s1\ncudaMemcpyAsync out 8 s1\ncudaEventRecord e2 s1\n"
              "cudaLaunchHostFunc\ncudaEventSynchronize e2\ncudaStreamSynchronize s1\ncudaEventElapsedTime\n");
  }
  EXPECT_EQ(out, in);
  EXPECT_TRUE(done);
  EXPECT_NE(caller, std::this_thread::get_id());
}

TEST_F(CudaObjects, AStreamWaitsForAnEventOfAnother) {
  Stream copies(*cuda_, 0), computes(*cuda_, 0);
  Event copied(*cuda_, 0), computed(*cuda_, 0);
  told("");
  copied.record(copies);
  computes.wait(copied);
  computed.record(computes);
  copies.wait(computed);
  std::string calls = log();
  for (std::size_t at = 0; (at = calls.find("cudaSetDevice 0\n")) != std::string::npos;) calls.erase(at, 16);
  EXPECT_EQ(calls,
            "cudaEventRecord e1 s1\ncudaStreamWaitEvent s2 e1\ncudaEventRecord e2 s2\ncudaStreamWaitEvent s1 e2\n");
}

TEST_F(CudaObjects, AnEventThatHasNotPassedIsNoError) {
  const Event event(*cuda_, 0);
  told("cudaEventQuery@1=600 cudaEventQuery@2=719");
  EXPECT_FALSE(event.passed());
  EXPECT_EQ(log(), "cudaEventQuery e1\ncudaGetLastError\n");
  const auto thrown = thrown_by([&] { static_cast<void>(event.passed()); });
  EXPECT_EQ(thrown.code, ASSAY_DEVICE_LOST);
  EXPECT_THAT(thrown.message, HasSubstr("cannot ask whether a batch on gpu:0 is done"));
  told("");
  EXPECT_TRUE(event.passed());
}

TEST_F(CudaObjects, HowLongTheDeviceWentOnIsItsTimeLessTheHosts) {
  using std::chrono::microseconds;
  Stream stream(*cuda_, 0);
  Event begun(*cuda_, 0), computed(*cuda_, 0);
  begun.record(stream);
  computed.record(stream);  // a millisecond later
  for (const auto& [launching, ahead] : {std::pair{microseconds(0), 1'000'000},
                                         {microseconds(400), 600'000},
                                         {microseconds(1000), 0},
                                         {microseconds(1500), 0}}) {
    EXPECT_EQ(nanoseconds_ahead(begun, computed, launching), ahead) << launching.count();
  }
}

TEST_F(CudaObjects, PinnedMemoryIsForAllDevices) {
  void* data = allocate_pinned(*cuda_, 4096);
  EXPECT_EQ(log(), "cudaHostAlloc 4096 portable\n");
  EXPECT_EQ(fake::cudart().held(), 1);
  free_pinned(*cuda_, data);
  EXPECT_EQ(fake::cudart().held(), 0);
}

TEST_F(CudaObjects, TooMuchMemorySaysHowMuchThereIs) {
  told("memory_mib=3");
  const DeviceBuffer some(*cuda_, 0, std::size_t{1} << 20U);
  const auto thrown = thrown_by([&] { DeviceBuffer(*cuda_, 0, std::size_t{5} << 20U); });
  EXPECT_EQ(thrown.code, ASSAY_OUT_OF_MEMORY);
  EXPECT_THAT(thrown.message, HasSubstr("cannot allocate 5.0 MiB on gpu:0, of whose 3.0 MiB there are 2.0 MiB free: "));
}

TEST_F(CudaObjects, EveryErrorSaysWhatWasAskedAndLeaksNothing) {
  struct Row {
    const char* settings;
    assay_status code;
    const char* said;
  };
  const auto run = [&] {
    DeviceBuffer buffer(*cuda_, 0, 1024);
    Stream stream(*cuda_, 0);
    Event begin(*cuda_, 0), end(*cuda_, 0);
    std::array<char, 1024> host{};
    begin.record(stream);
    stream.wait(begin);
    stream.copy_in(buffer.data(), host.data(), host.size());
    CapturedGraph graph(*cuda_, stream, [] {});
    graph.launch(stream);
    stream.copy_out(host.data(), buffer.data(), host.size());
    end.record(stream);
    stream.call([](void*) {}, nullptr);
    end.synchronize();
    stream.synchronize();
    static_cast<void>(end.nanoseconds_since(begin));
  };
  for (const Row& row : {Row{"cudaSetDevice=101", ASSAY_UNAVAILABLE, "use gpu:0"},
                         {"cudaMalloc=2", ASSAY_OUT_OF_MEMORY, "allocate 1.0 KiB on gpu:0"},
                         {"cudaStreamCreateWithFlags=999", ASSAY_FRAMEWORK, "make a stream on gpu:0"},
                         {"cudaEventCreateWithFlags@2=999", ASSAY_FRAMEWORK, "make an event on gpu:0"},
                         {"cudaEventRecord=400", ASSAY_FRAMEWORK, "mark a time on gpu:0"},
                         {"cudaStreamWaitEvent=400", ASSAY_FRAMEWORK, "make a stream of gpu:0 wait for another"},
                         {"cudaMemcpyAsync=1", ASSAY_FRAMEWORK, "copy 1.0 KiB to gpu:0"},
                         {"cudaMemcpyAsync@2=700", ASSAY_DEVICE_LOST, "copy 1.0 KiB from gpu:0"},
                         {"cudaStreamBeginCapture=900", ASSAY_UNSUPPORTED, "begin to capture"},
                         {"cudaStreamEndCapture=901", ASSAY_UNSUPPORTED, "capture a CUDA graph"},
                         {"cudaGraphInstantiate=2", ASSAY_OUT_OF_MEMORY, "make what was captured a graph"},
                         {"cudaGraphLaunch=719", ASSAY_DEVICE_LOST, "launch a CUDA graph on gpu:0"},
                         {"cudaLaunchHostFunc=1", ASSAY_FRAMEWORK, "be called"},
                         {"cudaEventSynchronize=719", ASSAY_DEVICE_LOST, "wait for a batch on gpu:0"},
                         {"cudaStreamSynchronize=214", ASSAY_DEVICE_LOST, "finish what was launched on gpu:0"},
                         {"cudaEventElapsedTime=600", ASSAY_FRAMEWORK, "read the time"}}) {
    told(row.settings);
    const auto thrown = thrown_by(run);
    EXPECT_EQ(thrown.code, row.code) << row.settings << ": " << thrown.message;
    EXPECT_THAT(thrown.message, HasSubstr(std::string("cannot ") + row.said)) << row.settings;
    EXPECT_EQ(fake::cudart().held(), 0) << row.settings << " leaks:\n" << log();
  }
  told("");
  EXPECT_EQ(thrown_by(run).code, ASSAY_OK);
  EXPECT_EQ(fake::cudart().held(), 0);
}

TEST_F(CudaObjects, ALostDeviceAnswersNothingMoreAndWhatItHeldIsLetGo) {
  for (const int error : {719, 226, 700, 721, 810}) {
    told("");
    DeviceBuffer buffer(*cuda_, 0, 16);
    Stream stream(*cuda_, 0);
    std::array<char, 16> host{};
    told("cudaMemcpyAsync=" + std::to_string(error));
    EXPECT_EQ(fake::cudart().held(), 2);
    const std::function<void()> calls[] = {[&] { stream.copy_in(buffer.data(), host.data(), host.size()); },
                                           [&] { stream.synchronize(); }, [&] { DeviceBuffer(*cuda_, 0, 16); },
                                           [&] { cuda_->synchronize(); }};
    for (const auto& call : calls) EXPECT_EQ(thrown_by(call).code, ASSAY_DEVICE_LOST) << error;
    EXPECT_THAT(thrown_by(calls[0]).message, HasSubstr("a new process may use it"));
  }
  EXPECT_EQ(fake::cudart().held(), 0);
}

TEST_F(CudaObjects, AGraphIsCapturedOnceAndLaunchedOften) {
  {
    Stream stream(*cuda_, 0);
    DeviceBuffer buffer(*cuda_, 0, 8);
    std::array<char, 8> host = {'x'};
    told("");
    CapturedGraph graph(*cuda_, stream, [&] { stream.copy_out(host.data(), buffer.data(), host.size()); });
    EXPECT_EQ(log(),
              "cudaSetDevice 0\ncudaStreamBeginCapture thread-local\ncudaSetDevice 0\ncudaMemcpyAsync out 8 s1\n"
              "cudaStreamEndCapture\ncudaGraphInstantiate\ncudaSetDevice 0\ncudaGraphDestroy\n");
    EXPECT_EQ(host[0], 'x') << "captured, not run";
    graph.launch(stream);
    graph.launch(stream);
    EXPECT_THAT(log(), HasSubstr("cudaGraphLaunch s1\ncudaSetDevice 0\ncudaGraphLaunch s1\n"));
    EXPECT_EQ(fake::cudart().held(), 3) << "stream, buffer and what is launched";
  }
  EXPECT_THAT(log(), HasSubstr("cudaGraphExecDestroy"));
  EXPECT_EQ(fake::cudart().held(), 0);
}

TEST_F(CudaObjects, WhatCannotBeCapturedIsSaidAndTheStreamStaysOfUse) {
  Stream stream(*cuda_, 0);
  struct Row {
    const char* what;
    std::function<void()> launch;
    assay_status code;
    const char* said;
  };
  const std::vector<Row> rows = {
      {"forbidden while capturing", [&] { cuda_->check(cudaErrorStreamCaptureUnsupported, "allocate"); },
       ASSAY_UNSUPPORTED, "cannot allocate: CUDA says cudaErrorStreamCaptureUnsupported"},
      {"the framework's own words", [] { throw kit::Failure(ASSAY_FRAMEWORK, "no such kernel"); }, ASSAY_UNSUPPORTED,
       "cannot be captured as a CUDA graph: no such kernel. Run without"},
      {"no memory", [] { throw kit::Failure(ASSAY_OUT_OF_MEMORY, "full"); }, ASSAY_OUT_OF_MEMORY, "full"}};
  for (const Row& row : rows) {
    told("");
    const auto thrown = thrown_by([&] { CapturedGraph(*cuda_, stream, row.launch); });
    EXPECT_EQ(thrown.code, row.code) << row.what;
    EXPECT_THAT(thrown.message, HasSubstr(row.said)) << row.what;
    EXPECT_THAT(log(), HasSubstr("cudaStreamEndCapture")) << row.what;
    EXPECT_EQ(fake::cudart().held(), 1) << row.what << ": the stream alone";
  }
  EXPECT_THROW(CapturedGraph(*cuda_, stream, [] { throw std::logic_error("ours"); }), std::logic_error);
  EXPECT_NO_THROW(CapturedGraph(*cuda_, stream, [] {}));
}

}  // namespace
}  // namespace assay::nvidia
