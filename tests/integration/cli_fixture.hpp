#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.hpp"
#include "integration/program.hpp"
#include "store/store.hpp"

namespace assay::integration {

/// The program in folders of its own, over the null backend.
class CliTest : public testing::Test {
 protected:
  CliTest() {
    for (const char* name : {"PATH", "HOME", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
    environment_["ASSAY_DATA"] = (folder_.path() / "data").string();
    environment_["ASSAY_CACHE"] = (folder_.path() / "cache").string();
    environment_["ASSAY_DB"] = db_.string();
    environment_["ASSAY_TEST_MARK"] = folder_.path().filename().string();
  }

  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), ASSAY_BUILD_DIR "/bin/assay");
    return arguments;
  }
  [[nodiscard]] Result assay(std::vector<std::string> arguments) const {
    return Program(command(std::move(arguments)), environment_).wait();
  }
  /// bench of a small network on the null backend with a short window, and what is added.
  [[nodiscard]] std::vector<std::string> bench(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"bench",      "tiny-mlp",
                                          "--backend",  "null",
                                          "--duration", "50ms",
                                          "--option",   "null.io=input:float32:-1x8->probabilities:float32:-1x4",
                                          "--option",   "null.compute_ms=20"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] Campaign newest() const { return store::Store(db_, store::Store::Access::kRead).load(""); }
  /// The newest campaign has an outcome; waits for it, half a minute at most.
  [[nodiscard]] bool an_outcome_is_stored() const {
    return eventually([&] {
      try {
        return !newest().outcomes.empty();
      } catch (const std::exception&) {
        return false;
      }
    });
  }
  [[nodiscard]] std::string file(const char* name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
  std::filesystem::path db_ = folder_.path() / "results.db";
  std::map<std::string, std::string> environment_;
};

}  // namespace assay::integration
