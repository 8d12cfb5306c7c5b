#pragma once
// A search for a placement through campaigns, with workers that answer at once.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <sstream>
#include <string>

#include "base/file.hpp"
#include "cli/bench.hpp"
#include "runner/fake_launcher.hpp"
#include "worker/reference.hpp"

namespace assay::cli {

/// An ensemble that is to be placed on two engines.
inline BenchPlan plan_to_place(const char* model = "a+b", int threads = 2, std::int64_t batch = 1) {
  BenchPlan plan;
  for (const char* backend : {"x", "y"}) {
    Case c;
    c.model = model;
    c.backend = backend;
    c.threads = threads;
    c.batch_size = batch;
    c.strategy = kPlaced;
    plan.cases.push_back(c);
  }
  return plan;
}

class PlacingTest : public testing::Test {
 protected:
  /// `rate_of`: of a case, samples a second.
  explicit PlacingTest(const std::function<double(const Case&)>& rate_of) {
    launcher_.reference = [](const worker::Request& r) {
      worker::write_reference(r.reference_file, {});
      return runner::good(r, 1);
    };
    launcher_.measure = [rate_of](const worker::Request& r) {
      worker::Exit exit = runner::good(r, rate_of(r.test_case));
      exit.result.values["memory.library"] = exit.result.values["memory.model"] = {1e6};
      if (r.test_case.device != kCpu) exit.result.values["memory.device"] = {1e6};
      return exit;
    };
    settings_.effort = measure::effort_by_name("quick");
    settings_.models = [](const Case&) {
      runner::ModelFacts facts;
      facts.hash = "0123";  // without one no stored result is of the same model
      return facts;
    };
    settings_.reference_folder = folder_.path() / "references";
    context_.out = &out_;
    context_.err = &err_;
    context_.launcher = &launcher_;
    context_.clock = &clock_;
    context_.stop = &stop_;
  }

  /// What `assay bench --resume` does with the newest campaign, when it was interrupted.
  int resume_newest() { return resume_campaign(""); }
  /// What `assay bench --resume ID` does.
  int resume_campaign(const std::string& id, const BenchOptions& options = {}) {
    stop_ = false;
    Campaign campaign = store_.load(id);
    settings_.pending = store_.pending(campaign.id);
    BenchPlan plan;
    plan.cases = missing(campaign);
    return resume_placing(options, campaign, plan, settings_, store_, context_);
  }

  TemporaryFolder folder_;
  store::Store store_{folder_.path() / "results.db"};
  FakeClock clock_;
  runner::FakeLauncher launcher_{clock_};
  runner::RunSettings settings_;
  std::atomic<bool> stop_{false};
  std::ostringstream out_, err_;
  Context context_;
};

}  // namespace assay::cli
