#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "measure/effort.hpp"
#include "runner/fake_launcher.hpp"
#include "runner/plan.hpp"
#include "worker/reference.hpp"

namespace assay::runner {

/// A campaign of a model "m" over fake workers.
class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    settings_.effort = measure::effort_by_name("quick");
    settings_.cache_folder = folder_.path();
    settings_.reference_folder = folder_.path() / "references";
    settings_.models = [](const Case& c) {
      ModelFacts facts;
      facts.path = c.model;
      facts.hash = "hash of " + c.model;
      for (const std::string& member : members_of(c.model)) {
        facts.footprints.push_back({1 << 20, 1 << 20});
        facts.weight_bytes += facts.footprints.back().weight_bytes;
        if (is_ensemble(c)) facts.members.emplace_back(member);
      }
      facts.flops = 1'000'000'000;
      return facts;
    };
    launcher_.reference = [](const worker::Request& r) {
      worker::write_reference(r.reference_file, {});
      return good(r, 1);
    };
  }

  void plan(std::vector<std::string> backends, std::vector<std::int64_t> batches,
            std::vector<Goal> goals = {Goal::kThroughput}) {
    Axes axes;
    axes.models = {"m"};
    axes.backends = std::move(backends);
    axes.batch_sizes = std::move(batches);
    axes.goals = std::move(goals);
    axes.threads = {2};
    campaign_.id = "01234567";
    campaign_.effort = settings_.effort.name;
    campaign_.plan = expand(axes);
  }

  bool run() {
    return runner::run(
        campaign_, settings_, launcher_, clock_, recorder_, [this](const Progress& p) { progress_.push_back(p); },
        stop_);
  }

  [[nodiscard]] const Outcome& outcome_of(const std::string& backend, std::int64_t batch) const {
    for (const Outcome& o : recorder_.outcomes) {
      if (o.test_case.backend == backend && o.test_case.batch_size == batch) return o;
    }
    ADD_FAILURE() << "no outcome of " << backend << " at batch " << batch;
    static const Outcome none;
    return none;
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  FakeLauncher launcher_{clock_};
  FakeRecorder recorder_;
  RunSettings settings_;
  Campaign campaign_;
  std::atomic<bool> stop_{false};
  std::vector<Progress> progress_;
};

inline worker::Exit noisy(const worker::Request& r, double rate) {
  worker::Exit exit = good(r, rate);
  exit.result.values["noise.steal"] = {0.5};
  return exit;
}

}  // namespace assay::runner
