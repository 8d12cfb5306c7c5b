// The real program over ONNX Runtime: what only an engine finds, and an engine that is none.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "input/npy.hpp"
#include "integration/cli_fixture.hpp"
#include "support/tiny_models.hpp"

namespace assay::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class EngineTest : public CliTest {
 protected:
  EngineTest() {
    for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "VIRTUAL_ENV"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
  }
  [[nodiscard]] std::string noise(const char* name, Shape shape) const {
    Tensor t(DType::kFloat32, std::move(shape));
    for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = static_cast<float>(i % 7) - 3;
    input::write_npy(file(name), t.view());
    return file(name);
  }
};

// The rows that a batch finds count its samples from 0: of several batches they make no one array.
TEST_F(EngineTest, RowsThatWereFoundAreOfOneBatch) {
  const std::string x = noise("x.npy", {5, 8});
  const Result whole =
      assay({"predict", "tiny-dynamic-output", "--input", x, "--batch-size", "5", "-o", file("y.npy")});
  ASSERT_EQ(whole.status, 0) << whole.err;
  EXPECT_THAT(whole.out, HasSubstr("of all samples together"));
  const input::NpyFile y(file("y.npy"));
  EXPECT_GT(y.view().shape.at(0), 5);
  EXPECT_EQ(y.view().shape.at(1), 2);
  const Result parts = assay({"predict", "tiny-dynamic-output", "--input", x, "--batch-size", "2"});
  EXPECT_EQ(parts.status, 2);
  EXPECT_THAT(parts.err, HasSubstr("--batch-axis indices=K"));
}

TEST_F(EngineTest, RowsThatWereFoundAreComparedBatchByBatch) {
  const Result r = assay({"bench", "tiny-dynamic-output", "--backend", "onnxruntime", "--batch-size", "model,1,3",
                          "--for", "latency", "--duration", "50ms"});
  EXPECT_EQ(r.status, 0) << r.err;
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 3U);
  for (const Outcome& o : c.outcomes) {
    EXPECT_EQ(o.state, OutcomeState::kMeasured) << o.reason;
    const Metric* parity = find_metric(o, "parity.error");
    EXPECT_TRUE(parity != nullptr && parity->value.has_value());
  }
}

// Frameworks pass over an output that is an input, and leave memory that was bound for it as it was.
TEST_F(EngineTest, AnOutputThatIsAnInputComesAsItWent) {
  tiny::write_relu_and_input(file("both.onnx"));
  const std::string x = noise("x.npy", {5, 4});
  for (const char* backend : {"onnxruntime", "openvino", "tensorflow"}) {
    const Result r = assay(
        {"predict", file("both.onnx"), "--input", x, "--batch-size", "2", "--backend", backend, "-o", file(backend)});
    ASSERT_EQ(r.status, 0) << backend << ": " << r.err;
    const input::NpyFile given(x), same(file(backend) + "/x.npy"), relu(file(backend) + "/y.npy");
    const auto* in = static_cast<const float*>(given.view().data);
    for (std::size_t i = 0; i < 20; ++i) {
      ASSERT_EQ(static_cast<const float*>(same.view().data)[i], in[i]) << backend << " " << i;
      ASSERT_EQ(static_cast<const float*>(relu.view().data)[i], std::max(in[i], 0.0F)) << backend << " " << i;
    }
  }
}

// A free first axis without a name is taken for the batch; frameworks say only that what comes out does not fit.
TEST_F(EngineTest, AnAxisThatWasTakenForTheBatchIsNamedWithTheWayOut) {
  tiny::write_unnamed_rows(file("rows.onnx"));
  const std::string x = noise("x.npy", {3, 4});
  for (const char* backend : {"onnxruntime", "openvino", "tensorflow"}) {
    const std::vector<std::string> predict = {"predict", file("rows.onnx"), "--input", x, "--batch-size",
                                              "3",       "--backend",       backend};
    const Result r = assay(predict);
    EXPECT_NE(r.status, 0) << backend;
    EXPECT_THAT(r.err, AllOf(HasSubstr("taken for the batch"), HasSubstr("--batch-axis y=none"))) << backend;
    std::vector<std::string> told = predict;
    told.insert(told.end(), {"--batch-axis", "y=none"});
    const Result mended = assay(told);
    EXPECT_EQ(mended.status, 0) << backend << ": " << mended.err;
  }
}

TEST_F(EngineTest, ADamagedCacheEntryIsAWarningOfTheCampaign) {
  const std::vector<std::string> bench = {"bench", "tiny-mlp", "--backend",  "onnxruntime",
                                          "--for", "latency",  "--duration", "50ms"};
  ASSERT_EQ(assay(bench).status, 0);
  int damaged = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path() / "cache" / "graphs")) {
    if (entry.path().extension() != ".onnx") continue;
    std::fstream graph(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    graph.seekp(20) << "damage";
    ++damaged;
  }
  ASSERT_GE(damaged, 1);
  const Result r = assay(bench);
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("warning (worker)"));
  EXPECT_FALSE(newest().warnings.empty());
}

TEST_F(EngineTest, AnOperatorThatThereIsNot) {
  tiny::write_unknown_operator(file("unknown.onnx"));
  const std::string x = noise("x.npy", {1, 4});
  const Result predicted = assay({"predict", file("unknown.onnx"), "--input", x});
  EXPECT_NE(predicted.status, 0);
  EXPECT_THAT(predicted.err, HasSubstr("Quomodocunquize"));
  EXPECT_EQ(assay({"bench", file("unknown.onnx"), "--backend", "onnxruntime", "--for", "latency"}).status, 1);
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  EXPECT_EQ(c.outcomes[0].state, OutcomeState::kFailed);
  EXPECT_THAT(c.outcomes[0].reason, HasSubstr("Quomodocunquize"));
  EXPECT_THAT(assay({"models", "show", file("unknown.onnx")}).out, HasSubstr("1 Quomodocunquize"));
}

// A library that loads, and is no framework.
TEST_F(EngineTest, ALibraryThatIsAnother) {
  environment_["ASSAY_ONNXRUNTIME_PATH"] = ASSAY_BUILD_DIR "/lib/assay/libassay_backend_null.so";
  EXPECT_THAT(assay({"backends"}).out, AllOf(HasSubstr("onnxruntime  not available"), HasSubstr("null")));
  const Result predicted = assay({"predict", "tiny-mlp", "--input", noise("x.npy", {1, 8})});
  EXPECT_EQ(predicted.status, 1);
  EXPECT_THAT(predicted.err, HasSubstr("is not ONNX Runtime"));
  const Result measured = assay({"bench", "tiny-mlp", "--backend", "onnxruntime", "--for", "latency"});
  EXPECT_EQ(measured.status, 1) << "asked for by name";
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  EXPECT_EQ(c.outcomes[0].state, OutcomeState::kSkipped);
  EXPECT_THAT(c.outcomes[0].reason, AllOf(HasSubstr("is not ONNX Runtime"), HasSubstr("ASSAY_ONNXRUNTIME_PATH")));
}

struct OldFramework {
  const char *backend, *variable, *met, *wanted;
};
void PrintTo(const OldFramework& old, std::ostream* out) { *out << old.backend; }

class AnOldFramework : public EngineTest, public testing::WithParamInterface<OldFramework> {};

TEST_P(AnOldFramework, SaysWhichItIsAndWhichIsWanted) {
  const OldFramework& old = GetParam();
  environment_[old.variable] = std::string(ASSAY_BUILD_DIR "/tests/old_frameworks/libold_") + old.backend + ".so";
  const Result listed = assay({"backends", "-v"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(listed.out, AllOf(HasSubstr("not available"), HasSubstr(old.met), HasSubstr("null")));
  const std::string x = noise("x.npy", {1, 8});
  const Result predicted = assay({"predict", "tiny-mlp", "--input", x, "--backend", old.backend});
  EXPECT_EQ(predicted.status, 1);
  EXPECT_THAT(predicted.err, AllOf(HasSubstr(old.met), HasSubstr(old.wanted), HasSubstr("assay setup ")));
}

INSTANTIATE_TEST_SUITE_P(
    Engine, AnOldFramework,
    testing::Values(OldFramework{"onnxruntime", "ASSAY_ONNXRUNTIME_PATH", "1.10.0", "or newer is needed"},
                    OldFramework{"openvino", "ASSAY_OPENVINO_PATH", "2022.3.0", "OpenVINO 2026.0 or later"}),
    [](const auto& test) { return std::string(test.param.backend); });

#ifdef ASSAY_REGEX_HOST
TEST_F(EngineTest, AHostThatUsesRegularExpressions) {
  const Result made = assay({"models", "make", "tiny-mlp", "--dir", folder_.path().string()});
  ASSERT_EQ(made.status, 0) << made.err;
  for (const char* level : {"O0", "O2"}) {
    for (const char* backend : {"onnxruntime", "openvino", "tensorflow"}) {
      const std::string host = std::string(ASSAY_REGEX_HOST) + level;
      const Result r = Program({host, file("tiny-mlp.onnx"), backend}, environment_).wait();
      EXPECT_EQ(r.status, 0) << level << " " << backend << ": " << r.err;
      EXPECT_THAT(r.out, HasSubstr("answers 1x4"));
    }
  }
}
#endif

}  // namespace
}  // namespace assay::integration
