#include "measure/fallback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::measure {
namespace {

TEST(Fallback, NodesOnTheCpuAreAWarningWithCountAndOperators) {
  struct Row {
    const char* device;
    std::map<std::string, std::string> in_force;
    std::string said;  ///< "": no warning
  };
  for (const Row& row :
       {Row{"gpu:0", {}, ""},
        {"gpu:0", {{"nodes.cpu", "0"}, {"nodes.gpu", "9"}}, ""},
        {"cpu", {{"nodes.cpu", "1: Shape s"}}, ""},
        {"gpu:0", {{"nodes.cpu", "1: Shape s"}}, "not on gpu:0: 1 (1: Shape s)"},
        {"gpu:0",
         {{"nodes.cpu", "3: Shape s, Gather g, Gather h"}, {"nodes.cpu.operators", "Gather 2, Shape 1"}},
         "not on gpu:0: 3 (Gather 2, Shape 1)"},
        {"gpu:1",
         {{"a.nodes.cpu", "1: If i"}, {"a.nodes.cpu.operators", "If 1"}, {"b.nodes.cpu", "0"}},
         "not on gpu:1: a: 1 (If 1)"},
        {"cpu+gpu:1", {{"a.nodes.cpu", "1: If i"}}, "not on gpu:1: a: 1 (1: If i)"}}) {
    Case c;
    c.model = "m";
    c.backend = "onnxruntime";
    c.device = row.device;
    const std::optional<Warning> warning = fallback_warning(c, row.in_force);
    ASSERT_EQ(warning.has_value(), !row.said.empty()) << row.said;
    if (!warning) continue;
    EXPECT_EQ(warning->kind, "cpu-fallback");
    EXPECT_THAT(warning->message, ::testing::EndsWith(row.said));
  }
}

}  // namespace
}  // namespace assay::measure
