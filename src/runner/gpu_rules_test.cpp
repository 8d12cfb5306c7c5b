// What is different for a case on a GPU.
#include "runner/runner_fixture.hpp"

namespace assay::runner {
namespace {

TEST_F(RunnerTest, OnAGpuTheMachinesMemoryIsNoBoundAndBuildingMayTakeItsTime) {
  launcher_.devices = R"([{"name": "cpu"}, {"name": "gpu:0"}])";
  settings_.control = false;
  settings_.machine_memory = UINT64_C(100) << 20;
  plan({"onnxruntime"}, {1000});  // 1001 MiB
  run();
  EXPECT_EQ(outcome_of("onnxruntime", 1000).phase, "estimate");
  recorder_.outcomes.clear();
  campaign_.outcomes.clear();
  campaign_.plan.back().device = "gpu:0";
  run();
  EXPECT_EQ(outcome_of("onnxruntime", 1000).state, OutcomeState::kMeasured) << outcome_of("onnxruntime", 1000).reason;
  EXPECT_GE(launcher_.last_limits.silence, std::chrono::minutes(30));
  EXPECT_GT(launcher_.last_limits.timeout, launcher_.last_limits.silence);
  const auto facts = settings_.models(campaign_.plan[0]);
  Case on_cpu = campaign_.plan[0];
  on_cpu.device = "cpu";
  EXPECT_LT(estimate_process(campaign_.plan[0], settings_.effort, facts, {}),
            estimate_process(on_cpu, settings_.effort, facts, {}));
}

}  // namespace
}  // namespace assay::runner
