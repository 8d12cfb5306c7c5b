// The real program over TensorFlow's own files.
#include <nlohmann/json.hpp>
#include <regex>

#include "input/npy.hpp"
#include "integration/cli_fixture.hpp"
#include "test/tensorflow_files.hpp"

namespace assay::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace test = tensorflow::test;

class TensorFlowFilesTest : public CliTest {
 protected:
  TensorFlowFilesTest() {
    for (const char* name : {"ASSAY_TENSORFLOW_PATH", "VIRTUAL_ENV"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
    test::write_file(folder_.path() / "saved" / "saved_model.pb", test::add_relu_saved_model());
    test::write_file(folder_.path() / "frozen.pb", test::add_relu_graph().bytes());
    Tensor t(DType::kFloat32, {2, 3});
    for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = static_cast<float>(i) - 2;
    input::write_npy(file("x.npy"), t.view());
  }
  /// As it was before it was wrapped.
  static std::string one_line(const std::string& text) { return std::regex_replace(text, std::regex("\\s+"), " "); }
  /// Of x = {-2, -1, 0, 1, 2, 3}.
  void expect_answers(const std::string& path) const {
    const input::NpyFile y(path);
    ASSERT_EQ(y.view().shape, (Shape{2, 3}));
    const auto* values = static_cast<const float*>(y.view().data);
    EXPECT_THAT(std::vector<float>(values, values + 6), testing::ElementsAre(0, 0, 3, 2, 0, 6));
  }
};

TEST_F(TensorFlowFilesTest, PredictAnswers) {
  const Result saved = assay({"predict", file("saved"), "--backend", "tensorflow", "--input", file("x.npy"),
                              "--batch-size", "2", "-o", file("answers")});
  ASSERT_EQ(saved.status, 0) << saved.err;
  expect_answers(file("answers") + "/answer.npy");
  const Result frozen =
      assay({"predict", file("frozen.pb"), "--backend", "tensorflow", "--input", file("x.npy"), "-o", file("y.npy")});
  ASSERT_EQ(frozen.status, 0) << frozen.err;
  expect_answers(file("y.npy"));
}

TEST_F(TensorFlowFilesTest, BenchMeasuresThemUnverifiedAndSkipsOtherEngines) {
  const Result r = assay({"bench", file("saved"), "--backend", "tensorflow,onnxruntime", "--for", "latency",
                          "--batch-size", "2", "--duration", "50ms", "--option", "tensorflow.xla=false"});
  ASSERT_EQ(r.status, 0) << r.err;
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 2U);
  for (const Outcome& o : c.outcomes) {
    if (o.test_case.backend == "tensorflow") {
      EXPECT_EQ(o.state, OutcomeState::kMeasured) << o.reason;
      EXPECT_THAT(r.out, HasSubstr("unverified: this is a TensorFlow SavedModel"));
    } else {
      EXPECT_EQ(o.state, OutcomeState::kSkipped);
      EXPECT_THAT(o.reason, AllOf(HasSubstr("onnxruntime reads ONNX"), HasSubstr("a TensorFlow SavedModel"),
                                  HasSubstr("--backend tensorflow"), HasSubstr("tf2onnx")));
    }
  }
}

TEST_F(TensorFlowFilesTest, ASignatureThatIsNotThereIsFoundBeforeTheEngineIsAsked) {
  const std::string says = "the SavedModel has no signature 'no'; it has: other, serving_default";
  const std::vector<std::string> asked = {"bench", file("saved"), "--backend", "tensorflow",
                                          "--for", "latency",     "--option",  "tensorflow.signature=no"};
  std::vector<std::string> dry = asked;
  dry.emplace_back("--dry-run");
  EXPECT_THAT(one_line(assay(dry).out), HasSubstr("skipped: " + says));
  EXPECT_EQ(assay(asked).status, 1);
  EXPECT_EQ(newest().outcomes.at(0).phase, "model");
  EXPECT_THAT(newest().outcomes.at(0).reason, HasSubstr(says));
  EXPECT_THAT(one_line(assay({"models", "show", file("saved")}).out), HasSubstr("signatures other, serving_default"));
}

TEST_F(TensorFlowFilesTest, WhatIsWrongIsSaid) {
  const auto says = [&](std::vector<std::string> more, const std::string& text) {
    std::vector<std::string> arguments = {"predict"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--input", file("x.npy")});
    const Result r = assay(arguments);
    EXPECT_NE(r.status, 0);
    EXPECT_THAT(r.err, HasSubstr(text));
  };
  says({file("saved"), "--backend", "onnxruntime"}, "onnxruntime reads ONNX, and this is a TensorFlow SavedModel");
  says({file("frozen.pb"), "--backend", "onnxruntime"}, "this is a frozen TensorFlow graph");
  says({file("saved"), "--backend", "tensorflow", "--option", "signature=no"}, "it has: other, serving_default");
  says({file("saved") + "/saved_model.pb", "--backend", "tensorflow"}, "name the folder that holds it");
  says({file("saved"), "--backend", "tensorflow", "--shape", "nose=1x3"}, "its inputs are 'image'");
}

}  // namespace
}  // namespace assay::integration
