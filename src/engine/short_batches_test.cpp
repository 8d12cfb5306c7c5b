#include "engine/short_batches.hpp"

#include <gmock/gmock.h>

#include <cstring>

#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

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

TEST(ShortBatches, ASecondShapeOrFillingUpForAShortBatch) {
  for (const bool pad : {false, true}) {
    Params params{.batch_size = 4, .in_flight = 1};
    params.options = {{"pad", pad ? "true" : "false"}};
    Session session = test::open_spy(params);
    const Tensor x = test::random_tensor(DType::kFloat32, {6, 4}, 1);
    const std::vector<Tensor> y = session.predict(x.view());
    ASSERT_EQ(y[0].shape(), (Shape{6, 6}));
    const std::int64_t* last = y[0].as<std::int64_t>() + 6 * 5;
    EXPECT_EQ(last[3], pad ? 4 : 2);  // samples in its slot
    EXPECT_EQ(last[0] == reinterpret_cast<std::intptr_t>(x.as<float>() + 4 * 5), !pad);
  }
}

/// Samples in the slots of 6 samples by 4, call after call, where a whole batch takes 2 ms.
std::vector<std::int64_t> last_slots(const std::map<std::string, std::string>& options, int calls) {
  Params params{.batch_size = 4, .in_flight = 1};
  params.options = options;
  params.options["delay_us"] = "2000";
  Session session = test::open_spy(params);
  const Tensor x = test::random_tensor(DType::kFloat32, {6, 4}, 1);
  (void)session.predict({x.data(), DType::kFloat32, {4, 4}, {}});  // from now on the time of a batch is known
  std::vector<std::int64_t> slots;
  for (int i = 0; i < calls; ++i) {
    const std::vector<Tensor> y = session.predict(x.view());
    const std::int64_t* last = y[0].as<std::int64_t>() + 6 * 5;
    std::int32_t bits = 0;
    std::memcpy(&bits, x.as<float>() + 4 * 5, sizeof bits);
    EXPECT_EQ(last[5], bits);
    slots.push_back(last[3]);
  }
  return slots;
}

TEST(ShortBatches, AShortBatchIsFilledUpUntilThatWastedWhatASlotTakes) {
  EXPECT_THAT(last_slots({{"either_us", "2500"}}, 4), ElementsAre(4, 4, 2, 2));  // 1 ms is wasted each time
  EXPECT_THAT(last_slots({{"either_us", "500"}}, 2), ElementsAre(2, 2));
  EXPECT_THAT(last_slots({{"either_us", "500"}, {"refused", "2"}}, 2), ElementsAre(4, 4));
}

assay_short_batch policy_for(const Shape& input, const Params& params, assay_short_batch says) {
  TensorInfo x{.name = "x", .dtype = DType::kFloat32, .shape = input, .axes = {"n", ""}};
  x.batch_axis = input[0] < 0 ? 0 : -1;
  const TensorInfo y{.name = "y", .dtype = DType::kFloat32, .shape = {-1, 2}, .axes = {"n", ""}};
  return short_batch_policy(Layout({x}, {y}, params), says);
}

TEST(ShortBatches, NoneIsFilledUpWhereAnOutputHasNoRowForEachSample) {
  const Params rows{.batch_size = 4}, none{.batch_size = 4, .batch_axis = {{"y", -1}}};
  EXPECT_EQ(policy_for({-1, 3}, rows, ASSAY_SHORT_BATCH_EITHER), ASSAY_SHORT_BATCH_EITHER);
  EXPECT_EQ(policy_for({-1, 3}, none, ASSAY_SHORT_BATCH_EITHER), ASSAY_SHORT_BATCH_RESHAPE);
  EXPECT_EQ(policy_for({-1, 3}, none, ASSAY_SHORT_BATCH_PAD), ASSAY_SHORT_BATCH_PAD) << "it has no other way";
}

TEST(ShortBatches, AModelOfAFixedBatchIsAlwaysFilledUp) {
  EXPECT_EQ(policy_for({4, 3}, {.batch_size = 4, .batch_axis = {{"x", 0}}}, ASSAY_SHORT_BATCH_EITHER),
            ASSAY_SHORT_BATCH_PAD);
}

}  // namespace
}  // namespace assay::engine
