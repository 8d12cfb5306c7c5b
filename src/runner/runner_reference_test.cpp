// The reference's answers: who makes them, when, and what a campaign does without.

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "runner/reference.hpp"
#include "runner/runner_fixture.hpp"

namespace assay::runner {
namespace {

using testing::HasSubstr;

TEST_F(RunnerTest, TheReferenceIsMadeOnceAndUsedByAll) {
  plan({"onnxruntime", "openvino", "null"}, {1, 8}, {Goal::kThroughput, Goal::kLatency});
  run();
  EXPECT_EQ(launcher_.count(Kind::kReference), 1);
  for (const auto& r : launcher_.requests) {
    if (r.kind == Kind::kReference) {
      EXPECT_EQ(r.test_case.backend, "onnxruntime");
      EXPECT_EQ(r.test_case.options.at("graph_optimization_level"), "disabled");
      EXPECT_EQ(r.test_case.precision, Precision::kFloat32);
    } else if (r.kind == Kind::kMeasure && r.test_case.model == "m") {
      EXPECT_EQ(r.reference_file.empty(), r.test_case.backend == "null");
      if (!r.reference_file.empty()) {
        EXPECT_TRUE(std::filesystem::exists(r.reference_file));
      }
    }
  }
  // A second campaign finds it in the cache folder.
  campaign_.outcomes.clear();
  run();
  EXPECT_EQ(launcher_.count(Kind::kReference), 1);
}

TEST_F(RunnerTest, AReducedPrecisionHasAReferenceOfRoundedWeightsToo) {
  plan({"onnxruntime", "openvino"}, {1, 8});
  for (Case& c : campaign_.plan) {
    if (c.backend == "openvino") c.precision = Precision::kBFloat16;
  }
  run();
  EXPECT_EQ(launcher_.count(Kind::kReference), 2);
  for (const auto& r : launcher_.requests) {
    if (r.kind == Kind::kReference) {
      EXPECT_EQ(r.test_case.precision, Precision::kFloat32);
    }
    if (r.kind != Kind::kMeasure || r.test_case.model != "m") continue;
    const bool reduced = r.test_case.precision == Precision::kBFloat16;
    EXPECT_EQ(r.rounded_reference_file.empty(), !reduced);
    EXPECT_NE(r.rounded_reference_file, r.reference_file);
  }
}

TEST_F(RunnerTest, WithoutARoundedReferenceTheToleranceStaysAndThatIsSaid) {
  launcher_.reference = [](const worker::Request& r) {
    if (r.weights_rounded_to != Precision::kFloat32) return bad(ErrorCode::kUnsupported, "open", "beside the model");
    worker::write_reference(r.reference_file, {});
    return good(r, 1);
  };
  plan({"openvino"}, {1});
  campaign_.plan[0].precision = Precision::kFloat16;
  EXPECT_TRUE(run());
  EXPECT_EQ(recorder_.outcomes.at(0).state, OutcomeState::kMeasured);
  const auto said = std::find_if(progress_.begin(), progress_.end(), [](const Progress& p) {
    return p.kind == Progress::Kind::kNote &&
           p.text.find("does not follow how the model is conditioned") != std::string::npos;
  });
  ASSERT_NE(said, progress_.end());
  EXPECT_THAT(said->text, HasSubstr("beside the model"));
}

TEST_F(RunnerTest, ADamagedReferenceIsMadeAgain) {
  plan({"onnxruntime"}, {1});
  run();
  const auto file = std::filesystem::directory_iterator(settings_.reference_folder)->path();
  const std::string whole = read_file(file);
  write_file_atomically(file, whole.substr(0, whole.size() / 2));
  campaign_.outcomes.clear();
  run();
  EXPECT_EQ(launcher_.count(Kind::kReference), 2);
  EXPECT_EQ(read_file(file), whole);
}

TEST_F(RunnerTest, WhereTheCacheCannotBeWrittenReferencesAreMadeForTheCampaign) {
  write_file_atomically(folder_.path() / "file", "no folder");
  settings_.reference_folder = folder_.path() / "file" / "references";
  plan({"onnxruntime", "openvino"}, {1});
  EXPECT_TRUE(run());
  EXPECT_EQ(launcher_.count(Kind::kReference), 1);
  for (const auto& r : launcher_.requests) {
    if (r.kind == Kind::kMeasure && r.test_case.model == "m") {
      EXPECT_FALSE(r.reference_file.empty());
    }
  }
}

TEST_F(RunnerTest, GraphsGoElsewhereWithoutTheReferences) {
  settings_.cache_folder = folder_.path() / "graphs";
  plan({"onnxruntime"}, {1});
  run();
  EXPECT_FALSE(std::filesystem::exists(settings_.cache_folder / "references"));
  EXPECT_FALSE(std::filesystem::is_empty(settings_.reference_folder));
}

TEST_F(RunnerTest, WithoutAReferenceCasesAreUnverifiedNotRefused) {
  launcher_.missing = {"onnxruntime"};
  plan({"openvino"}, {1});
  run();
  const Outcome& o = recorder_.outcomes.at(0);
  EXPECT_EQ(o.state, OutcomeState::kMeasured);
  const Metric* parity = find_metric(o, "parity.error");
  ASSERT_NE(parity, nullptr);
  EXPECT_EQ(parity->value, std::nullopt);
  EXPECT_THAT(parity->remark, HasSubstr("unverified: there is no reference, since onnxruntime is not available"));
}

TEST_F(RunnerTest, AReferenceThatFailsLeavesNoFile) {
  launcher_.reference = [](const worker::Request& r) {
    write_file_atomically(r.reference_file, "half");
    return bad(ErrorCode::kCrashed, "open", "killed");
  };
  plan({"openvino"}, {1});
  run();
  EXPECT_THAT(find_metric(recorder_.outcomes.at(0), "parity.error")->remark,
              HasSubstr("could not be made: open: killed"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "references"));
}

TEST(Reference, ItsNameChangesWithWhatTheAnswersDependOn) {
  Case c;
  c.model = "m.onnx";
  const auto& effort = measure::effort_by_name("quick");
  const auto name = [&](const Case& of, const char* hash, const char* version) {
    return reference_name(reference_request(of, {}, effort), hash, version);
  };
  const std::string one = name(c, "hash", "1");
  Case other = c;
  other.threads = 7;
  other.batch_size = 32;
  other.model = "elsewhere/m.onnx";
  other.backend = "openvino";
  EXPECT_EQ(name(other, "hash", "1"), one);
  EXPECT_NE(name(c, "other", "1"), one);
  EXPECT_NE(name(c, "hash", "2"), one);
  other = c;
  other.shapes["x"] = {1, 2};
  EXPECT_NE(name(other, "hash", "1"), one);
  other = c;
  other.data.seed = 2;
  EXPECT_NE(name(other, "hash", "1"), one);
}

}  // namespace
}  // namespace assay::runner
