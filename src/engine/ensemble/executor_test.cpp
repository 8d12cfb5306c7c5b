// The executor with scripted batches: whose failure is told, what begins no more, what is waited for. Events are waited
// for, never times; one that does not come for half a minute is a failure.
#include "engine/ensemble/executor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <stdexcept>

namespace assay::engine {
namespace {

constexpr std::size_t kScriptedMembers = 3;

/// Sleeps until it holds. Throws where it never does.
void sleep_until(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it never came");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// A batch whose members do what a test says; nothing where it says nothing.
struct ScriptedBatch final : EnsembleBatch {
  void run(std::size_t member) override {
    ++begun[member];
    if (parts[member]) parts[member]();
  }
  void combine() override {
    ++combined;
    if (combining) combining();
  }
  void submit_to(Executor& executor) {
    executor.submit(*this, [](void* user) { ++static_cast<ScriptedBatch*>(user)->done; }, this);
  }

  std::array<std::function<void()>, kScriptedMembers> parts;
  std::function<void()> combining;
  std::array<std::atomic<int>, kScriptedMembers> begun{};
  std::atomic<int> combined{0}, done{0};
};

/// Lanes that never lack a stream.
Schedule schedule_of(std::vector<std::vector<std::size_t>> lanes) {
  const int streams = static_cast<int>(lanes.size());
  Schedule s;
  s.members.assign(kScriptedMembers, {.threads = streams, .streams = streams});
  s.lanes = std::move(lanes);
  return s;
}

/// What `wait` throws; "": nothing.
std::string failure_of(Executor& executor, ScriptedBatch& batch) {
  try {
    (void)executor.wait(batch);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

TEST(ExecutorTest, OfTwoFailuresOnTwoLanesTheFirstIsTold) {
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}}) {
    const std::size_t second = 1 - first;
    ScriptedBatch batch;
    Executor executor(schedule_of({{0, 2}, {1}}));
    batch.parts[first] = [&] {
      sleep_until([&] { return batch.begun[second] == 1; });
      throw std::runtime_error("the first");
    };
    batch.parts[second] = [&] {
      sleep_until([&] { return executor.accounts()[first].batches == 1; });  // its failure is known by then
      throw std::runtime_error("the second");
    };
    batch.submit_to(executor);
    EXPECT_EQ(failure_of(executor, batch), "the first") << "of member " << first;
    EXPECT_EQ(batch.begun[2], 0);
    EXPECT_EQ(batch.combined, 0);
    EXPECT_EQ(batch.done, 1);
  }
}

TEST(ExecutorTest, OfABatchThatFailedNothingBeginsAndWhatIsUnderWayEndsFirst) {
  ScriptedBatch batch;
  std::atomic<bool> may_end{false};
  batch.parts[0] = [&] {
    sleep_until([&] { return batch.begun[1] == 1; });
    throw std::runtime_error("told to fail");
  };
  batch.parts[1] = [&] { sleep_until([&] { return may_end.load(); }); };
  Executor executor(schedule_of({{0, 2}, {1}}));
  batch.submit_to(executor);
  sleep_until([&] { return executor.accounts()[0].batches == 1; });
  EXPECT_EQ(batch.done, 0) << "member 1 is still at its memory";
  may_end = true;
  EXPECT_EQ(failure_of(executor, batch), "told to fail");
  EXPECT_EQ(batch.begun[2], 0);
  EXPECT_EQ(batch.combined, 0);
  EXPECT_EQ(batch.done, 1);
  // What was abandoned is of that batch alone.
  batch.parts = {};
  batch.submit_to(executor);
  EXPECT_EQ(failure_of(executor, batch), "");
  EXPECT_EQ(batch.begun[2], 1);
  EXPECT_EQ(batch.combined, 1);
}

TEST(ExecutorTest, WhatCombiningThrowsIsTheBatchsFailureAndNoOthers) {
  ScriptedBatch bad, good;
  bad.combining = [] { throw std::runtime_error("nothing fits"); };
  Executor executor(schedule_of({{0, 1, 2}}));
  bad.submit_to(executor);
  good.submit_to(executor);
  EXPECT_EQ(failure_of(executor, bad), "nothing fits");
  EXPECT_EQ(failure_of(executor, good), "");
  EXPECT_EQ(bad.done, 1);
  EXPECT_EQ(good.combined, 1);
}

TEST(ExecutorTest, ABatchBeginsBeforeTheOneBeforeItHasEnded) {
  ScriptedBatch one, next;
  one.parts[2] = [&] { sleep_until([&] { return next.begun[0] == 1; }); };
  Executor executor(schedule_of({{0, 1, 2}, {0, 1, 2}}));
  one.submit_to(executor);
  next.submit_to(executor);
  EXPECT_EQ(failure_of(executor, one), "");
  EXPECT_EQ(failure_of(executor, next), "");
}

TEST(ExecutorTest, WhatWasSubmittedIsOverWhenItHasGone) {
  std::array<ScriptedBatch, 3> batches;
  {
    Executor executor(schedule_of({{0, 1}, {2}}));
    for (ScriptedBatch& batch : batches) {
      batch.parts[0] = [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };  // outstanding by then
      batch.submit_to(executor);
    }
  }
  for (const ScriptedBatch& batch : batches) {
    EXPECT_EQ(batch.combined, 1);
    EXPECT_EQ(batch.done, 1);
  }
}

}  // namespace
}  // namespace assay::engine
