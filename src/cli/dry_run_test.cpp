#include <gtest/gtest.h>

#include <sstream>

#include "cli/bench.hpp"
#include "worker/launcher.hpp"

namespace assay::cli {
namespace {

/// Ctrl-C while it asks a backend what it is.
class Interrupted final : public worker::Launcher {
 public:
  explicit Interrupted(std::atomic<bool>& stop) : stop_(stop) {}
  worker::Exit run(const worker::Request& /*request*/, const worker::Limits& /*limits*/,
                   const worker::EventListener& /*listener*/, const std::atomic<bool>& /*stop*/) override {
    stop_ = true;
    ++runs;
    worker::Exit exit;
    exit.code = ErrorCode::kCancelled;
    exit.reason = "cancelled";
    return exit;
  }
  int runs = 0;

 private:
  std::atomic<bool>& stop_;
};

TEST(DryRun, InterruptedItSaysNothingOfCases) {
  std::atomic<bool> stop{false};
  Interrupted launcher(stop);
  std::ostringstream out;
  std::ostringstream err;
  Context context;
  context.out = &out;
  context.err = &err;
  context.launcher = &launcher;
  context.stop = &stop;
  BenchPlan plan;
  for (const char* backend : {"x", "y"}) {
    plan.cases.emplace_back();
    plan.cases.back().backend = backend;
  }
  EXPECT_EQ(dry_run({}, plan, {}, {}, context), kInterrupted);
  EXPECT_EQ(launcher.runs, 1);
  EXPECT_EQ(out.str(), "");
  EXPECT_NE(err.str(), "");
}

}  // namespace
}  // namespace assay::cli
