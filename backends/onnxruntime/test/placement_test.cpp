#include "placement.hpp"

#include <gtest/gtest.h>

#include <map>

#include "execution_provider.hpp"

namespace assay::ort {
namespace {

using Types = std::map<std::string, int>;  ///< how many of each operator

void add(std::vector<PlacedNodes>& placed, const char* provider, const Types& types) {
  placed.push_back({provider, {}});
  for (const auto& [type, count] : types) {
    for (int i = 0; i < count; ++i) placed.back().nodes.emplace_back("n", type);
  }
}

TEST(Placement, AModelRunsWhereThreeQuartersOfWhatComputesDo) {
  struct Row {
    const char* what;
    Types gpu, cpu;
    bool runs_here;
  };
  for (const Row& row : {Row{"all of it", {{"Conv", 5}, {"Relu", 5}}, {}, true},
                         {"none of it", {}, {{"Conv", 1}}, false},
                         {"no nodes", {}, {}, false},
                         {"shapes on the CPU, more than all else",
                          {{"MatMul", 2}, {"Add", 2}},
                          {{"Shape", 9}, {"Gather", 9}, {"Concat", 9}, {"Cast", 1}},
                          true},
                         {"a quarter on the CPU", {{"Relu", 3}}, {{"NonZero", 1}}, true},
                         {"more than a quarter", {{"Relu", 5}}, {{"NonZero", 2}}, false},
                         {"nearly all on the CPU", {{"Relu", 1}}, {{"Conv", 50}, {"Relu", 49}}, false},
                         {"the convolutions alone", {{"Relu", 90}, {"Conv", 1}}, {{"Conv", 1}}, false},
                         {"one product of many", {{"Relu", 9}, {"MatMul", 9}}, {{"Gemm", 1}}, true},
                         {"shapes alone on the GPU", {{"Reshape", 3}}, {{"Conv", 1}}, false},
                         {"nothing that computes", {{"Reshape", 1}}, {{"Shape", 3}}, true}}) {
    std::vector<PlacedNodes> placed;
    add(placed, kCudaProvider, row.gpu);
    add(placed, kCpuProvider, row.cpu);
    EXPECT_EQ(count_placement(placed, kCudaProvider).runs_here(), row.runs_here) << row.what;
  }
}

TEST(Placement, OperatorsElsewhereAreCountedTheMostFrequentFirst) {
  std::vector<PlacedNodes> placed;
  add(placed, kCudaProvider, {{"Conv", 3}});
  add(placed, kCpuProvider, {{"Gather", 1}, {"Shape", 2}});
  add(placed, "OtherProvider", {{"Gather", 2}, {"Cast", 1}});
  const PlacementCount count = count_placement(placed, kCudaProvider);
  EXPECT_EQ(count.all.here, 3U);
  EXPECT_EQ(count.all.elsewhere, 6U);
  EXPECT_EQ(count.operators, "Gather 3, Shape 2, Cast 1");
}

}  // namespace
}  // namespace assay::ort
