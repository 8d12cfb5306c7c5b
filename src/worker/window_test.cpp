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
  explicit Trial(const char* effort, std::size_t capacity = WindowObserver::kCapacity)
      : observer(measure::effort_by_name(effort), [this] { ++begun; }, [this] { ++ended; }, capacity) {}
  int feed(int every, int outstanding) {
    int i = 0;
    while (!observer.finished() && i < 1'000'000) observer.observe(batch(i++, every, outstanding));
    for (int k = 0; k < outstanding; ++k) observer.observe(batch(i + k, every, outstanding));  // what was under way
    return i;
  }
};

TEST(Window, WarmsUpThenMeasures) {
  Trial run("quick");
  run.feed(10, 2);
  EXPECT_EQ(run.begun, 1);
  EXPECT_EQ(run.ended, 1);
  const auto values = run.observer.values();
  EXPECT_DOUBLE_EQ(run.observer.window_ns(), 3e9);
  EXPECT_EQ(run.observer.completions(), 300);
  const measure::Throughput t = measure::throughput(values.at("finish_ns"));
  EXPECT_EQ(t.completions, 300);
  EXPECT_DOUBLE_EQ(t.per_second, 100);
  EXPECT_EQ(values.at("latency_ns").size(), 300U);
  EXPECT_DOUBLE_EQ(values.at("latency_ns").front(), 20e6);
  EXPECT_DOUBLE_EQ(values.at("fill_ns").front(), 1e6);
}

TEST(Window, LittlesLawHoldsForWhatIsOutstanding) {
  Trial run("quick");
  run.feed(10, 4);
  EXPECT_TRUE(run.observer.little(4, false).ok);
  EXPECT_FALSE(run.observer.little(5, false).ok);
}

TEST(Window, ManyBatchesAreThinnedWithoutBias) {
  Trial run("quick", 100);
  run.feed(1, 3);
  const auto values = run.observer.values();
  const double stride = values.at("stride").front();
  EXPECT_GE(stride, 32);
  EXPECT_LE(values.at("finish_ns").size(), 100U);
  const measure::Throughput t = measure::throughput(values.at("finish_ns"), static_cast<std::int64_t>(stride));
  EXPECT_NEAR(t.per_second, 1000, 1e-6);
  EXPECT_TRUE(run.observer.little(3, false).ok) << run.observer.little(3, false).observed;
}

TEST(Window, BatchesDoneOutOfOrderAreSorted) {
  Trial run("quick");
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
  Trial run("standard");
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
