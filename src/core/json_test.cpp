#include "core/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "base/file.hpp"

namespace assay {
namespace {

Campaign example() {
  Campaign c;
  c.id = "0123abcd";
  c.version = "0.1.0";
  c.effort = "quick";
  c.seed = 7;
  c.environment = {{"cpu.model", "some"}};
  c.warnings = {{"drift", "the machine slowed down", "run again"}};
  Case one;
  one.model = "resnet50";
  one.backend = "openvino";
  one.goal = Goal::kLatency;
  one.batch_size = 0;
  one.precision = Precision::kBFloat16;
  one.shapes = {{"x", {1, 3, 8, 8}}};
  one.batch_axis = {{"x", -1}};
  one.options = {{"streams", "2"}};
  one.data.ranges = {{"ids", {0, 99}}};
  c.plan = {one};
  Outcome o;
  o.test_case = one;
  o.state = OutcomeState::kFailed;
  o.phase = "open";
  o.reason = "why";
  o.backend_version = "1.2";
  o.metrics = {{"throughput", "1/s", 12.5, 12.0, 13.0, 40, ""},
               {"energy.net", "J", std::nullopt, {}, {}, 0, "no counter"}};
  o.samples = {{1, false, "steal", {{"latency_ns", {1, 2}}}}};
  c.outcomes = {o};
  return c;
}

TEST(Json, CampaignThereAndBack) {
  const Campaign c = example();
  const nlohmann::json once = to_json(c, true);
  EXPECT_EQ(to_json(campaign_from_json(once), true), once);
  EXPECT_EQ(once["outcomes"][0]["case"]["batch_size"], "model");
  EXPECT_EQ(once["outcomes"][0]["case"]["in_flight"], "auto");
  EXPECT_FALSE(to_json(c, false)["outcomes"][0].contains("samples"));
}

TEST(Json, NotANumberIsNull) {
  Metric m;
  m.value = std::nan("");
  EXPECT_TRUE(to_json(m)["value"].is_null());
}

TEST(Json, WrongTypesAreNamed) {
  for (const char* text :
       {R"({"campaign": 3})", R"({})", R"([])", R"({"campaign": {"id": 3}})",
        R"({"campaign": {}, "plan": [{"batch_size": "many"}]})",
        R"({"campaign": {}, "outcomes": [{"state": "measured"}]})", R"({"campaign": {}, "outcomes": 5})"}) {
    EXPECT_THROW(campaign_from_json(parse_json(text, "test")), Error) << text;
  }
  EXPECT_THROW(parse_json("{", "file"), Error);
}

TEST(Case, KeyFollowsTheSettings) {
  Case a = example().plan[0];
  Case b = a;
  EXPECT_EQ(case_key(a), case_key(b));
  b.options["streams"] = "3";
  EXPECT_NE(case_key(a), case_key(b));
  EXPECT_EQ(case_key(a).size(), 16U);
}

TEST(Case, WordsAndBack) {
  EXPECT_EQ(precision_from_string("int8"), Precision::kInt8);
  EXPECT_EQ(goal_from_string(to_string(Goal::kLatency)), Goal::kLatency);
  EXPECT_THROW(precision_from_string("fp32"), Error);
  EXPECT_THROW(goal_from_string("speed"), Error);
}

TEST(CaseTest, AnEnsembleGoesThereAndBackAndOneModelKeepsItsKey) {
  Case c;
  c.model = "a+b";
  c.backend = "x+y";
  const std::string before = to_json(c).dump();
  EXPECT_EQ(before.find("weights"), std::string::npos);
  c.strategy = kPlaced;
  c.combine = "vote";
  c.weights = {2, 1};
  c.placement = {"pipelined", {{"x", 0, 3}, {"y", 4}}};
  const Case back = case_from_json(to_json(c));
  EXPECT_EQ(to_json(back), to_json(c));
  EXPECT_EQ(back.placement.seats, c.placement.seats);
  const std::string without_devices = to_json(c).dump();
  EXPECT_EQ(to_json(c).at("placement").dump().find("device"), std::string::npos);
  c.placement.seats[1].device = "gpu:0";
  EXPECT_NE(to_json(c).dump(), without_devices);
  EXPECT_EQ(case_from_json(to_json(c)).placement.seats, c.placement.seats);
  EXPECT_EQ(to_json(Case()).contains("placement"), false);
}

TEST(CaseTest, APlacementTellsMembersOfOneNameApart) {
  Case c;
  c.model = "p/m.onnx+q/m.onnx";
  c.strategy = kPlaced;
  c.placement = {"pipelined", {{.backend = "x"}, {.backend = "y"}}};
  EXPECT_EQ(describe_placement(c), "pipelined: m on x, m#2 on y");
}

TEST(CaseTest, APlacementSaysTheDevicesThatAreMembersOwn) {
  Case c;
  c.model = "a+b+c";
  c.backend = "x+y";
  c.device = "cpu+gpu:0";
  c.strategy = kPlaced;
  c.placement = {"pipelined", {{.backend = "x", .device = "gpu:0"}, {.backend = "y", .device = "cpu"}}};
  EXPECT_EQ(devices_of(c), (std::vector<std::string>{"cpu", "gpu:0"}));
  EXPECT_EQ(gpus_of(c), (std::vector<std::string>{"gpu:0"}));
  EXPECT_EQ(device_of(c, 0), "gpu:0");
  EXPECT_EQ(describe_placement(c), "pipelined: a on x gpu:0, b on y cpu");
  EXPECT_NE(describe(c).find(" · cpu+gpu:0"), std::string::npos);
  c.device = "gpu:0";
  c.placement.seats[1].device.clear();
  EXPECT_EQ(device_of(c, 1), "gpu:0");
  EXPECT_EQ(devices_of(c), (std::vector<std::string>{"gpu:0"}));
}

TEST(CaseTest, MembersAreNamedWithPluses) {
  EXPECT_THAT(members_of("a+b+c"), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(members_of("a"), testing::ElementsAre("a"));
  EXPECT_EQ(joined_members({"a", "b"}), "a+b");
  for (const char* empty : {"a+", "+a", "+", "a+++"}) EXPECT_THROW((void)members_of(empty), Error) << empty;
}

TEST(CaseTest, MembersAreCalledByTheirFiles) {
  EXPECT_THAT(member_names({"p/m.onnx", "q/m.onnx", "c++.onnx", "m"}), testing::ElementsAre("m", "m#2", "c++", "m#3"));
  EXPECT_THAT(member_names({"a", "b/a", "a#2", "c/a", "a#2"}), testing::ElementsAre("a", "a#3", "a#2", "a#4", "a#2#2"));
}

TEST(CaseTest, APlusWithinANameIsWrittenTwice) {
  struct Row {
    const char* text;
    std::vector<std::string> members;
  };
  for (const Row& row : {Row{"a++b+c", {"a+b", "c"}}, Row{"c++++.onnx+d", {"c++.onnx", "d"}}, Row{"a+++b", {"a+", "b"}},
                         Row{"a+./++b", {"a", "./+b"}}}) {
    EXPECT_EQ(members_of(row.text), row.members) << row.text;
    EXPECT_EQ(joined_members(row.members), row.text);
  }
  EXPECT_EQ(members_of("a++b"), std::vector<std::string>{"a+b"});
  EXPECT_EQ(joined_members({"a+b"}), "a+b");
}

TEST(CaseTest, FilesWithAPlusAreFoundOrTheErrorSaysHow) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string() + "/";
  std::filesystem::create_directory(path + "c++");
  for (const char* name : {"a+b.onnx", "plain.onnx", "c++/d.onnx"})
    write_file_atomically(path + name, std::string("x"));
  EXPECT_EQ(members_of(path + "a+b.onnx"), std::vector<std::string>{path + "a+b.onnx"});
  EXPECT_EQ(members_of(path + "a++b.onnx+tiny-mlp"), (std::vector<std::string>{path + "a+b.onnx", "tiny-mlp"}));
  const auto why = [](const std::string& model) {
    try {
      (void)members_of(model);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(why(path + "a+b.onnx+tiny-mlp"), testing::HasSubstr("written twice: " + path + "a++b.onnx"));
  EXPECT_THAT(why("tiny-mlp+" + path + "a+b.onnx"), testing::HasSubstr("written twice: " + path + "a++b.onnx"));
  EXPECT_THAT(why(path + "c++/d.onnx+tiny-mlp"), testing::HasSubstr("written twice: " + path + "c++++/d.onnx"));
  EXPECT_EQ(why(path + "plain.onnx+no-such.onnx"), "accepted");  // whoever opens it says what is missing
}

TEST(CaseTest, WeightsAreOfAMillionthToAMillion) {
  for (const double good : {1e-6, 0.5, 1.0, 1e6}) EXPECT_EQ(trouble_with_weight(good), "") << good;
  for (const double bad : {0.0, -1.0, 9e-7, 1.1e6, 1e308, HUGE_VAL, std::nan("")}) {
    EXPECT_THAT(trouble_with_weight(bad), testing::HasSubstr("must be positive")) << bad;
  }
}

TEST(CaseTest, DecimalWeightsBecomeWholeParts) {
  struct Row {
    std::vector<double> weights, parts;
  };
  for (const Row& row :
       {Row{{2, 1, 1}, {2, 1, 1}}, Row{{0.3, 0.1, 0.2}, {3, 1, 2}}, Row{{1.5, 1, 0.25}, {150, 100, 25}},
        Row{{1e-6, 1e6}, {1, 1e12}}, Row{{1.0 / 3, 1}, {1.0 / 3, 1}}, Row{{1e-7, 1}, {1e-7, 1}}}) {
    EXPECT_EQ(whole_parts(row.weights), row.parts) << testing::PrintToString(row.weights);
  }
}

}  // namespace
}  // namespace assay
