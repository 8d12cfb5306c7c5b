// What is different for a case on a GPU.
#include "runner/probe.hpp"
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

/// m on the CPU, and n on a GPU.
void place_on_both(Case& c) {
  c.model = "m+n";
  c.strategy = kPlaced;
  c.device = "cpu+gpu:0";
  c.placement = {"pipelined", {{.backend = c.backend, .device = "cpu"}, {.backend = c.backend, .device = "gpu:0"}}};
}

TEST_F(RunnerTest, FourAtOnceAreComparedWithTheMemoryOfEachDevice) {
  struct Row {
    const char* device;
    const char* memory;         // of the GPU, as its probe says
    std::uint64_t machine_mib;  // 0: not known
    int starts;
  };
  const char *little = R"(, "memory_bytes": 104857600)", *much = R"(, "memory_bytes": 1073741824)";
  // Each model takes 61 MiB.
  for (const Row& row : {Row{"gpu:0", much, 100, 1 + 4},
                         {"gpu:0", little, 100, 1},
                         {"gpu:0", little, 10'000, 1},
                         {"gpu:0", R"(, "memory_bytes": 0)", 100, 1 + 4},
                         {"gpu:0", "", 100, 1 + 4},
                         {"cpu+gpu:0", much, 1000, 1 + 4},
                         {"cpu+gpu:0", much, 100, 1},
                         {"cpu+gpu:0", little, 1000, 1},
                         {"cpu+gpu:0", "", 100, 1},
                         {"cpu+gpu:0", "", 1000, 1 + 4},
                         {"cpu+gpu:0", much, 0, 1 + 4}}) {
    launcher_.devices = std::string(R"([{"name": "cpu", "memory_bytes": 1}, {"name": "gpu:0")") + row.memory + "}]";
    launcher_.requests.clear();
    recorder_.outcomes.clear();
    campaign_ = {};
    settings_.effort = measure::effort_by_name("standard");
    settings_.control = false;
    settings_.machine_memory = row.machine_mib << 20;
    plan({"onnxruntime"}, {60});
    campaign_.plan.back().device = row.device;
    if (devices_of(campaign_.plan.back()).size() > 1) place_on_both(campaign_.plan.back());
    run();
    const std::string of = std::string(row.device) + row.memory + " and " + std::to_string(row.machine_mib) + " MiB";
    EXPECT_EQ(launcher_.count(Kind::kStart), row.starts) << of;
    const bool said =
        find_metric(recorder_.outcomes.at(0), "start")->remark.find("would not fit into memory") != std::string::npos;
    EXPECT_EQ(said, row.starts == 1) << of;
  }
}

TEST_F(RunnerTest, TheMachinesMemoryBoundsWhatIsOnTheCpu) {
  settings_.control = false;
  settings_.machine_memory = UINT64_C(100) << 20;
  launcher_.devices = R"([{"name": "cpu"}, {"name": "gpu:0"}])";
  plan({"onnxruntime"}, {1000});
  Case& c = campaign_.plan.back();
  place_on_both(c);
  run();
  const Outcome& large = outcome_of("onnxruntime", 1000);
  EXPECT_EQ(large.phase, "estimate");
  EXPECT_THAT(large.reason, testing::HasSubstr("its members on the CPU take at least 1.0 GiB by estimate"));
  c.placement.seats[0].batch_size = 10;  // whatever the batch on the GPU
  recorder_.outcomes.clear();
  campaign_.outcomes.clear();
  run();
  EXPECT_EQ(outcome_of("onnxruntime", 1000).state, OutcomeState::kMeasured) << outcome_of("onnxruntime", 1000).reason;
}

TEST(DeviceMemory, IsTheLeastThatAnEngineTells) {
  std::map<std::string, ProbeAnswer> said;
  said["little"].devices = {{"cpu", "", 1}, {"gpu:0", "", 500}};
  said["much"].devices = {{"gpu:0", "", 700}};
  said["silent"].devices = {{"gpu:0", "", 0}, {"gpu:1", "", 0}};
  const auto probe = [&](const std::string& engine) -> const ProbeAnswer& { return said.at(engine); };
  for (const std::vector<std::string>& engines :
       std::vector<std::vector<std::string>>{{"little", "much", "silent"}, {"silent", "much", "little"}}) {
    EXPECT_EQ(memory_of("gpu:0", engines, probe), 500U);
    EXPECT_EQ(memory_of("gpu:1", engines, probe), 0U) << "nobody tells";
    EXPECT_EQ(memory_of("gpu:2", engines, probe), 0U) << "nobody has it";
  }
}

TEST(LeastMemory, IsWhatTheMembersOfEachDeviceTake) {
  using Least = std::map<std::string, std::uint64_t>;
  ModelFacts facts;
  facts.members = {"a", "b", "a"};
  facts.footprints = {{100, 1}, {1000, 10}, {100, 1}};
  Case c;
  c.model = "a+b+a";
  c.strategy = "pipelined";
  c.batch_size = 4;
  c.in_flight = 2;
  EXPECT_EQ(least_memory(c, facts), (Least{{"cpu", 1100 + 8 * 12}})) << "a's weights are there once";
  c.device = "cpu+gpu:0";
  c.placement.seats = {{.backend = "x", .device = "gpu:0"},
                       {.backend = "x", .batch_size = 1, .device = "cpu"},
                       {.backend = "x", .device = "gpu:0"}};
  EXPECT_EQ(least_memory(c, facts), (Least{{"cpu", 1000 + 2 * 10}, {"gpu:0", 100 + 8 * 2}}));
  c.placement.seats[2].device = "cpu";
  EXPECT_EQ(least_memory(c, facts), (Least{{"cpu", 1100 + 2 * 10 + 8}, {"gpu:0", 100 + 8}})) << "on each device";
  facts.footprints[1].step_bytes.reset();
  EXPECT_EQ(least_memory(c, facts), (Least{{"gpu:0", 100 + 8}})) << "of b too little is known";
}

TEST_F(RunnerTest, EachMemberNeedsTheDeviceOfItsOwnEngine) {
  using Seat = Placement::Seat;
  struct Row {
    const char* what;
    const char* device;  // of the case
    std::vector<Seat> seats;
    std::string why;
    const char* model = "m+n";
  };
  const auto seats = [](const char* first, const char* second) {
    return std::vector<Seat>{{.backend = "onnxruntime", .device = first}, {.backend = "openvino", .device = second}};
  };
  const auto elsewhere = [](const std::string& device) {
    return "the case is on " + device +
           ", and its placement does not say just that of its members: on several devices each member has one of its "
           "own";
  };
  const std::string has_none = "onnxruntime 1.2.3 has no device 'gpu:0' here; it has cpu";
  const std::string has_no_other = "openvino 1.2.3 has no device 'gpu:1' here; it has cpu, gpu:0";
  launcher_.devices_of["openvino"] = R"([{"name": "cpu"}, {"name": "gpu:0"}])";
  settings_.control = false;
  for (const Row& row : {Row{"as they are", "cpu+gpu:0", seats("cpu", "gpu:0"), ""},
                         {"the other way round", "cpu+gpu:0", seats("gpu:0", "cpu"), has_none},
                         {"a third", "cpu+gpu:1", seats("cpu", "gpu:1"), has_no_other},
                         {"on one", "cpu", seats("", ""), ""},
                         {"nobody says where", "cpu+gpu:0", {}, elsewhere("cpu+gpu:0")},
                         {"one says nothing", "cpu+gpu:0", seats("gpu:0", ""), elsewhere("cpu+gpu:0")},
                         {"a third has no seat", "cpu+gpu:0", seats("cpu", "gpu:0"), elsewhere("cpu+gpu:0"), "m+n+o"},
                         {"there is one", "cpu+gpu:0", seats("cpu", "gpu:0"), elsewhere("cpu+gpu:0"), "m"},
                         {"nobody on one of two", "cpu+gpu:0", seats("cpu", "cpu"), elsewhere("cpu+gpu:0")},
                         {"on another", "cpu", seats("cpu", "gpu:0"), elsewhere("cpu")}}) {
    recorder_.outcomes.clear();
    campaign_ = {};
    plan({"onnxruntime+openvino"}, {1});
    Case& c = campaign_.plan.back();
    c.model = row.model;
    c.strategy = kPlaced;
    c.device = row.device;
    c.placement = {"pipelined", row.seats};
    const auto before = preview(campaign_.plan, settings_, launcher_, {}, stop_);
    EXPECT_EQ(before.at(0).skipped, row.why) << row.what;
    run();
    const Outcome& o = outcome_of("onnxruntime+openvino", 1);
    EXPECT_EQ(o.reason, row.why) << row.what;
    EXPECT_EQ(o.phase, row.why.empty() ? "" : "device") << row.what;
  }
}

}  // namespace
}  // namespace assay::runner
