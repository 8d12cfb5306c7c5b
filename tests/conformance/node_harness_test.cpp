// The harness of the node tests itself: what it takes for equal, how it reads its lists, and that it outlives a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>

#include <unistd.h>

#include "base/file.hpp"
#include "conformance/node_rows.hpp"
#include "conformance/node_tests.hpp"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = NodeOutcome::Kind;

template <class T>
NodeValue value(DType dtype, Shape shape, const std::vector<T>& values) {
  NodeValue result{dtype, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(result.data.data(), values.data(), result.data.size());
  return result;
}
NodeValue row(const std::vector<float>& values) {
  return value(DType::kFloat32, {static_cast<std::int64_t>(values.size())}, values);
}

TEST(NodeDifference, FollowsOnnxsRule) {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(difference(row({1000, 0, nan, inf, -inf}), row({1000.9F, 5e-8F, nan, inf, -inf})), "");
  EXPECT_EQ(difference(row({1000, 2}), row({1002, 2})), "element 0 is 1002 instead of 1000 (1 of 2 differ)");
  EXPECT_THAT(difference(row({0}), row({2e-7F})), HasSubstr("element 0"));
  EXPECT_THAT(difference(row({nan}), row({1})), HasSubstr("1 of 1"));
  EXPECT_THAT(difference(row({inf}), row({-inf})), HasSubstr("1 of 1"));
  EXPECT_THAT(difference(row({1}), row({inf})), HasSubstr("1 of 1"));
  EXPECT_EQ(difference(row({}), row({})), "");
}

TEST(NodeDifference, TypesShapesAndIntegersAreExact) {
  const NodeValue ints = value<std::int64_t>(DType::kInt64, {2}, {-5, 1000000});
  EXPECT_EQ(difference(ints, value<std::int64_t>(DType::kInt64, {2}, {-5, 1000001})),
            "element 1 is 1000001 instead of 1000000 (1 of 2 differ)");
  EXPECT_EQ(difference(value<std::int8_t>(DType::kInt8, {1}, {-5}), value<std::int8_t>(DType::kInt8, {1}, {5})),
            "element 0 is 5 instead of -5 (1 of 1 differ)");
  EXPECT_EQ(difference(row({1}), value<std::int32_t>(DType::kInt32, {1}, {1})), "int32 instead of float32");
  EXPECT_EQ(difference(row({1}), value<float>(DType::kFloat32, {1, 1}, {1})), "a shape of 1x1 instead of 1");
  EXPECT_EQ(difference(value<std::uint16_t>(DType::kFloat16, {1}, {0x3c00}),
                       value<std::uint16_t>(DType::kFloat16, {1}, {0x3c00})),
            "");
  EXPECT_EQ(difference(value<std::uint16_t>(DType::kBFloat16, {1}, {0x3f80}),
                       value<std::uint16_t>(DType::kBFloat16, {1}, {0x4000})),
            "element 0 is 2 instead of 1 (1 of 1 differ)");
  EXPECT_EQ(difference({row({1}), row({2})}, {row({1})}), "1 outputs instead of 2");
  EXPECT_THAT(difference({row({1}), row({2})}, {row({1}), row({3})}), HasSubstr("output 1: element 0"));
}

TEST(NodeLimits, ArePatternsWithReasons) {
  std::istringstream text("# a comment\n\ntest_cast_*_BFLOAT16*: no: such type\ntest_abs: why not\n");
  const std::vector<NodeLimit> limits = node_limits(text);
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits[0].reason, "no: such type");
  EXPECT_TRUE(limits[0].matches("test_cast_FLOAT_to_BFLOAT16_expanded"));
  EXPECT_FALSE(limits[0].matches("test_castlike_FLOAT"));
  EXPECT_FALSE(limits[1].matches("test_abs_2"));
  for (const char* bad : {"test_abs", "test_abs: ", "test_abs:why"}) {
    std::istringstream line(bad);
    EXPECT_THROW(node_limits(line), std::runtime_error) << bad;
  }
}

TEST(NodeLimits, MayBeOfOneKindOfDevice) {
  const std::string text = "test_a: of all\ntest_b* on gpu: no kernel: there\ntest_c on cpu: no kernel\n";
  struct Row {
    const char* device;
    std::vector<std::string> patterns;
  };
  for (const Row& row : std::vector<Row>{
           {"cpu", {"test_a", "test_c"}}, {"gpu:0", {"test_a", "test_b*"}}, {"gpu:1", {"test_a", "test_b*"}}}) {
    std::istringstream lines(text);
    std::vector<std::string> patterns;
    for (const NodeLimit& limit : node_limits(lines, row.device)) patterns.push_back(limit.pattern);
    EXPECT_EQ(patterns, row.patterns) << row.device;
  }
  std::istringstream lines(text);
  EXPECT_EQ(node_limits(lines, "gpu:0").back().reason, "no kernel: there");
}

TEST(NodeParams, HaveADeviceAmongTheSettings) {
  EXPECT_EQ(params_of("onnxruntime").device, "cpu");
  EXPECT_EQ(params_of("mlir,without=fold,fuse,spin=true").options,
            (std::map<std::string, std::string>{{"without", "fold,fuse"}, {"spin", "true"}}));
  EXPECT_THROW(params_of("mlir,fold"), Error);
  const Params params = params_of("onnxruntime,device=gpu:0,use_tf32=true");
  EXPECT_EQ(params.backend, "onnxruntime");
  EXPECT_EQ(params.device, "gpu:0");
  EXPECT_EQ(params.options, (std::map<std::string, std::string>{{"use_tf32", "true"}}));
}

TEST(NodeFellBack, IsReadFromWhatIsInForce) {
  struct Row {
    const char* device;
    std::map<std::string, std::string> in_force;
    const char* said;
  };
  for (const Row& row :
       std::vector<Row>{{"cpu", {{"device", "cpu"}, {"nodes.cpu", "3: a, b, c"}}, ""},
                        {"gpu:0", {{"device", "gpu:0"}}, ""},
                        {"gpu:0", {{"device", "gpu:0"}, {"nodes.cpu", "0"}}, ""},
                        {"gpu:0", {{"device", "gpu:0"}, {"nodes.cpu", "1: y"}}, "nodes on the CPU: 1: y"},
                        {"gpu:0", {{"device", "gpu:1"}}, "gpu:0 was asked for, and gpu:1 is read back"},
                        {"gpu:0",
                         {{"device", "cpu"}, {"nodes.cpu", "1: y"}},
                         "gpu:0 was asked for, and cpu is read back; nodes on the CPU: 1: y"},
                        {"gpu:0", {}, "gpu:0 was asked for, and no device is read back"}}) {
    EXPECT_EQ(fell_back(row.device, row.in_force), row.said);
  }
}

TEST(NodeFellBack, IsNoPassAndAWrongAnswerIsWorse) {
  const std::vector<NodeValue> expected = {row({1, 2})};
  struct Case {
    NodeAnswer found;
    Kind kind;
  };
  for (const Case& c : std::vector<Case>{{{{row({1, 2})}, ""}, Kind::kPassed},
                                         {{{row({1, 2})}, "nodes on the CPU: 1: y"}, Kind::kFellBack},
                                         {{{row({1, 3})}, ""}, Kind::kFailed},
                                         {{{row({1, 3})}, "nodes on the CPU: 1: y"}, Kind::kFailed}}) {
    EXPECT_EQ(weigh(expected, c.found).kind, c.kind) << c.found.fell_back;
  }
}

/// The null backend's device says what it is told to say.
TEST(NodeFellBack, IsFoundOutThroughLoadAndPredict) {
  onnx_graph::TestModel model;
  model.input("x", {2, 4}).node("Relu", {"x"}, {"y"}).output("y", {2, 4});
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  write_file_atomically(file, model.bytes());
  const NodeValue x = value<float>(DType::kFloat32, {2, 4}, std::vector<float>(8, 1));
  for (const auto& [subject, said] :
       {std::pair{"null", ""},
        {"null,device=gpu:0", ""},
        {"null,device=gpu:0,reads_back=device=cpu", "gpu:0 was asked for, and cpu is read back"},
        {"null,device=gpu:0,reads_back=nodes.cpu=1: y", "nodes on the CPU: 1: y"}}) {
    const NodeAnswer answer = predict_whole(file, {x}, params_of(subject));
    EXPECT_EQ(answer.outputs.size(), 1U);
    EXPECT_EQ(answer.fell_back, said) << subject;
  }
}

TEST(NodeFellBack, IsAFailureUnlessItIsListed) {
  NodeVerdict verdict(std::vector<NodeLimit>{NodeLimit{"shape_*", "its values are on the CPU"}});
  const NodeOutcome outcome = {Kind::kFellBack, "nodes on the CPU: 1: y"};
  EXPECT_EQ(verdict.add("shape_1", outcome), "known");
  EXPECT_EQ(verdict.add("conv", outcome), "FELL BACK");
  EXPECT_THAT(verdict.failures(), ElementsAre("conv: fell back: nodes on the CPU: 1: y"));
  EXPECT_EQ(verdict.fell_back, 2);
  EXPECT_EQ(verdict.passed, 0);
}

TEST(NodeVerdictTest, AListThatIsNotTrueFails) {
  NodeVerdict verdict({{"known_*", "cannot"}, {"passes", "could not"}, {"gone", "no such test"}, {"left_out", "x"}});
  EXPECT_EQ(verdict.add("good", {}), "passed");
  EXPECT_EQ(verdict.add("known_1", {Kind::kFailed, "why"}), "known");
  EXPECT_EQ(verdict.add("left_out", {Kind::kSkipped, "why"}), "skipped");
  EXPECT_THAT(verdict.failures(), IsEmpty());
  EXPECT_EQ(verdict.add("passes", {}), "UNEXPECTED PASS");
  EXPECT_EQ(verdict.add("known_2", {}), "UNEXPECTED PASS");
  EXPECT_EQ(verdict.add("bad", {Kind::kFailed, "why"}), "FAILED");
  verdict.find_idle_limits();
  EXPECT_THAT(verdict.failures(),
              ElementsAre(HasSubstr("passes: unexpected pass"), HasSubstr("known_2: unexpected pass"), "bad: why",
                          HasSubstr("gone: no test"), HasSubstr("left_out: no test")));
  EXPECT_EQ(verdict.passed + verdict.known + verdict.skipped, 3);
}

TEST(NodeVerdictTest, WhatAnotherPartRunsIsNotIdle) {
  NodeVerdict verdict({{"here_*", "cannot"}, {"there_*", "cannot"}, {"gone", "no such test"}});
  EXPECT_EQ(verdict.add("here_1", {Kind::kFailed, "why"}), "known");
  verdict.find_idle_limits({"there_1", "other"});
  EXPECT_THAT(verdict.failures(), ElementsAre(HasSubstr("gone: no test")));
}

TEST(NodeParts, AreAllTogetherAndEachOnce) {
  for (const std::size_t parts : {1U, 2U, 3U}) {
    std::vector<int> times(10);
    for (std::size_t number = 1; number <= parts; ++number) {
      const auto part = node_part(std::to_string(number) + "/" + std::to_string(parts));
      ASSERT_TRUE(part.has_value());
      for (std::size_t test = 0; test < times.size(); ++test) times[test] += part->has(test) ? 1 : 0;
    }
    EXPECT_THAT(times, testing::Each(1)) << parts;
  }
  for (const char* no_part : {"", "*", "test_abs", "0/2", "3/2", "1/0", "1/", "/2", "1/2 ", "1-2", "-1/2"}) {
    EXPECT_FALSE(node_part(no_part).has_value()) << no_part;
  }
}

TEST(NodeApart, ACrashTakesNoOtherAlong) {
  const auto passes = [](const std::string&) { return NodeOutcome{}; };
  const std::vector<NodeTest> tests = {
      {"first", passes},
      {"killed", [](const std::string&) -> NodeOutcome { ::raise(SIGKILL), ::_exit(1); }},
      {"second", passes},
      {"ends", [](const std::string&) -> NodeOutcome { ::_exit(3); }},
      {"throws",
       [](const std::string& backend) -> NodeOutcome { throw std::runtime_error("two\nlines of " + backend); }},
      {"hangs",
       [](const std::string&) -> NodeOutcome {
         for (;;) ::pause();
       }},
      {"skipped", [](const std::string&) { return NodeOutcome{Kind::kSkipped, "a reason"}; }},
      {"elsewhere", [](const std::string&) { return NodeOutcome{Kind::kFellBack, "on the CPU"}; }},
      {"last killed", [](const std::string&) -> NodeOutcome { ::raise(SIGKILL), ::_exit(1); }}};
  std::vector<std::string> found;
  run_apart(
      tests, "mine",
      [&](const NodeTest& test, const NodeOutcome& o) {
        found.push_back(test.name + " " + std::to_string(static_cast<int>(o.kind)) + " " + o.why);
      },
      1);
  EXPECT_THAT(found, ElementsAre("first 0 ", "killed 1 the process died: Killed", "second 0 ",
                                 "ends 1 the process ended itself with status 3", "throws 1 two lines of mine",
                                 "hangs 1 not done within 1 s", "skipped 2 a reason", "elsewhere 3 on the CPU",
                                 "last killed 1 the process died: Killed"));
}

TEST(NodeRows, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Row& r : rows()) EXPECT_TRUE(names.insert(r.name).second) << r.name << " is there twice";
  EXPECT_GE(names.size(), 70U);
}

}  // namespace
}  // namespace assay::conformance
