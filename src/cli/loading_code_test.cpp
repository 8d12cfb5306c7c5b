// The C++ that is printed for a plan compiles: it is that of functions here, of the example and of the page.
#include "cli/loading_code.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "assay/ensemble.hpp"
#include "base/file.hpp"
#include "cli/bench.hpp"

namespace assay::cli {
namespace {

/// A function that is compiled, and its text.
#define ASSAY_COMPILED(name, ...)              \
  [[maybe_unused]] void name() { __VA_ARGS__ } \
  constexpr const char* name##_text = #__VA_ARGS__;

ASSAY_COMPILED(
    a_plan, assay::Session session = assay::load(
                assay::Ensemble{
                    .members = {{.model = "a\"\\\001.onnx", .weight = 2, .backend = "x", .threads = 3, .batch_size = 4},
                                {.model = "b.onnx", .weight = 0.5, .backend = "y"}},
                    .combine = assay::Combine::kVote,
                    .strategy = "concurrent"},
                {.device = "gpu:0",
                 .batch_size = 8,
                 .in_flight = 3,
                 .threads = 2,
                 .precision = assay::Precision::kBFloat16,
                 .shapes = {{"m", {1, 77}}, {"x", {1, 3, 64, 64}}},
                 .batch_axis = {{"m", -1}},
                 .libraries = {{"y", "/lib y.so"}}});)

ASSAY_COMPILED(a_plain_strategy, assay::Session session = assay::load(assay::Ensemble{.members = {{.model = "a.onnx"},
                                                                                                  {.model = "b.onnx"}},
                                                                                      .strategy = "merged"},
                                                                      {.backend = "x", .batch_size = 1, .threads = 2});)

ASSAY_COMPILED(on_two_devices, assay::Session session = assay::load(
                                   assay::Ensemble{.members = {{.model = "a.onnx", .backend = "x", .device = "gpu:0"},
                                                               {.model = "b.onnx", .backend = "x", .device = "cpu"}},
                                                   .strategy = "pipelined"},
                                   {.batch_size = 8, .threads = 2});)

/// Layout is the formatter's affair.
std::string without_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

std::string without_include(const std::string& code) { return code.substr(code.find('\n') + 1); }

Case plan_of_two(const std::string& model) {
  Case c;
  c.model = model;
  c.backend = "x+y";
  c.batch_size = 8;
  c.threads = 2;
  c.strategy = kPlaced;
  return c;
}

TEST(LoadingCode, OfAPlanHasAllThatIsNotTheDefault) {
  Case c = plan_of_two("a\"\\\001.onnx+b.onnx");
  c.placement = {"concurrent", {{"x", 4, 3}, {"y", 0}}};
  c.weights = {2, 0.5};
  c.combine = "vote";
  c.device = "gpu:0";
  c.in_flight = 3;
  c.precision = Precision::kBFloat16;
  c.shapes = {{"x", {1, 3, 64, 64}}, {"m", {1, 77}}};
  c.batch_axis = {{"m", -1}};
  Campaign campaign;
  campaign.environment[std::string(kAskedLibrary) + "y"] = "/lib y.so";
  EXPECT_EQ(without_space(without_include(loading_code(campaign, c))), without_space(a_plan_text));
}

TEST(LoadingCode, OfMembersOnSeveralDevicesNamesEachsOwn) {
  Case c = plan_of_two("a.onnx+b.onnx");
  c.backend = "x";
  c.device = "cpu+gpu:0";
  c.placement = {"pipelined", {{.backend = "x", .device = "gpu:0"}, {.backend = "x", .device = "cpu"}}};
  EXPECT_EQ(without_space(without_include(loading_code({}, c))), without_space(on_two_devices_text));
}

TEST(LoadingCode, OfAPlainStrategyNamesItsOneEngine) {
  Case c = plan_of_two("a.onnx+b.onnx");
  c.backend = "x";
  c.batch_size = 1;
  c.strategy = "merged";
  EXPECT_EQ(without_space(without_include(loading_code({}, c))), without_space(a_plain_strategy_text));
}

TEST(LoadingCode, IsThatOfTheExampleAndOfThePage) {
  Case c = plan_of_two("tiny-resnet+tiny-densenet");
  c.placement = {"pipelined", {{"onnxruntime", 1}, {"openvino", 0}}};
  const std::string code = loading_code({}, c);
  EXPECT_THAT(code, testing::StartsWith("#include <assay/ensemble.hpp>\n// Its files: assay models make "));
  EXPECT_THAT(read_file(ASSAY_SOURCE_DIR "/docs/ensembles.md"), testing::HasSubstr("```cpp\n" + code + "```"));
  EXPECT_THAT(without_space(read_file(ASSAY_SOURCE_DIR "/examples/ensemble/main.cpp")),
              testing::HasSubstr(without_space(without_include(code))));
}

}  // namespace
}  // namespace assay::cli
