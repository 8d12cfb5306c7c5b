#pragma once
// The real worker program over the null backend, and a small network for it.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "worker/launcher.hpp"

namespace assay::worker {

class WorkerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    model_ = model::write_zoo_network({.name = "tiny-mlp"}, folder_->path());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  WorkerTest() {
    limits_.timeout = std::chrono::milliseconds(100'000);
    limits_.silence = std::chrono::milliseconds(100'000);
    const model::Model model = model::read_model(model_);
    request_.model = model_;
    request_.test_case.model = "tiny-mlp";
    request_.test_case.backend = "null";
    request_.test_case.batch_size = 2;
    request_.test_case.threads = 1;
    request_.test_case.options = {
        {"compute_ms", "20"},
        {"io", model.inputs[0].name + ":float32:-1x8->" + model.outputs[0].name + ":float32:-1x4"}};
    request_.effort = measure::effort_by_name("quick");
    request_.effort.warm_up_time = std::chrono::milliseconds(20);
    request_.effort.window = std::chrono::milliseconds(200);
  }

  /// On a machine with more to do than cores the pipeline may starve, which Little's law finds: then once more.
  Exit run(const Request& request) {
    Exit exit = run_once(request);
    for (int i = 0; i < 5 && exit.reason.starts_with("Invalid"); ++i) exit = run_once(request);
    return exit;
  }
  Exit run_once(const Request& request) {
    phases_.clear();
    begun_.clear();
    warnings_.clear();
    return process_launcher()->run(
        request, limits_,
        [this](const Event& e) {
          if (e.kind == Event::Kind::kPhase && (phases_.empty() || phases_.back() != e.phase))
            phases_.push_back(e.phase);
          if (e.kind == Event::Kind::kPhase && e.progress == 0) begun_.push_back(e.phase);
          if (!e.warning.empty()) warnings_.push_back(e.warning + ": " + e.message);
        },
        stop_);
  }
  Exit run_with(const std::string& option, const std::string& value) {
    request_.test_case.options[option] = value;
    return run(request_);
  }

  inline static std::unique_ptr<TemporaryFolder> folder_;
  inline static std::filesystem::path model_;
  TemporaryFolder own_;
  Request request_;
  Limits limits_;
  std::atomic<bool> stop_{false};
  std::vector<std::string> phases_;    ///< each once for as long as it lasts
  std::vector<std::string> begun_;     ///< each as often as it begins
  std::vector<std::string> warnings_;  ///< "kind: message"
};

}  // namespace assay::worker
