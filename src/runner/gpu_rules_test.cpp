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
  EXPECT_GE(launcher_.last_limits.opening, std::chrono::minutes(30));
  EXPECT_GT(launcher_.last_limits.timeout, launcher_.last_limits.opening);
  EXPECT_LT(launcher_.last_limits.silence, std::chrono::minutes(30)) << "computing is no building";
  const auto facts = settings_.models(campaign_.plan[0]);
  Case on_cpu = campaign_.plan[0];
  on_cpu.device = "cpu";
  EXPECT_LT(estimate_process(campaign_.plan[0], settings_.effort, facts, {}),
            estimate_process(on_cpu, settings_.effort, facts, {}));
  Case on_both = on_cpu;
  on_both.device = "cpu+gpu:0";
  EXPECT_EQ(estimate_process(on_both, settings_.effort, facts, {}),
            estimate_process(on_cpu, settings_.effort, facts, {}));
}

TEST_F(RunnerTest, FourOnAGpuAreComparedWithTheGpusMemory) {
  struct Row {
    const char* device;
    const char* memory;  // of the GPU, as its probe says
    int starts;
  };
  for (const Row& row : {Row{"gpu:0", R"(, "memory_bytes": 1073741824)", 1 + 4},
                         {"gpu:0", R"(, "memory_bytes": 104857600)", 1},      // 100 MiB
                         {"cpu+gpu:0", R"(, "memory_bytes": 104857600)", 1},  // and as much of the machine's
                         {"cpu+gpu:0", R"(, "memory_bytes": 1073741824)", 1 + 4},
                         {"gpu:0", R"(, "memory_bytes": 0)", 1 + 4},
                         {"gpu:0", "", 1 + 4}}) {
    launcher_.devices = std::string(R"([{"name": "cpu", "memory_bytes": 1}, {"name": "gpu:0")") + row.memory + "}]";
    launcher_.requests.clear();
    recorder_.outcomes.clear();
    campaign_ = {};
    settings_.effort = measure::effort_by_name("standard");
    settings_.control = false;
    settings_.machine_memory = UINT64_C(100) << 20;
    plan({"onnxruntime"}, {60});  // 61 MiB
    campaign_.plan.back().device = row.device;
    run();
    EXPECT_EQ(launcher_.count(Kind::kStart), row.starts) << row.memory;
    const bool said =
        find_metric(recorder_.outcomes.at(0), "start")->remark.find("would not fit into memory") != std::string::npos;
    EXPECT_EQ(said, row.starts == 1) << row.memory;
  }
}

TEST_F(RunnerTest, EachMemberNeedsTheDeviceOfItsOwnEngine) {
  using Seat = Placement::Seat;
  struct Row {
    const char* what;
    std::vector<Seat> seats;
    const char* why;
  };
  launcher_.devices_of["openvino"] = R"([{"name": "cpu"}, {"name": "gpu:0"}])";
  settings_.control = false;
  for (const Row& row :
       {Row{"as they are",
            {Seat{.backend = "onnxruntime", .device = "cpu"}, Seat{.backend = "openvino", .device = "gpu:0"}},
            ""},
        Row{"the other way round",
            {Seat{.backend = "onnxruntime", .device = "gpu:0"}, Seat{.backend = "openvino", .device = "cpu"}},
            "onnxruntime 1.2.3 has no device 'gpu:0' here; it has cpu"},
        Row{"a third",
            {Seat{.backend = "onnxruntime", .device = "cpu"}, Seat{.backend = "openvino", .device = "gpu:1"}},
            "openvino 1.2.3 has no device 'gpu:1' here; it has cpu, gpu:0"}}) {
    recorder_.outcomes.clear();
    campaign_ = {};
    plan({"onnxruntime+openvino"}, {1});
    Case& c = campaign_.plan.back();
    c.model = "m+n";
    c.strategy = kPlaced;
    c.device = "cpu+" + row.seats[1].device;
    c.placement = {"pipelined", row.seats};
    const auto before = preview(campaign_.plan, settings_, launcher_, {}, stop_);
    EXPECT_EQ(before.at(0).skipped, row.why) << row.what;
    run();
    const Outcome& o = outcome_of("onnxruntime+openvino", 1);
    EXPECT_EQ(o.reason, row.why) << row.what;
    EXPECT_EQ(o.phase, *row.why == '\0' ? "" : "device") << row.what;
  }
}

}  // namespace
}  // namespace assay::runner
