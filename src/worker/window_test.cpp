#include "worker/window.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::worker {
namespace {

using std::chrono::milliseconds;

/// Batch i of a pipeline with `outstanding` batches under way, one done every `every` ms.
engine::BatchRecord batch(std::int64_t i, int every, int outstanding) {
  engine::BatchRecord r;
  r.index = i;
  r.count = 1;
  r.done = milliseconds(every * (i + outstanding));
  r.submitted = milliseconds(every * i);
  r.fill_begin = r.submitted - milliseconds(2);
  r.fill_end = r.submitted - milliseconds(1);
  r.compute = r.done - r.submitted;
  r.drain_begin = r.done;
  r.drain_end = r.done + milliseconds(1);
  return r;
}

struct Trial {
  int begun = 0, ended = 0;
  WindowObserver observer;
  explicit Trial(const char* effort, int outstanding, std::size_t capacity = WindowObserver::kCapacity)
      : observer(measure::effort_by_name(effort), outstanding, [this] { ++begun; }, [this] { ++ended; }, capacity) {}
  int feed(int every, int outstanding) {
    int i = 0;
    while (!observer.finished() && i < 1'000'000) observer.observe(batch(i++, every, outstanding));
    for (int k = 0; k < outstanding; ++k) observer.observe(batch(i + k, every, outstanding));  // what was under way
    return i;
  }
};

TEST(Window, WarmsUpThenMeasures) {
  Trial run("quick", 2);
  run.feed(10, 2);
  EXPECT_EQ(run.begun, 1);
  EXPECT_EQ(run.ended, 1);
  const auto values = run.observer.values();
  EXPECT_DOUBLE_EQ(run.observer.window_ns(), 3e9);
  EXPECT_DOUBLE_EQ(values.at("window").front(), 3e9);
  const measure::Throughput t = measure::throughput(values);
  EXPECT_NEAR(t.completions, 300, 1e-9);
  EXPECT_NEAR(t.per_second, 100, 1e-9);
  EXPECT_EQ(values.at("latency_ns").size(), 300U);
  EXPECT_DOUBLE_EQ(values.at("latency_ns").front(), 20e6);
  EXPECT_DOUBLE_EQ(values.at("fill_ns").front(), 1e6);
}

TEST(Window, HowFarTheDeviceWasBehindIsThereWhereItIsKnown) {
  for (const bool known : {false, true}) {
    Trial run("quick", 1);
    for (int i = 0; !run.observer.finished(); ++i) {
      engine::BatchRecord r = batch(i, 10, 1);
      if (known) r.ahead = milliseconds(4);
      run.observer.observe(r);
    }
    const auto values = run.observer.values();
    ASSERT_EQ(values.count("ahead_ns"), known ? 1U : 0U);
    if (!known) continue;
    EXPECT_EQ(values.at("ahead_ns").size(), values.at("compute_ns").size());
    EXPECT_DOUBLE_EQ(values.at("ahead_ns").front(), 4e6);
  }
}

TEST(Window, LittlesLawHoldsForWhatIsOutstanding) {
  Trial run("quick", 4);
  run.feed(10, 4);
  EXPECT_TRUE(run.observer.little(4, false).ok);
  EXPECT_FALSE(run.observer.little(5, false).ok);
}

TEST(Window, ManyBatchesAreThinnedWithoutBias) {
  Trial run("quick", 3, 100);
  run.feed(1, 3);
  const auto values = run.observer.values();
  const double stride = values.at("stride").front();
  EXPECT_GE(stride, 32);
  EXPECT_LE(values.at("finish_ns").size(), 100U);
  EXPECT_NEAR(measure::throughput(values).per_second, 1000, 10) << "one batch of a hundred that were kept";
  EXPECT_TRUE(run.observer.little(3, false).ok) << run.observer.little(3, false).observed;
}

/// Two places filled together, `gap` apart, whose batches take 700 ms; observed in order.
engine::BatchRecord paired(std::int64_t i, std::chrono::nanoseconds gap) {
  engine::BatchRecord r;
  r.index = i;
  r.count = 1;
  r.submitted = milliseconds(700 * (i / 2)) + (i % 2) * gap;
  r.done = r.submitted + milliseconds(700);
  r.fill_begin = r.fill_end = r.submitted;
  r.drain_begin = r.drain_end = r.done;
  r.compute = r.done - r.submitted;
  return r;
}

TEST(Window, CompletionsInPairsDoNotBiasFewBatches) {
  for (const int first : {0, 1}) {  // the window opens at the first or at the second of a pair
    for (const auto gap : {std::chrono::nanoseconds(1000), std::chrono::nanoseconds(-1000)}) {
      Trial run("quick", 2);
      int i = first;
      while (!run.observer.finished()) run.observer.observe(paired(i++, gap));
      run.observer.observe(paired(i++, gap));
      const double truth = 2 / 0.7;
      const measure::Throughput t = measure::throughput(run.observer.values());
      EXPECT_NEAR(t.per_second, truth, 0.005 * truth) << first << " " << gap.count();
      EXPECT_TRUE(run.observer.little(2, false).ok);
      EXPECT_FALSE(run.observer.little(3, false).ok);
    }
  }
}

TEST(Window, BatchesUnderWayAtItsEndAreSeenToTheirEnd) {
  Trial run("quick", 2);
  int i = 0;
  while (run.ended == 0) run.observer.observe(batch(i++, 1000, 2));
  EXPECT_FALSE(run.observer.finished()) << "another batch is under way";
  run.observer.observe(batch(i++, 1000, 2));
  run.observer.observe(batch(i++, 1000, 2));
  EXPECT_TRUE(run.observer.finished());
  EXPECT_EQ(run.observer.values().at("open_finish_ns").size(), 1U);
}

TEST(Window, BatchesDoneOutOfOrderAreSorted) {
  Trial run("quick", 2);
  int i = 0;
  while (!run.observer.finished()) {
    engine::BatchRecord late = batch(i, 10, 2);
    engine::BatchRecord early = batch(i + 1, 10, 2);
    std::swap(late.done, early.done);
    run.observer.observe(late);
    run.observer.observe(early);
    i += 2;
  }
  const auto finish = run.observer.values().at("finish_ns");
  EXPECT_TRUE(std::is_sorted(finish.begin(), finish.end()));
}

TEST(Window, ASeriesThatNeverLevelsIsMarked) {
  Trial run("standard", 1);
  engine::BatchRecord r{};
  for (int i = 1; i < 100'000 && !run.observer.finished(); ++i) {
    r.submitted = r.done;
    r.fill_begin = r.fill_end = r.submitted;
    r.done += milliseconds(10 * i);  // ever slower
    r.drain_begin = r.drain_end = r.done;
    run.observer.observe(r);
  }
  EXPECT_FALSE(run.observer.warm_up().level());
  EXPECT_TRUE(run.observer.finished());
}

}  // namespace
}  // namespace assay::worker
