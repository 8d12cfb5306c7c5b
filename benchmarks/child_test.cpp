// What becomes of a child process: its answer, its error, its death, its time.
#include "child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace assay::bench {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kLong{60'000};

TEST(InAChild, AnswersAndLeavesThisProcessAsItIs) {
  int here = 1;
  const std::string long_text(100'000, 'x');
  const Reply reply = in_a_child(
      [&] {
        here = 2;
        return long_text;
      },
      kLong);
  EXPECT_TRUE(reply.ok);
  EXPECT_EQ(reply.text, long_text);
  EXPECT_EQ(here, 1);
  EXPECT_TRUE(in_a_child([] { return std::string(); }, kLong).ok);
}

TEST(InAChild, AFailureIsNoEndOfThisProcess) {
  const Reply thrown = in_a_child([]() -> std::string { throw std::runtime_error("out of paper"); }, kLong);
  EXPECT_FALSE(thrown.ok);
  EXPECT_EQ(thrown.text, "out of paper");
  const Reply killed = in_a_child(
      []() -> std::string {
        ::raise(SIGKILL);
        return "";
      },
      kLong);
  EXPECT_FALSE(killed.ok);
  EXPECT_THAT(killed.text, HasSubstr("SIGKILL"));
  EXPECT_FALSE(in_a_child([]() -> std::string { ::_exit(0); }, kLong).ok);
}

TEST(InAChild, WhatHangsIsKilled) {
  const Reply hung = in_a_child(
      []() -> std::string {
        for (;;) ::pause();
      },
      milliseconds(50));
  EXPECT_FALSE(hung.ok);
  EXPECT_THAT(hung.text, HasSubstr("no answer within 0.05 s"));
}

}  // namespace
}  // namespace assay::bench
