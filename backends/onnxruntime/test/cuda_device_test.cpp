// Which GPU a session is on, why it is on none, and what it says of it.

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cuda_fixture.hpp"
#include "cuda_libraries.hpp"
#include "execution_provider.hpp"

namespace assay::ort {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

TEST_F(CudaTest, GpusAreListedBesideTheCpu) {
  told("devices=2");
  std::string absent;
  const auto all = devices(library(), {}, absent);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "cpu");
  EXPECT_EQ(all[1].name, "gpu:0");
  EXPECT_THAT(all[1].description, HasSubstr("Fake GPU 0"));
  EXPECT_THAT(all[2].identity, HasSubstr("GPU-"));
  EXPECT_EQ(absent, "");
}

TEST_F(CudaTest, WhyThereIsNoGpuIsSaidExactly) {
  struct Row {
    std::string settings;
    std::vector<std::string> providers;
    const char* version;
    bool cudnn;
    std::vector<std::string> said;
  };
  const std::vector<std::string> with_cuda = world().providers;
  const std::vector<Row> rows = {
      {"", {"CPUExecutionProvider"}, "1.31.1", true, {"built without CUDA", "1.31.1", "setup onnxruntime-gpu"}},
      {"", with_cuda, "1.20.0", true, {"1.20.0", "1.24.0 or newer", "setup onnxruntime-gpu"}},
      {"driver=0", with_cuda, "1.31.1", true, {"driver"}},
      {"", with_cuda, "1.31.1", false, {"needs libcudnn.so.9", folder_.path().string(), "setup onnxruntime-gpu"}},
  };
  for (const Row& row : rows) {
    static const char* version;
    version = row.version;
    told(row.settings);
    world().providers = row.providers;
    if (!row.cudnn) fs::remove(folder_.path() / "nvidia/cudnn/lib/libcudnn.so.9");
    std::string absent;
    version_ = [] { return version; };
    const auto all = devices(library(), {}, absent);
    EXPECT_EQ(all.size(), 1U) << row.said[0];
    EXPECT_THAT(absent, StartsWith("no GPU: "));
    for (const std::string& said : row.said) EXPECT_THAT(absent, HasSubstr(said));
  }
}

TEST_F(CudaTest, AGpuThatIsAskedForAndIsNotThereIsUnavailableForAReason) {
  auto thrown = try_open("gpu:7");
  EXPECT_EQ(thrown.code, ASSAY_UNAVAILABLE);
  EXPECT_THAT(thrown.message, AllOf(HasSubstr("gpu:7"), HasSubstr("gpu:0")));
  told("driver=0");
  thrown = try_open();
  EXPECT_EQ(thrown.code, ASSAY_UNAVAILABLE);
  EXPECT_THAT(thrown.message, HasSubstr("driver"));
  told("");
  world().providers = {"AzureExecutionProvider", "CPUExecutionProvider"};
  thrown = try_open();
  EXPECT_EQ(thrown.code, ASSAY_UNAVAILABLE);
  EXPECT_THAT(thrown.message, AllOf(HasSubstr("libonnxruntime.so.1.31.1 (the test) was built without CUDA"),
                                    HasSubstr("AzureExecutionProvider, CPUExecutionProvider")));
  world() = {};
  fs::remove(folder_.path() / "onnxruntime/capi/libonnxruntime_providers_cuda.so");
  EXPECT_THAT(try_open().message, HasSubstr("libonnxruntime_providers_cuda.so cannot be read"));
}

TEST_F(CudaTest, SettingsReachTheProviderAndAreReadBack) {
  open({{"use_tf32", "true"}, {"cudnn_conv_algo_search", "heuristic"}});
  EXPECT_NE(world().stream, nullptr) << "it computes in our stream";
  EXPECT_THAT(world().cuda_options, AllOf(Contains(Pair("device_id", "0")), Contains(Pair("use_tf32", "1"))));
  const auto settings = in_force();
  for (const auto& [key, value] : std::map<std::string, std::string>{{"device", "gpu:0"},
                                                                     {"gpu.name", "Fake GPU 0"},
                                                                     {"provider", "CUDAExecutionProvider"},
                                                                     {"precision", "f32"},
                                                                     {"streams", "1"},
                                                                     {"tf32", "true"},
                                                                     {"cuda", "13.0"},
                                                                     {"cuda_graph", "false"},
                                                                     {"cudnn_conv_algo_search", "HEURISTIC"},
                                                                     {"nodes.gpu", "2"},
                                                                     {"nodes.cpu", "0"}}) {
    EXPECT_THAT(settings, Contains(Pair(key, value)));
  }
  EXPECT_THAT(settings.at("gpu.uuid"), StartsWith("GPU-"));
  EXPECT_TRUE(settings.contains("driver"));
}

TEST_F(CudaTest, NodesOnTheCpuAreCountedAndNamed) {
  world().placement.push_back({"CPUExecutionProvider", {{"/s", "Shape"}, {"/g", "Gather"}}, {}});
  open();
  EXPECT_EQ(in_force().at("device"), "gpu:0");
  EXPECT_EQ(in_force().at("nodes.cpu"), "2: Shape /s, Gather /g");
  EXPECT_EQ(in_force().at("nodes.cpu.operators"), "Gather 1, Shape 1");
  world().placement = {{"CPUExecutionProvider", {}, {}}};
  for (int i = 0; i < 20; ++i) world().placement[0].nodes.push_back({"n" + std::to_string(i), "Relu"});
  open();
  EXPECT_THAT(in_force().at("nodes.cpu"),
              AllOf(StartsWith("20: Relu n0, "), HasSubstr("Relu n7, …"), Not(HasSubstr("n8"))));
}

TEST_F(CudaTest, WithNoNodeOnTheGpuItDoesNotClaimTheGpu) {
  world().placement = {{"CPUExecutionProvider", {{"a", "Conv"}}, {}}};
  world().input_memory = world().output_memory = "Cpu";
  open();
  EXPECT_EQ(in_force().at("device"), "cpu");
  EXPECT_EQ(in_force().at("provider"), "CPUExecutionProvider");
  EXPECT_EQ(in_force().at("nodes.gpu"), "0");
}

TEST_F(CudaTest, WithMostOfWhatComputesOnTheCpuItDoesNotClaimTheGpu) {
  world().placement = {{"CPUExecutionProvider", {{"a", "Conv"}, {"b", "Conv"}}, {}},
                       {"CUDAExecutionProvider", {{"c", "Relu"}}, {}}};
  open();
  EXPECT_EQ(in_force().at("device"), "cpu");
  EXPECT_EQ(in_force().at("provider"), "CPUExecutionProvider");
  EXPECT_EQ(in_force().at("nodes.gpu"), "1");
}

TEST_F(CudaTest, AGraphIsLeftForTheCacheWhereNoNodeIsOnTheCpu) {
  const auto left = [this] { return std::distance(fs::directory_iterator(folder_.path() / "cache"), {}); };
  fs::create_directory(folder_.path() / "cache");
  for (const bool falls_back : {false, true}) {
    world() = {};
    if (falls_back) world().placement.push_back({"CPUExecutionProvider", {{"/s", "Shape"}}, {}});
    for (const char* saved : {"graph.onnx", "weights.bin"}) {  // as the library would
      std::ofstream(folder_.path() / "cache" / saved) << "a graph";
    }
    kit::OpenRequest request;
    request.device = "gpu:0";
    request.model_path = "fake.onnx";
    request.cache_fill = (folder_.path() / "cache").string();
    session_ = std::make_unique<OrtBackendSession>(library(), request);
    EXPECT_EQ(left(), falls_back ? 0 : 2);
    EXPECT_EQ(in_force().contains("graph_cache"), falls_back);
    if (falls_back) {
      EXPECT_THAT(in_force().at("graph_cache"), StartsWith("not kept: 1 nodes are on the CPU"));
    }
    close();
  }
}

TEST_F(CudaTest, PinnedMemoryIsCudas) {
  open();
  EXPECT_EQ(session_->describe().memory_kinds, (1U << ASSAY_HOST) | (1U << ASSAY_PINNED));
  told("");
  void* data = session_->allocate(ASSAY_PINNED, 4096);
  EXPECT_THAT(log(), HasSubstr("cudaHostAlloc 4096"));
  session_->release(ASSAY_PINNED, data);
  EXPECT_THAT(log(), HasSubstr("cudaFreeHost"));
  session_->release(ASSAY_HOST, session_->allocate(ASSAY_HOST, 64));
  const auto thrown = nvidia::fake::thrown_by([&] { session_->allocate(ASSAY_DEVICE, 64); });
  EXPECT_EQ(thrown.code, ASSAY_UNSUPPORTED);
  EXPECT_THAT(thrown.message, HasSubstr("gpu:0"));
}

TEST_F(CudaTest, SlotsAreAsManyAsSteps) {
  open();
  EXPECT_EQ(session_->describe().useful_slots, 3);
  ASSERT_EQ(try_open("gpu:0", {}, ASSAY_GOAL_LATENCY).message, "");
  EXPECT_EQ(session_->describe().useful_slots, 1);
}

TEST_F(CudaTest, LibrariesThatAreThereAreNamedWithTheirPaths) {
  const Library& met = library();
  const auto roots = cuda_roots(met, {});
  EXPECT_EQ(roots[0].first, folder_.path());
  const auto found = find_cuda_libraries(met, roots);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "libcudnn.so.9");
  EXPECT_EQ(found[0].path, folder_.path() / "nvidia/cudnn/lib/libcudnn.so.9");
}

}  // namespace
}  // namespace assay::ort
