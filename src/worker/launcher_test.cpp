// The launcher against programs that misbehave: shell scripts in the worker's place.

#include "worker/launcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/file.hpp"
#include "engine/cache_filling.hpp"
#include "worker/child_process.hpp"
#include "worker/frames.hpp"
#include "worker/supervisor.hpp"

namespace assay::worker {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// printf's form of a frame with this event.
std::string frame_for_shell(const Event& event) {
  std::string octal;
  for (const unsigned char c : encode_frame(to_json(event).dump())) {
    char text[8];
    std::snprintf(text, sizeof text, "\\%03o", c);
    octal += text;
  }
  return "printf '" + octal + "' >&3\n";
}

std::string say_phase(const std::string& phase) {
  Event e;
  e.phase = phase;
  return frame_for_shell(e);
}

std::string say_result() {
  Event e;
  e.kind = Event::Kind::kResult;
  e.values["x"] = {1};
  return frame_for_shell(e);
}

class LauncherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    limits_.timeout = milliseconds(60'000);
    limits_.silence = milliseconds(60'000);
  }
  void TearDown() override { ::unsetenv("ASSAY_WORKER"); }

  Exit run(const std::string& script, const Request& request = {}) {
    const auto file = folder_.path() / "worker";
    std::ofstream(file) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    ::setenv("ASSAY_WORKER", file.c_str(), 1);
    return process_launcher()->run(request, limits_, [this](const Event& e) { events_.push_back(e); }, stop_);
  }

  TemporaryFolder folder_;
  Limits limits_;
  std::atomic<bool> stop_{false};
  std::vector<Event> events_;
};

TEST_F(LauncherTest, AResultComesThrough) {
  const Exit exit = run(say_phase("load") + say_result());
  EXPECT_TRUE(exit.ok) << exit.reason;
  EXPECT_EQ(exit.phase, "load");
  EXPECT_EQ(exit.result.values.at("x"), std::vector<double>{1});
  EXPECT_GE(events_.size(), 2U);
}

/// However a worker ended, the graph that it was making is not left in the cache; those of others are.
TEST_F(LauncherTest, WhatADeadWorkerWasFillingIsRemoved) {
  Request request;
  request.cache_folder = folder_.path() / "cache";
  const auto graphs = request.cache_folder / "graphs";
  std::optional<engine::Filling> others = engine::Filling::begin(graphs, {});
  ASSERT_TRUE(others);
  const auto left = graphs / ".filling-worker";
  const std::string fills = "mkdir -p " + left.string() + "/graph\necho half > " + left.string() + "/graph/code\n";
  const auto is_removed = [&](const std::string& ends) {
    (void)run(fills + ends, request);
    EXPECT_FALSE(std::filesystem::exists(left)) << ends;
    EXPECT_TRUE(std::filesystem::exists(others->graph())) << ends;
  };
  is_removed("kill -9 $$\n");
  is_removed("exit 3\n");
  stop_ = true;
  is_removed("sleep 60\n");
}

TEST_F(LauncherTest, AnIgnoredSigchldHidesNoEnd) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  const Exit exit = run(say_result() + "exit 0\n");
  EXPECT_TRUE(exit.ok) << exit.reason;
  EXPECT_FALSE(run("exit 3\n").ok);
  ::signal(SIGCHLD, before);
}

TEST_F(LauncherTest, TheRequestIsReadFromDescriptorThree) {
  // The first four bytes are the length of what follows; the JSON names the kind.
  const Exit exit = run("head -c 4 <&3 >/dev/null; head -c 200 <&3 | grep -q '\"kind\"\\|\"case\"' && " + say_result());
  EXPECT_TRUE(exit.ok) << exit.reason;
}

TEST_F(LauncherTest, AFailureComesThrough) {
  Event e;
  e.kind = Event::Kind::kFailure;
  e.code = ErrorCode::kParity;
  e.phase = "parity";
  e.message = "outputs differ";
  const Exit exit = run(frame_for_shell(e));
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kParity);
  EXPECT_EQ(exit.phase, "parity");
  EXPECT_EQ(exit.reason, "outputs differ");
}

TEST_F(LauncherTest, ACrashNamesSignalAndLastWords) {
  const Exit exit = run(say_phase("warm-up") + "echo 'terrible things in libframework' >&2; kill -SEGV $$");
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kCrashed);
  EXPECT_EQ(exit.phase, "warm-up");
  EXPECT_THAT(exit.reason, AllOf(HasSubstr("SIGSEGV"), HasSubstr("terrible things in libframework")));
}

TEST_F(LauncherTest, BeingKilledFromOutsideIsTold) {
  const Exit exit = run("kill -KILL $$");
  EXPECT_EQ(exit.code, ErrorCode::kCrashed);
  EXPECT_THAT(exit.reason, AllOf(HasSubstr("SIGKILL"), HasSubstr("not by Assay")));
}

TEST_F(LauncherTest, AnEndWithoutAResultIsACrash) {
  EXPECT_THAT(run("exit 0").reason, HasSubstr("status 0 and no result"));
  EXPECT_THAT(run("echo no >&2; exit 3").reason, AllOf(HasSubstr("status 3"), HasSubstr("last words: no")));
}

TEST_F(LauncherTest, AHangIsEnded) {
  limits_.silence = milliseconds(200);
  const Exit exit = run(say_phase("window") + "exec sleep 1000");
  EXPECT_EQ(exit.code, ErrorCode::kTimeout);
  EXPECT_EQ(exit.phase, "window");
  EXPECT_THAT(exit.reason, HasSubstr("no sign of life for 0.2 s"));
}

TEST_F(LauncherTest, OpeningAndLoadingMayBeSilentForLongerAndNothingElse) {
  limits_.silence = milliseconds(500);
  limits_.opening = milliseconds(60'000);
  const std::string builds = say_phase("open") + "sleep 1\n" + say_phase("load") + "sleep 1\n";
  EXPECT_TRUE(run(builds + say_result()).ok);
  const Exit exit = run(builds + say_phase("first") + "exec sleep 1000");
  EXPECT_EQ(exit.code, ErrorCode::kTimeout);
  EXPECT_EQ(exit.phase, "first");
  EXPECT_THAT(exit.reason, HasSubstr("no sign of life for 0.5 s"));
}

TEST_F(LauncherTest, WhoIgnoresSigtermIsKilled) {
  limits_.timeout = milliseconds(200);
  const Exit exit = run("trap '' TERM; while :; do sleep 0.1; done");
  EXPECT_EQ(exit.code, ErrorCode::kTimeout);
  EXPECT_THAT(exit.reason, AllOf(HasSubstr("not done after 0.2 s"), HasSubstr("ignored SIGTERM")));
}

TEST_F(LauncherTest, CancellingEndsIt) {
  std::thread canceller([this] {
    std::this_thread::sleep_for(milliseconds(200));
    stop_ = true;
  });
  const Exit exit = run("exec sleep 1000");
  canceller.join();
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kCancelled);
}

TEST_F(LauncherTest, MemoryBeyondTheLimitIsStopped) {
  limits_.memory_bytes = UINT64_C(64) << 20;
  const Exit exit = run("exec dd if=/dev/zero of=/dev/null bs=200M count=100000");
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(exit.reason, HasSubstr("the limit is 64 MiB"));
  EXPECT_GT(exit.peak_bytes, limits_.memory_bytes);
}

TEST_F(LauncherTest, GarbageOnTheChannelEndsIt) {
  for (const char* garbage : {"printf 'GET / HTTP/1.1' >&3", "printf '\\003\\000\\000\\000abc' >&3",
                              "printf '\\002\\000\\000\\000{}' >&3", "printf '\\000\\000\\000\\000' >&3"}) {
    const Exit exit = run(std::string(garbage) + "; exec sleep 1000");
    EXPECT_FALSE(exit.ok);
    EXPECT_EQ(exit.code, ErrorCode::kInternal) << garbage;
    EXPECT_THAT(exit.reason, HasSubstr("no event")) << garbage;
  }
}

TEST_F(LauncherTest, NoiseOnStandardOutputIsBounded) {
  const Exit exit = run("yes 'a line of a chatty framework' | head -c 30000000; " + say_result());
  EXPECT_TRUE(exit.ok) << exit.reason;
}

TEST_F(LauncherTest, ChildrenOfTheWorkerDieWithIt) {
  const auto file = folder_.path() / "grandchild";
  const Exit exit = run("sleep 1000 & echo $! > '" + file.string() + "'; " + say_result());
  EXPECT_TRUE(exit.ok) << exit.reason;
  const int pid = std::stoi(read_file(file));
  for (int i = 0; i < 100 && ::kill(pid, 0) == 0; ++i) {
    // It is an orphan, reaped by whoever adopts such; a zombie counts as dead.
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    if (text.find(") Z") != std::string::npos) return;
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(LauncherTest, AListenerThatThrowsTakesNothingDown) {
  const auto file = folder_.path() / "worker";
  std::ofstream(file) << "#!/bin/sh\n" << say_phase("load") << say_result();
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  ::setenv("ASSAY_WORKER", file.c_str(), 1);
  const Exit exit =
      process_launcher()->run({}, limits_, [](const Event&) { throw std::runtime_error("screen on fire"); }, stop_);
  EXPECT_TRUE(exit.ok) << exit.reason;
}

TEST_F(LauncherTest, AProgramThatIsNotThereIsAnExitToo) {
  ::setenv("ASSAY_WORKER", "/nowhere/assay-worker", 1);
  const Exit exit = process_launcher()->run({}, limits_, {}, stop_);
  EXPECT_FALSE(exit.ok);
  EXPECT_EQ(exit.code, ErrorCode::kUnavailable);
  EXPECT_THAT(exit.reason, AllOf(HasSubstr("/nowhere/assay-worker"), HasSubstr("ASSAY_WORKER")));
}

TEST_F(LauncherTest, SteeringVariablesAreKeptFromIt) {
  ::setenv("OMP_NUM_THREADS", "7", 1);
  const Exit exit = run("test -z \"$OMP_NUM_THREADS\" && test -n \"$PATH\" && " + say_result());
  ::unsetenv("OMP_NUM_THREADS");
  EXPECT_TRUE(exit.ok) << exit.reason;
  ASSERT_FALSE(events_.empty());
  EXPECT_THAT(events_.front().message, HasSubstr("OMP_NUM_THREADS=7"));
}

TEST_F(LauncherTest, IsFirstInLineWhenMemoryEndsAndInAGroupOfItsOwn) {
  const auto file = folder_.path() / "facts";
  const Exit exit = run("cat /proc/self/oom_score_adj > '" + file.string() + "'; ps -o pgid= -p $$ >> '" +
                        file.string() + "'; echo $$ >> '" + file.string() + "'; " + say_result());
  EXPECT_TRUE(exit.ok) << exit.reason;
  std::ifstream in(file);
  int score = 0;
  int group = 0;
  int pid = 0;
  in >> score >> group >> pid;
  EXPECT_EQ(score, 1000);
  EXPECT_EQ(group, pid);
}

TEST(ChildProcess, DiesWithItsParent) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "pid";
  const auto program = folder.path() / "sleeper";
  std::ofstream(program) << "#!/bin/sh\nexec sleep 1000\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const ChildProcess child(program, {});
    std::ofstream(file) << child.pid() << std::flush;
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(parent, nullptr, 0);
  std::ifstream in(file);
  int pid = 0;
  ASSERT_TRUE(in >> pid);
  for (int i = 0; i < 200 && ::kill(pid, 0) == 0; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(stat)), {});
    if (text.find(") Z") != std::string::npos) return;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(BoundedLog, KeepsTheLastLines) {
  BoundedLog log(100);
  for (int i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\x1b[0m\n";
    log.add(line.data(), line.size());
  }
  const std::string words = log.last_words();
  EXPECT_THAT(words, HasSubstr("line 999"));
  EXPECT_EQ(words.find('\x1b'), std::string::npos);
  EXPECT_LE(std::count(words.begin(), words.end(), '\n'), 9);
}

}  // namespace
}  // namespace assay::worker
