// The whole way over the real frameworks: reference by one worker, the case by another, checked against it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "model/zoo.hpp"
#include "worker/launcher.hpp"
#include "worker/reference.hpp"

namespace assay::worker {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Row {
  const char* backend;
  const char* network;
  Goal goal;
};

class FrameworkTest : public ::testing::TestWithParam<Row> {};

std::string name_of(const ::testing::TestParamInfo<Row>& row) {
  std::string name = std::string(row.param.backend) + "_" + row.param.network + "_" + to_string(row.param.goal);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

TEST_P(FrameworkTest, AgreesWithTheReferenceAndLoadsFromTheCache) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{false};
  const auto launcher = process_launcher();
  Request request;
  request.model = model::write_zoo_network({.name = GetParam().network}, folder.path());
  request.test_case.backend = GetParam().backend;
  request.test_case.goal = GetParam().goal;
  request.test_case.batch_size = 3;
  request.test_case.threads = 2;
  if (std::string(GetParam().network) == "tiny-tokens") {
    request.test_case.shapes = {{"input_ids", {1, 7}}, {"attention_mask", {1, 7}}};
    request.test_case.data.ranges = {{"attention_mask", {0, 1}}};
  }
  request.effort = measure::effort_by_name("quick");
  request.effort.parity_samples = 5;
  request.effort.warm_up_time = milliseconds(50);
  request.effort.window = milliseconds(300);
  request.cache_folder = folder.path() / "cache";
  if (std::string(GetParam().network) == "tiny-half") request.parity_tolerance = 1e-2;
  request.reference_file = folder.path() / "reference";

  Request reference_request = request;
  reference_request.kind = Request::Kind::kReference;
  reference_request.test_case.backend = "onnxruntime";
  reference_request.test_case.goal = Goal::kLatency;
  reference_request.test_case.batch_size = 1;
  reference_request.test_case.options = {{"graph_optimization_level", "disabled"}};
  const Exit reference = launcher->run(reference_request, {}, {}, stop);
  ASSERT_TRUE(reference.ok) << reference.phase << ": " << reference.reason;
  EXPECT_THAT(read_reference(request.reference_file).identity, HasSubstr("graph_optimization_level disabled"));

  Exit exit = launcher->run(request, {}, {}, stop);
  // On a machine with more to do than cores the pipeline may starve, which Little's law finds: then once more.
  for (int i = 0; i < 5 && exit.reason.starts_with("Invalid"); ++i) exit = launcher->run(request, {}, {}, stop);
  ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
  EXPECT_THAT(exit.result.texts.at("parity"), HasSubstr("against onnxruntime"));
  EXPECT_LE(exit.result.values.at("parity.error").front(), request.parity_tolerance);
  EXPECT_EQ(exit.result.values.count("load.cached"), 1U) << exit.result.texts.at("cache");
  EXPECT_GT(exit.result.values.at("finish_ns").size(), 5U);
  EXPECT_EQ(exit.result.values.count("model.flops"), 1U);
}

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const char* backend : {"onnxruntime", "openvino"}) {
    for (const char* network : {"tiny-resnet", "tiny-multi", "tiny-tokens", "tiny-uint8", "tiny-half"}) {
      all.push_back({backend, network, Goal::kThroughput});
    }
    all.push_back({backend, "tiny-vgg", Goal::kLatency});
  }
  return all;
}

TEST(Parity, ARoundedReferenceDiffersAndWidensTheTolerance) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{false};
  const auto launcher = process_launcher();
  Request request;
  request.kind = Request::Kind::kReference;
  request.model = model::write_zoo_network({.name = "tiny-resnet"}, folder.path());
  request.test_case.backend = "onnxruntime";
  request.test_case.batch_size = 1;
  request.test_case.goal = Goal::kLatency;
  request.effort = measure::effort_by_name("quick");
  request.effort.window = milliseconds(100);
  request.reference_file = folder.path() / "plain";
  ASSERT_TRUE(launcher->run(request, {}, {}, stop).ok);
  request.reference_file = folder.path() / "rounded";
  request.weights_rounded_to = Precision::kBFloat16;
  const Exit rounded = launcher->run(request, {}, {}, stop);
  ASSERT_TRUE(rounded.ok) << rounded.reason;
  EXPECT_THAT(rounded.result.texts.at("reference"), HasSubstr("weights rounded to bf16"));

  // Answers of the rounded weights, as a bf16 engine would give them: beyond f32's tolerance, and within the wider one.
  Request measured = request;
  measured.kind = Request::Kind::kMeasure;
  measured.weights_rounded_to = Precision::kFloat32;
  measured.reference_file = folder.path() / "rounded";
  EXPECT_EQ(launcher->run(measured, {}, {}, stop).code, ErrorCode::kParity);
  measured.rounded_reference_file = folder.path() / "plain";
  Exit exit = launcher->run(measured, {}, {}, stop);
  for (int i = 0; i < 5 && exit.reason.starts_with("Invalid"); ++i) exit = launcher->run(measured, {}, {}, stop);
  ASSERT_TRUE(exit.ok) << exit.reason;
  EXPECT_THAT(exit.result.texts.at("parity"), HasSubstr("rounding the weights alone"));
}

/// The first member on the null backend, the second on ONNX Runtime.
Request mixed(const std::filesystem::path& folder) {
  Request request;
  request.members = {model::write_zoo_network({.name = "tiny-resnet"}, folder),
                     model::write_zoo_network({.name = "tiny-densenet"}, folder)};
  request.model = request.members.front();
  Case& c = request.test_case;
  c.model = "tiny-resnet+tiny-densenet";
  c.backend = "null+onnxruntime";
  c.strategy = kPlaced;
  c.placement = {.strategy = "pipelined",
                 .seats = {{.backend = "null", .batch_size = 0}, {.backend = "onnxruntime", .batch_size = 0}}};
  c.batch_size = 2;
  c.threads = 2;
  request.effort = measure::effort_by_name("quick");
  return request;
}

TEST(MixedEnsemble, TheProfileHasThatOfEachMember) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{false};
  Request request = mixed(folder.path());
  request.effort.warm_up_time = milliseconds(50);
  request.effort.window = milliseconds(300);
  request.profile_file = folder.path() / "profile.json";
  const auto launcher = process_launcher();
  Exit exit = launcher->run(request, {}, {}, stop);
  for (int i = 0; i < 5 && exit.reason.starts_with("Invalid"); ++i) exit = launcher->run(request, {}, {}, stop);
  ASSERT_TRUE(exit.ok) << exit.phase << ": " << exit.reason;
  const nlohmann::json profile = nlohmann::json::parse(read_file(request.profile_file));
  ASSERT_EQ(profile.size(), 2U);
  EXPECT_TRUE(profile.at("tiny-resnet").is_null()) << "its engine keeps none";
  EXPECT_GT(profile.at("tiny-densenet").size(), 0U);
}

// Lanes of two engines: the null backend's session hangs or dies, and ONNX Runtime's goes on for as long as it can.
TEST(MixedEnsemble, TheMemberWhoseEngineCrashesOrHangsIsNamed) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{false};
  Request request = mixed(folder.path());
  Case& c = request.test_case;
  c.options = {{"hang_at", "run:5"}};
  const Exit hung = process_launcher()->run(request, {.silence = milliseconds(3000)}, {}, stop);
  EXPECT_EQ(hung.code, ErrorCode::kTimeout) << hung.reason;
  EXPECT_THAT(hung.reason, HasSubstr("; member 'tiny-resnet' was computing"));
  c.options = {{"crash_at", "run:5"}};
  const Exit died = process_launcher()->run(request, {}, {}, stop);
  EXPECT_EQ(died.code, ErrorCode::kCrashed) << died.reason;
  EXPECT_THAT(died.reason, AllOf(HasSubstr("'tiny-resnet'"), HasSubstr("computing")));
}

INSTANTIATE_TEST_SUITE_P(Backends, FrameworkTest, ::testing::ValuesIn(rows()), name_of);

}  // namespace
}  // namespace assay::worker
