#include "measure/launch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace assay::measure {
namespace {

using ::testing::HasSubstr;

TEST(LaunchBound, IsADeviceThatIsDoneAsSoonAsTheHostIs) {
  constexpr double kMs = 1e6;
  struct Row {
    const char* what;
    std::vector<double> compute, ahead;  // ms
    bool bound;
  };
  for (const Row& row : std::vector<Row>{{"computes long after the last launch", {5, 5, 5}, {4, 4, 4}, false},
                                         {"other batches are before it in the queue", {5, 5, 5}, {9, 9, 9}, false},
                                         {"done with the last launch", {5, 5, 5}, {0, 0, 0}, true},
                                         {"the last kernels are left", {5, 5, 5}, {0.2, 0.4, 0.3}, true},
                                         {"just at the bound", {5, 5, 5}, {0.5, 0.5, 0.5}, false},
                                         {"launched as one graph", {0.1, 0.1, 0.1}, {0.09, 0.09, 0.09}, false},
                                         {"the median counts", {5, 5, 5}, {0, 0, 4}, true},
                                         {"the other way", {5, 5, 5}, {0, 4, 4}, false},
                                         {"batches of different sizes", {5, 50, 5}, {1, 0, 1}, false},
                                         {"nothing computed", {0, 0, 0}, {0, 0, 0}, false},
                                         {"not known", {5, 5, 5}, {}, false},
                                         {"not known of one", {5, 5, 5}, {0, 0}, false},
                                         {"no batch", {}, {}, false}}) {
    std::vector<double> compute = row.compute, ahead = row.ahead;
    for (double& ms : compute) ms *= kMs;
    for (double& ms : ahead) ms *= kMs;
    EXPECT_EQ(launch_bound(compute, ahead).has_value(), row.bound) << row.what;
  }
}

TEST(LaunchBound, IsSaidWithItsFigures) {
  const std::vector<double> compute = {5e6, 4e6, 6e6}, ahead = {1e5, 0, 2e5};
  const auto bound = launch_bound(compute, ahead);
  ASSERT_TRUE(bound);
  EXPECT_EQ(launch_remark(*bound),
            "launching is the bound: of 5000 us of computing 100 were left when the host had launched all of a batch");
}

TEST(LaunchBound, IsAWarningOfItsOwnKindThatKnowsAGraph) {
  Case c;
  c.model = "resnet50";
  c.backend = "onnxruntime";
  c.device = "gpu:0";
  const Warning plain = launch_warning(c, false);
  EXPECT_EQ(plain.kind, "launch-bound");
  EXPECT_EQ(plain.message,
            "resnet50 · onnxruntime · throughput · batch 1 · gpu:0: launching, not computing, is the bound: the device "
            "waits for the host");
  EXPECT_THAT(plain.advice, HasSubstr("onnxruntime.enable_cuda_graph=true"));
  EXPECT_THAT(launch_warning(c, true).advice, HasSubstr("one graph already"));
}

}  // namespace
}  // namespace assay::measure
