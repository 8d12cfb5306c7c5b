#include "launch_thread.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace assay::ort {
namespace {

TEST(LaunchThread, DoesEverythingOnOneThreadWhoeverAsks) {
  std::set<std::thread::id> launchers, callers;
  LaunchThread launcher;
  const auto ask = [&] {
    callers.insert(std::this_thread::get_id());
    launcher.run([&] { launchers.insert(std::this_thread::get_id()); });
  };
  ask();
  std::thread(ask).join();
  ask();
  EXPECT_EQ(launchers.size(), 1U);
  EXPECT_FALSE(callers.contains(*launchers.begin()));
}

TEST(LaunchThread, ThrowsWhatTheJobThrowsAndGoesOn) {
  LaunchThread launcher;
  EXPECT_THROW(launcher.run([] { throw std::runtime_error("no"); }), std::runtime_error);
  int done = 0;
  for (int i = 0; i < 100; ++i) launcher.run([&] { ++done; });
  EXPECT_EQ(done, 100);
}

TEST(LaunchThread, ThatWasNeverAskedHasNoThread) { const LaunchThread launcher; }

}  // namespace
}  // namespace assay::ort
