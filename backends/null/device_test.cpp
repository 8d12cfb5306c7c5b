// The pretended device on a clock that is set by hand.
#include "device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

namespace assay::null_backend {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kMillion = 1'000'000;

/// 1 GB/s either way: a million bytes a millisecond.
Settings settings(double compute_ms) {
  Settings s;
  s.compute_ms = compute_ms;
  s.copy_in_gb_s = s.copy_out_gb_s = 1;
  return s;
}

/// Time of so many batches of 2 ms in, 3 ms computing, 1 ms out, `slots` of them outstanding.
milliseconds time_of(int batches, std::size_t slots) {
  const Settings s = settings(3);
  Device device(s);
  Clock::time_point now{}, end{};
  std::deque<Clock::time_point> outstanding;
  for (int b = 0; b < batches; ++b) {
    if (outstanding.size() == slots) {
      now = std::max(now, outstanding.front());
      outstanding.pop_front();
    }
    end = device.reserve(now, 2 * kMillion, kMillion).end;
    outstanding.push_back(end);
  }
  return std::chrono::duration_cast<milliseconds>(end.time_since_epoch());
}

TEST(NullDevice, StepsOfOneBatchFollowEachOther) {
  const Settings s = settings(3);
  Device device(s);
  const Device::Turn turn = device.reserve(Clock::time_point(milliseconds(10)), 2 * kMillion, kMillion);
  EXPECT_EQ(turn.compute - turn.copy_in, milliseconds(2));
  EXPECT_EQ(turn.copy_out - turn.compute, milliseconds(3));
  EXPECT_EQ(turn.end, Clock::time_point(milliseconds(16)));
}

TEST(NullDevice, CopiesHideBehindTheComputingOfOtherBatches) {
  EXPECT_EQ(time_of(200, 1), milliseconds(200 * 6));            // one slot: nothing overlaps
  EXPECT_LE(time_of(200, 3), milliseconds(200 * 3 * 21 / 20));  // three: computing is all that is left
  EXPECT_EQ(time_of(200, 3), milliseconds(200 * 3 + 3));
}

TEST(NullDevice, WaitsForLaunchesThatTakeLongerThanComputing) {
  struct Row {
    double launch_ms;
    int computes, ahead, end;  // of the second of two batches, ms
  };
  for (const Row& row : {Row{0, 3, 6, 6}, {1, 3, 4, 6}, {3, 3, 0, 6}, {5, 5, 0, 10}}) {
    Settings s;
    s.compute_ms = 3;
    s.launch_ms = row.launch_ms;
    Device device(s);
    device.reserve({}, 0, 0);
    const Device::Turn turn = device.reserve({}, 0, 0);
    EXPECT_EQ(turn.computed - turn.compute, milliseconds(row.computes)) << row.launch_ms;
    EXPECT_EQ(turn.computed - turn.launched, milliseconds(row.ahead)) << row.launch_ms;
    EXPECT_EQ(turn.end, Clock::time_point(milliseconds(row.end))) << row.launch_ms;
  }
}

TEST(HandOvers, ABatchIsHeldUntilLaterOnesAreThere) {
  Settings s;
  s.held_by = 2;
  s.held_batches = 4;
  HandOvers hand_overs(s);
  constexpr milliseconds kAtOnce{0};
  const auto is_held = [&](std::uint64_t batch) {
    try {
      hand_overs.hold(batch, kAtOnce);
      return false;
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_FRAMEWORK);
      return true;
    }
  };
  for (std::uint64_t handed_over = 0; handed_over < 4; ++handed_over) {
    EXPECT_EQ(hand_overs.add(), handed_over);
    EXPECT_EQ(is_held(0), handed_over < 2) << handed_over;
    EXPECT_EQ(is_held(1), handed_over < 3) << handed_over;
  }
  EXPECT_FALSE(is_held(3)) << "no more will come";
  s.held_by = 0;
  EXPECT_FALSE(is_held(9));
}

TEST(HandOvers, WhoIsHeldSleepsUntilThen) {
  Settings s;
  s.held_by = 1;
  s.held_batches = 2;
  HandOvers hand_overs(s);
  hand_overs.add();
  std::thread held([&] { EXPECT_NO_THROW(hand_overs.hold(0)); });
  hand_overs.add();
  held.join();
}

TEST(NullDevice, ItsMemoryIsCounted) {
  Settings s = settings(0);
  s.device_memory_mb = 1;
  Device device(s);
  device.take(kMillion);
  EXPECT_THROW(device.take(kMillion), kit::Failure);
  device.give_back(kMillion);
  device.take(kMillion);
  EXPECT_EQ(device.taken(), kMillion);
}

}  // namespace
}  // namespace assay::null_backend
