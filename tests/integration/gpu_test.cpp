// The program on a GPU (label "gpu", `make test-gpu`): each engine computes the four networks as ONNX Runtime does on
// the CPU, says what it measured, and why not. ASSAY_GPU_DB names the results file that the campaigns are kept in.

#include <cstdlib>

#include "backend/backend.hpp"
#include "core/outcome.hpp"
#include "integration/cli_fixture.hpp"
#include "model/zoo.hpp"

namespace assay::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kGpu = "gpu:0";
constexpr const char* kEngines[] = {"onnxruntime", "tensorrt"};

/// The fixture, with what tells where GPUs and their libraries are.
class GpuCli : public CliTest {
 protected:
  GpuCli() {
    for (const char* name : {"CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "TENSORRT_ROOT", "ASSAY_TENSORRT_PATH",
                             "ASSAY_ONNXRUNTIME_PATH", "VIRTUAL_ENV", "TMPDIR"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
    if (const char* file = std::getenv("ASSAY_GPU_DB")) db_ = file;
    environment_["ASSAY_DB"] = db_.string();
  }
  /// Throughput of a batch of 8 on the GPU.
  [[nodiscard]] Result bench_gpu(const char* engine, const std::string& model, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"bench",        model, "--backend", engine,       "--device",   kGpu,
                                          "--batch-size", "8",   "--for",     "throughput", "--duration", "500ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return assay(std::move(arguments));
  }
};

std::string value_of(const std::map<std::string, std::string>& in_force, const std::string& key) {
  const auto it = in_force.find(key);
  return it == in_force.end() ? "(not said)" : it->second;
}

double metric_of(const Outcome& outcome, const std::string& tag) {
  const Metric* metric = find_metric(outcome, tag);
  if (metric != nullptr && metric->value) return *metric->value;
  ADD_FAILURE() << describe(outcome.test_case) << ": " << tag
                << " is missing: " << (metric == nullptr ? "no such metric" : metric->remark);
  return 0;
}

struct Pass {
  const char* engine;
  const char* network;
  double weights_mib;  ///< in f32
};

void PrintTo(const Pass& p, std::ostream* out) { *out << p.network << " on " << p.engine; }  // NOLINT: gtest's name

class GpuPass : public GpuCli, public ::testing::WithParamInterface<Pass> {};

TEST_P(GpuPass, AgreesWithTheCpuInBothPrecisionsAndIsAccountedFor) {
  const auto& [engine, network, weights_mib] = GetParam();
  const Result r = bench_gpu(engine, network, {"--precision", "f32,f16"});
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 2U);
  for (const Outcome& o : c.outcomes) {
    ASSERT_EQ(o.state, OutcomeState::kMeasured) << o.phase << ": " << o.reason;
    EXPECT_EQ(value_of(o.in_force, "device"), kGpu);
    EXPECT_EQ(value_of(o.in_force, "precision"), to_string(o.test_case.precision));
    EXPECT_THAT(value_of(o.in_force, "gpu.uuid"), StartsWith("GPU-"));
    (void)metric_of(o, "parity.error");  // it was compared: what differs too much is not measured
    EXPECT_GT(metric_of(o, "throughput"), 0);
    for (const char* tag : {"time.copy_in", "time.compute", "time.copy_out"}) EXPECT_GT(metric_of(o, tag), 0) << tag;
    const double share = o.test_case.precision == Precision::kFloat16 ? 0.5 : 1;
    EXPECT_GT(metric_of(o, "memory.device"), share * weights_mib) << "the weights are on the GPU";
    EXPECT_GT(metric_of(o, "energy.gross"), 0);
    (void)metric_of(o, "load.cold");
    EXPECT_GT(metric_of(o, "load.cached"), 0) << "the second load is from the cache";
  }
}

std::vector<Pass> passes() {
  std::vector<Pass> all;
  for (const char* engine : kEngines) {
    for (const auto& [network, mib] :
         {std::pair{"resnet50", 97.0}, {"densenet201", 76.0}, {"efficientnetb0", 20.0}, {"vgg19", 548.0}}) {
      all.push_back({engine, network, mib});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Gpu, GpuPass, ::testing::ValuesIn(passes()),
                         [](const auto& p) { return std::string(p.param.engine) + "_" + p.param.network; });

class GpuEngine : public GpuCli, public ::testing::WithParamInterface<const char*> {};

TEST_P(GpuEngine, AGpuThatThereIsNotIsSkippedWithThoseThereAre) {
  const Result r = assay({"bench", "tiny-mlp", "--backend", GetParam(), "--device", "gpu:999", "--for", "latency"});
  EXPECT_EQ(r.status, 1);
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  EXPECT_EQ(c.outcomes[0].state, OutcomeState::kSkipped);
  EXPECT_EQ(c.outcomes[0].phase, "device");
  EXPECT_THAT(c.outcomes[0].reason, AllOf(HasSubstr("has no device 'gpu:999' here; it has "), HasSubstr(kGpu)));
}

TEST_P(GpuEngine, ThePluginItselfSaysWhichGpusCudaSees) {
  const std::filesystem::path model = model::write_zoo_network({.name = "tiny-mlp"}, folder_.path());
  backend::OpenRequest request;
  request.model = model;
  request.device = "gpu:999";
  try {
    (void)backend::load_backend(GetParam()).open(request);
    ADD_FAILURE() << "gpu:999 was opened";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(e.message(), HasSubstr("asked for the device gpu:999, and CUDA sees gpu:0 ("));
  }
}

TEST_P(GpuEngine, AGraphIsLaunchedWhereItIsAskedFor) {
  const std::string option = GetParam() == std::string("tensorrt") ? "cuda_graph=true" : "enable_cuda_graph=true";
  const Result r = bench_gpu(GetParam(), "resnet50", {"--option", option});
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  ASSERT_EQ(c.outcomes[0].state, OutcomeState::kMeasured) << c.outcomes[0].phase << ": " << c.outcomes[0].reason;
  EXPECT_EQ(value_of(c.outcomes[0].in_force, "cuda_graph"), "true");
}

TEST_P(GpuEngine, AnEnsembleAnswersAsOnTheCpuInBothPrecisions) {
  const Result r = bench_gpu(GetParam(), "resnet50+densenet201+vgg19",
                             {"--strategy", "sequential,merged", "--precision", "f32,f16"});
  EXPECT_EQ(r.status, 0) << r.out << r.err;
  const Campaign c = newest();
  EXPECT_EQ(c.outcomes.size(), 4U);
  for (const Outcome& o : c.outcomes) {
    ASSERT_EQ(o.state, OutcomeState::kMeasured)
        << o.test_case.strategy << ", " << to_string(o.test_case.precision) << ", " << o.phase << ": " << o.reason;
    (void)metric_of(o, "parity.error");  // it was compared: what differs too much is not measured
  }
}

INSTANTIATE_TEST_SUITE_P(Gpu, GpuEngine, ::testing::ValuesIn(kEngines),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace assay::integration
