#include "engine/short_batches.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace assay::engine {
namespace {

TEST(ShortBatches, WhereTheBackendHasOneWayItIsTaken) {
  ShortBatches pad(ASSAY_SHORT_BATCH_PAD, 0ns), reshape(ASSAY_SHORT_BATCH_RESHAPE, 1h);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pad.fills_up(1, 32, 1h));
    EXPECT_FALSE(reshape.fills_up(31, 32, 1ns));
  }
  EXPECT_FALSE(pad.refused(1));
  EXPECT_FALSE(reshape.refused(1));
}

/// How often batches of a size are filled up before they get a slot of their own.
int filled_up(ShortBatches& batches, std::int64_t count, std::int64_t whole, std::chrono::nanoseconds whole_time) {
  int times = 0;
  while (times < 1000 && batches.fills_up(count, whole, whole_time)) ++times;
  return times;
}

TEST(ShortBatches, FilledUpUntilWhatIsWastedComesToWhatASlotTakes) {
  struct Row {
    std::int64_t count, whole;
    std::chrono::milliseconds whole_time, opening;
    int times;
  };
  const Row rows[] = {
      {16, 32, 100ms, 1000ms, 19},  // 50 ms are wasted each time, the 20th time a second
      {1, 4, 4000ms, 2000ms, 0},    // one is dearer than a slot
      {2, 4, 4000ms, 2000ms, 0},    // as dear
      {3, 4, 4000ms, 2000ms, 1},    // half as dear
      {3, 4, 4ms, 2000ms, 1000},    // never within these
      {1, 2, 10ms, 0ms, 0},         // a slot is free
  };
  for (const Row& r : rows) {
    ShortBatches batches(ASSAY_SHORT_BATCH_EITHER, r.opening);
    EXPECT_EQ(filled_up(batches, r.count, r.whole, r.whole_time), r.times) << r.count << " of " << r.whole;
  }
}

TEST(ShortBatches, SizesAreCountedEachForItself) {
  ShortBatches batches(ASSAY_SHORT_BATCH_EITHER, 100ms);
  EXPECT_EQ(filled_up(batches, 1, 2, 100ms), 1);
  EXPECT_FALSE(batches.fills_up(1, 2, 100ms));
  EXPECT_EQ(filled_up(batches, 9, 10, 100ms), 9);
}

TEST(ShortBatches, WhatTookBeforeTheTimeWasKnownCountsOnceItIs) {
  ShortBatches batches(ASSAY_SHORT_BATCH_EITHER, 100ms);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(batches.fills_up(1, 2, 0ns));
  EXPECT_FALSE(batches.fills_up(1, 2, 40ms));
}

TEST(ShortBatches, ASizeThatWasRefusedIsFilledUp) {
  ShortBatches batches(ASSAY_SHORT_BATCH_EITHER, 1ms);
  EXPECT_FALSE(batches.fills_up(1, 2, 1s));
  EXPECT_TRUE(batches.refused(1));
  EXPECT_TRUE(batches.fills_up(1, 2, 1s));
  EXPECT_FALSE(batches.fills_up(3, 4, 1s));
}

}  // namespace
}  // namespace assay::engine
