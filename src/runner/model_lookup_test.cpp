#include <gtest/gtest.h>

#include "base/file.hpp"
#include "runner/facts.hpp"

namespace assay::runner {
namespace {

TEST(ModelLookup, OfAnEnsembleEachMemberHasItsFootprint) {
  const TemporaryFolder cache;
  const ModelLookup lookup = model_lookup(cache.path());
  const auto facts_of = [&](const char* model, const char* strategy) {
    Case c;
    c.model = model;
    c.strategy = strategy;
    return lookup(c);
  };
  const ModelFacts resnet = facts_of("tiny-resnet", "single");
  const ModelFacts densenet = facts_of("tiny-densenet", "single");
  const ModelFacts all = facts_of("tiny-resnet+tiny-densenet+tiny-resnet", "pipelined");
  ASSERT_EQ(resnet.footprints.size(), 1U);
  ASSERT_EQ(all.footprints.size(), 3U);
  const ModelFacts* const alone[] = {&resnet, &densenet, &resnet};
  for (std::size_t m = 0; m < 3; ++m) {
    EXPECT_GT(all.footprints[m].weight_bytes, 0U);
    EXPECT_EQ(all.footprints[m].weight_bytes, alone[m]->weight_bytes);
    EXPECT_TRUE(all.footprints[m].step_bytes);
    EXPECT_EQ(all.footprints[m].step_bytes, alone[m]->footprints[0].step_bytes);
  }
  EXPECT_EQ(all.weight_bytes, resnet.weight_bytes + densenet.weight_bytes) << "of two files";
}

}  // namespace
}  // namespace assay::runner
