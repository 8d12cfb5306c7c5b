// A batch's way through a GPU: order of calls, errors, leaks.

#include <array>
#include <chrono>
#include <functional>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "cuda_fixture.hpp"

namespace assay::ort {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(CudaTest, ABatchIsCopiedInComputedAndCopiedOutAndIsTimed) {
  open();
  open_slot();
  ASSERT_EQ(run().message, "");  // the first finds memory for the output
  world().bound.clear();
  told("");
  y_.assign(8, -1);
  ASSERT_EQ(run().message, "");
  EXPECT_EQ(y_, doubled_);
  EXPECT_EQ(output_.data, y_.data());
  // Begun, copied in; the session's stream waits for it, launches; this one waits for that, and copies out.
  const std::string in =
      "cudaEventRecord e1 s1\ncudaMemcpyAsync in 32 s1\ncudaEventRecord e2 s1\n"
      "cudaStreamWaitEvent s2 e2\ncudaEventRecord e3 s2\n";
  const std::string out =
      "cudaEventRecord e4 s2\ncudaStreamWaitEvent s1 e4\ncudaEventRecord e5 s1\ncudaMemcpyAsync out 32 s1\n"
      "cudaEventRecord e6 s1\ncudaEventSynchronize e6\n";
  EXPECT_EQ(without_device(world().cuda_log.back()), in);
  EXPECT_THAT(log(), StartsWith(in + out));
  EXPECT_THAT(world().bound, ElementsAre()) << "what was bound stays bound";
  EXPECT_EQ(world().runs.back(), "disable_synchronize_execution_providers=1;");
  // The fake's clock goes on a millisecond from mark to mark.
  EXPECT_EQ(timing_.copy_in_ns, 1'000'000);
  EXPECT_EQ(timing_.compute_ns, 1'000'000);
  EXPECT_EQ(timing_.copy_out_ns, 1'000'000);
  // From the first mark to the fourth, less what the host took.
  EXPECT_THAT(timing_.ahead_ns, AllOf(Ge(0), Le(3'000'000)));
}

TEST_F(CudaTest, AnInputThatTheCpuReadsIsBoundWhereItLies) {
  world().input_memory = "Cpu";
  world().placement.push_back({"CPUExecutionProvider", {{"s", "Shape"}}, {}});
  open();
  open_slot();
  for (int batch = 0; batch < 2; ++batch) {
    world().bound.clear();
    ASSERT_EQ(run().message, "");
    EXPECT_EQ(y_, doubled_);
    EXPECT_THAT(world().bound, Contains("x Cpu")) << "each time, since binding may copy";
    EXPECT_EQ(world().runs.back(), "") << "a node on the CPU is waited for";
    EXPECT_EQ(timing_.ahead_ns, -1) << "the library has waited for the device";
  }
  EXPECT_THAT(log(), Not(HasSubstr("cudaMemcpyAsync in")));
}

TEST_F(CudaTest, AnOutputOfUnknownShapeComesInTheHostsMemory) {
  open();
  open_slot();
  ASSERT_EQ(run(false).message, "");
  ASSERT_NE(output_.data, nullptr);
  EXPECT_EQ(output_.bytes, 32U);
  const auto* y = static_cast<const float*>(output_.data);
  EXPECT_EQ(std::vector<float>(y, y + 8), doubled_);
  EXPECT_THAT(world().bound, Contains("y anywhere in Cpu"));
  EXPECT_EQ(world().runs.back(), "") << "it is waited for";
}

TEST_F(CudaTest, AGraphBelongsToWhatIsBound) {
  open({{"enable_cuda_graph", "true"}});
  EXPECT_EQ(world().cuda_options["enable_cuda_graph"], "1");
  EXPECT_THAT(in_force().at("cuda_graph"), StartsWith("not yet"));
  open_slot();
  ASSERT_EQ(run().message, "");
  EXPECT_EQ(in_force().at("cuda_graph"), "true");
  const std::string first = world().runs.back();
  EXPECT_THAT(first, HasSubstr("gpu_graph_id="));
  ASSERT_EQ(run().message, "");
  EXPECT_EQ(world().runs.back(), first) << "the same addresses";
  ASSERT_EQ(run(false).message, "");
  EXPECT_THAT(world().runs.back(), HasSubstr("gpu_graph_id=-1;")) << "an output without an address is not captured";
  EXPECT_THAT(in_force().at("cuda_graph"), StartsWith("in part: "));
  open_slot();
  ASSERT_EQ(run().message, "");
  EXPECT_THAT(world().runs.back(), AllOf(HasSubstr("gpu_graph_id="), Not(HasSubstr("gpu_graph_id=-1;"))));
  EXPECT_NE(world().runs.back(), first) << "another slot's addresses";
}

/// Of a library that waits for what it launches, the device is always done when it is back.
TEST_F(CudaTest, HowFarTheDeviceWasBehindIsToldOfGraphsOnceOneWasNotWaitedFor) {
  constexpr const char* kGoesOn = "cudaEventQuery=600";
  struct Row {
    const char* graph;
    const char* batches[4];  // what CUDA says in each
    std::array<bool, 4> told_of;
  };
  for (const Row& row : {Row{"false", {"", "", "", ""}, {true, true, true, true}},
                         {"true", {"", "", "", ""}, {false, false, false, false}},
                         {"true", {kGoesOn, "", "", ""}, {false, false, false, false}},  // the first is captured
                         {"true", {"", "", kGoesOn, ""}, {false, false, true, true}},
                         {"true", {"", kGoesOn, kGoesOn, kGoesOn}, {false, true, true, true}}}) {
    open({{"enable_cuda_graph", row.graph}});
    open_slot();
    for (std::size_t batch = 0; batch < row.told_of.size(); ++batch) {
      timing_ = {};
      told(row.batches[batch]);
      ASSERT_EQ(run().message, "");
      EXPECT_EQ(timing_.ahead_ns >= 0, row.told_of[batch]) << "graph " << row.graph << ", batch " << batch;
      EXPECT_EQ(timing_.compute_ns, 1'000'000) << "events tell that all the same";
    }
  }
}

TEST_F(CudaTest, WhereNoBatchIsCapturedNoGraphIsReadBack) {
  open({{"enable_cuda_graph", "true"}});
  open_slot();
  ASSERT_EQ(run(false).message, "");
  EXPECT_THAT(in_force().at("cuda_graph"), StartsWith("false: "));
}

TEST_F(CudaTest, AGraphOfWhatLiesInTheHostsMemoryIsUnsupported) {
  struct Row {
    const char *input, *output, *said;
  };
  for (const Row& row :
       {Row{"Cpu", "Cuda", "the input 'x'"}, {"Cuda", "Cpu", "the output 'y'"}, {"Cuda", "Cuda", ""}}) {
    world() = {};
    world().input_memory = row.input;
    world().output_memory = row.output;
    EXPECT_EQ(try_open().message, "") << "without a graph it is where the library wants it";
    const auto thrown = try_open("gpu:0", {{"enable_cuda_graph", "true"}});
    if (*row.said == '\0') {
      EXPECT_EQ(thrown.message, "");
      continue;
    }
    EXPECT_EQ(thrown.code, ASSAY_UNSUPPORTED);
    EXPECT_THAT(thrown.message, AllOf(HasSubstr(row.said), HasSubstr("without enable_cuda_graph")));
  }
}

TEST_F(CudaTest, WhatFailsIsSaidAndLeaksNothingAndTheSlotGoesOn) {
  struct Row {
    const char* cuda;
    const char* ort;
    assay_status code;
  };
  for (const Row& row :
       {Row{"cudaMemcpyAsync=1", "", ASSAY_FRAMEWORK},
        {"cudaMemcpyAsync@2=1", "", ASSAY_FRAMEWORK},
        {"cudaEventRecord@3=400", "", ASSAY_FRAMEWORK},
        {"cudaEventSynchronize=719", "", ASSAY_DEVICE_LOST},
        {"", "CUDA failure 2: out of memory ; GPU=0", ASSAY_OUT_OF_MEMORY},
        {"", "CUDA failure 700: an illegal memory access was encountered", ASSAY_DEVICE_LOST},
        {"", "Non-zero status code", ASSAY_FRAMEWORK},
        {"cudaStreamSynchronize=1", "Non-zero status code", ASSAY_FRAMEWORK},
        // Whatever the library calls it, CUDA says that the device is lost; of one stream, or the other.
        {"cudaStreamSynchronize=700", "Non-zero status code", ASSAY_DEVICE_LOST},
        {"cudaStreamSynchronize@2=226", "CUBLAS failure 14", ASSAY_DEVICE_LOST},
        {"cudaStreamSynchronize=721", "out of memory", ASSAY_DEVICE_LOST}}) {
    told("");
    open();
    open_slot();
    ASSERT_EQ(run().message, "");
    told(row.cuda);
    world().run_fails = row.ort;
    const auto thrown = run();
    EXPECT_EQ(thrown.code, row.code) << row.cuda << row.ort << ": " << thrown.message;
    EXPECT_THAT(thrown.message, HasSubstr(row.ort));
    if (std::string(row.cuda).find("719") == std::string::npos) {  // a device that is lost is not asked
      EXPECT_THAT(log(), HasSubstr("cudaStreamSynchronize")) << "something is under way still: " << row.cuda << row.ort;
    }
    told("");
    world().run_fails.clear();
    EXPECT_EQ(run().message, "");
    EXPECT_EQ(y_, doubled_);
  }
}

TEST_F(CudaTest, ADeviceWithoutMemoryForABatchSaysSo) {
  open();
  told("cudaMalloc=2");
  const auto thrown = nvidia::fake::thrown_by([&] { open_slot(); });
  EXPECT_EQ(thrown.code, ASSAY_OUT_OF_MEMORY) << thrown.message;
  told("");
  open_slot();
  told("cudaMalloc=2");
  EXPECT_EQ(run().code, ASSAY_OUT_OF_MEMORY) << "of the output";
  told("");
  EXPECT_EQ(run().message, "");
}

/// What comes through a gate that is held is seen only if it comes soon: a broken gate may pass, a whole one never
/// fails.
TEST_F(CudaTest, NothingIsMadeOrFreedWhileAGraphIsCaptured) {
  constexpr std::chrono::milliseconds kTimeToSlipThrough{20};
  open();
  const std::pair<const char*, std::function<void()>> rows[] = {{"cudaEventCreate", [this] { open_slot(); }},
                                                                {"cudaFree", [this] { slot_.reset(); }},
                                                                {"cudaStreamDestroy", [this] { session_.reset(); }}};
  for (const auto& [call, act] : rows) {
    told("");
    std::unique_lock capturing(CudaDevice::capture_gate());
    std::thread other(act);
    std::this_thread::sleep_for(kTimeToSlipThrough);
    EXPECT_EQ(log(), "") << call;
    capturing.unlock();
    other.join();
    EXPECT_THAT(log(), HasSubstr(call));
  }
}

TEST_F(CudaTest, SlotsOfSeveralThreadsShareTheStream) {
  for (const char* graph : {"false", "true"}) {
    open({{"enable_cuda_graph", graph}});
    const auto work = [this](std::unique_ptr<kit::Slot> slot) {
      std::vector<float> x = x_, y(8);
      for (int i = 0; i < 50; ++i) {
        const assay_tensor in = {x.data(), 32, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, shape_.data(), nullptr};
        assay_tensor out = in;
        out.data = y.data();
        kit::Timing timing;
        slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
        slot->wait({&out, 1}, timing);
        ASSERT_EQ(y, doubled_);
      }
    };
    const std::vector<kit::FixedShape> shapes = {{"x", shape_}};
    std::thread first(work, session_->open_slot(shapes));
    std::thread second(work, session_->open_slot(shapes));
    first.join();
    second.join();
    EXPECT_EQ(world().runs.size(), 100U);
    const std::set<std::string> kinds(world().runs.begin(), world().runs.end());
    const bool captures = graph == std::string("true");
    EXPECT_EQ(kinds.size(), captures ? 2U : 1U) << "a graph for each slot, whichever thread it is run by";
    EXPECT_EQ(world().graph_threads.size(), captures ? 1U : 0U) << "the library keeps graphs for a thread";
    EXPECT_FALSE(world().graph_threads.contains(std::this_thread::get_id()));
    world().runs.clear();
  }
}

}  // namespace
}  // namespace assay::ort
