#include "measure/criteria.hpp"

#include <gtest/gtest.h>

#include "assay/error.hpp"

namespace assay::measure {
namespace {

constexpr double kSecond = 1e9;

/// Calls until warm where a call takes `seconds` and its value is value(i); -1 if not within `most`.
template <class Value>
int calls_until_warm(WarmUpCriterion& warm_up, double seconds, const Value& value, int most = 10000) {
  for (int i = 1; i <= most; ++i) {
    if (warm_up.add(i * seconds * kSecond, value(i))) return i;
  }
  return -1;
}

TEST(Effort, RowsAreThoseOfTheMethod) {
  EXPECT_EQ(effort_by_name("quick").processes, 1);
  EXPECT_EQ(effort_by_name("standard").processes, 3);
  EXPECT_GE(effort_by_name("rigorous").processes, 10);
  EXPECT_TRUE(effort_by_name("standard").memory_apart);
  using std::chrono::milliseconds;
  for (const auto& [window, warm_up] : {std::pair{50, 50}, {1000, 1000}, {8000, 1000}}) {
    const Effort effort = with_window(effort_by_name("quick"), milliseconds(window));
    EXPECT_EQ(effort.window, milliseconds(window));
    EXPECT_EQ(effort.warm_up_time, milliseconds(warm_up)) << window;
  }
  try {
    effort_by_name("fast");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("quick, standard, rigorous"), std::string::npos) << e.message();
  }
}

TEST(WarmUp, QuickNeedsCallsAndTime) {
  const auto constant = [](int) { return 1.0; };
  WarmUpCriterion slow(effort_by_name("quick"));
  EXPECT_EQ(calls_until_warm(slow, 5, constant), 2) << "two calls, however long";
  WarmUpCriterion fast(effort_by_name("quick"));
  EXPECT_EQ(calls_until_warm(fast, 0.01, constant), 100) << "one second, however many";
}

TEST(WarmUp, StandardGoesOnUntilLevel) {
  WarmUpCriterion constant(effort_by_name("standard"));
  EXPECT_EQ(calls_until_warm(constant, 0.001, [](int) { return 1.0; }), 10);
  EXPECT_TRUE(constant.level());
  WarmUpCriterion settling(effort_by_name("standard"));
  const int calls = calls_until_warm(settling, 0.1, [](int i) { return i < 30 ? 200.0 - 5 * i : 50.0; });
  EXPECT_GT(calls, 30);
  EXPECT_LT(calls, 80);
  EXPECT_TRUE(settling.level());
}

TEST(WarmUp, WhatNeverLevelsIsMarkedAndEnds) {
  WarmUpCriterion growing(effort_by_name("standard"));
  EXPECT_EQ(calls_until_warm(growing, 0.1, [](int i) { return 10.0 * i; }), 100) << "five times two seconds";
  EXPECT_FALSE(growing.level());
  EXPECT_TRUE(growing.add(1e12, 1)) << "stays done";
}

TEST(WarmUp, SlowCallsAreEnoughToJudge) {
  WarmUpCriterion slow(effort_by_name("standard"));
  EXPECT_EQ(calls_until_warm(slow, 10, [](int) { return 1.0; }), 8) << "eight values say whether a series is level";
}

TEST(Window, NeedsTimeAndCalls) {
  WindowCriterion fast(effort_by_name("quick"));
  EXPECT_FALSE(fast.add(0.1 * kSecond));
  EXPECT_NEAR(fast.progress(), 0.1 / 3, 1e-9);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(fast.add(2.9 * kSecond));
  EXPECT_TRUE(fast.add(3 * kSecond));
  WindowCriterion slow(effort_by_name("quick"));
  for (int i = 1; i < 5; ++i) EXPECT_FALSE(slow.add(60 * i * kSecond));
  EXPECT_TRUE(slow.add(300 * kSecond));
  EXPECT_EQ(slow.calls(), 5);
}

}  // namespace
}  // namespace assay::measure
