#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/bench.hpp"
#include "runner/fake_launcher.hpp"
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

class DryRunTest : public testing::Test {
 protected:
  /// Of cases of one model: backend, precision, options.
  std::string shown(const std::vector<Case>& cases) {
    Context context;
    context.out = &out_;
    context.err = &err_;
    context.launcher = &launcher_;
    context.stop = &stop_;
    BenchPlan plan;
    plan.cases = cases;
    runner::RunSettings settings;
    settings.models = [](const Case&) { return runner::ModelFacts{}; };
    EXPECT_EQ(dry_run({}, plan, settings, {}, context), kOk) << err_.str();
    return out_.str();
  }
  static Case a_case(Precision precision = Precision::kFloat32, std::map<std::string, std::string> options = {}) {
    Case c;
    c.model = "m.onnx";
    c.backend = "x";
    c.precision = precision;
    c.options = std::move(options);
    return c;
  }

  FakeClock clock_;
  runner::FakeLauncher launcher_{clock_};
  std::atomic<bool> stop_{false};
  std::ostringstream out_, err_;
};

TEST_F(DryRunTest, NamesTheOptionsThatAblationSwitches) {
  const std::string text = shown({a_case(Precision::kFloat32, {{"streams", "2"}}),
                                  a_case(Precision::kFloat32, {{"streams", "2"}, {"arena", "false"}})});
  EXPECT_THAT(text, testing::HasSubstr("m.onnx · x · throughput · batch 1: about"));
  EXPECT_THAT(text, testing::HasSubstr("m.onnx · x · throughput · arena=false · batch 1: about"));
}

TEST_F(DryRunTest, SaysOnceWhyAnEngineIsSkipped) {
  launcher_.missing = {"x"};
  Case other = a_case();
  other.model = "n.onnx";
  EXPECT_THAT(shown({a_case(), other}),
              testing::AllOf(testing::HasSubstr("m.onnx · x · throughput · batch 1: skipped: x"),
                             testing::HasSubstr("n.onnx · x · throughput · batch 1: skipped, as above")));
}

TEST_F(DryRunTest, AsksEveryEngineOfAPlacedEnsemble) {
  launcher_.missing = {"y"};
  Case placed = a_case();
  placed.model = "a+b";
  placed.backend = "x+y";
  placed.strategy = kPlaced;
  placed.placement = {"pipelined", {{"x", 0}, {"y", 0}}};
  EXPECT_THAT(shown({a_case(), placed}), testing::HasSubstr("batch 1: skipped: x+y is not available"));
  EXPECT_EQ(launcher_.count(worker::Request::Kind::kProbe), 2);
}

TEST_F(DryRunTest, SkipsWhatTheEngineCannotComputeInAndAsksItOnce) {
  launcher_.extra = [](const worker::Request& r) {
    return r.test_case.precision == Precision::kBFloat16
               ? runner::bad(ErrorCode::kUnsupported, "load", "bf16 needs a CPU with amx_bf16")
               : runner::good(r, 1);
  };
  std::vector<Case> cases = {a_case(), a_case(Precision::kBFloat16), a_case(Precision::kFloat16)};
  cases.push_back(cases[1]);
  cases.back().batch_size = 8;
  const std::string text = shown(cases);
  EXPECT_THAT(text, testing::HasSubstr("m.onnx · x · throughput · bf16 · batch 1: skipped: bf16 needs a CPU"));
  EXPECT_THAT(text, testing::HasSubstr("m.onnx · x · throughput · f16 · batch 1: about"));
  EXPECT_THAT(text, testing::HasSubstr("4 cases, 2 of them skipped"));
  EXPECT_EQ(launcher_.count(worker::Request::Kind::kStart), 2);
}

}  // namespace
}  // namespace assay::cli
