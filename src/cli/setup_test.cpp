// Commands as functions, with the world faked: setup's pip, and what every command answers to bad usage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "cli/cli.hpp"
#include "runner/fake_launcher.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class CliTest : public testing::Test {
 protected:
  CliTest() {
    setenv("ASSAY_DATA", folder_.path().c_str(), 1);
    setenv("ASSAY_CACHE", (folder_.path() / "cache").c_str(), 1);
    unsetenv("ASSAY_DB");
    context_.in = &in_;
    context_.out = &out_;
    context_.err = &err_;
    context_.launcher = &launcher_;
    context_.clock = &clock_;
    context_.stop = &stop_;
    context_.run_program = [this](const std::vector<std::string>& command) { return pip(command); };
  }

  int assay(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return run(arguments, context_);
  }

  /// Does what pip would: fills the target.
  int pip(const std::vector<std::string>& command) {
    commands_.push_back(command);
    const auto target = std::find(command.begin(), command.end(), "--target");
    if (target == command.end()) return pip_version_status_;
    if (interrupted_) stop_ = true;
    if (pip_status_ != 0) return pip_status_;
    if (empty_) return 0;
    fs::create_directories(*(target + 1));
    write_file_atomically(fs::path(*(target + 1)) / "library", content_);
    return 0;
  }

  TemporaryFolder folder_;
  std::istringstream in_;
  std::ostringstream out_, err_;
  FakeClock clock_;
  runner::FakeLauncher launcher_{clock_};
  std::atomic<bool> stop_{false};
  Context context_;
  std::vector<std::vector<std::string>> commands_;
  int pip_status_ = 0, pip_version_status_ = 0;
  bool interrupted_ = false, empty_ = false;
  std::string content_ = "one";
  fs::path place_ = folder_.path() / "frameworks" / "onnxruntime";
};

TEST_F(CliTest, SetupSaysWhatAndHowLargeAndFetchesNothingUnasked) {
  EXPECT_EQ(assay({"setup", "onnxruntime"}), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("onnxruntime==1.32.0 into " + place_.string()));
  EXPECT_THAT(out_.str(), HasSubstr("28 MB"));
  EXPECT_THAT(err_.str(), HasSubstr("give --yes"));
  EXPECT_TRUE(commands_.empty());
  EXPECT_EQ(assay({"setup", "onnxruntime", "--dry-run"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("would run: python3 -m pip install"));
  EXPECT_TRUE(commands_.empty());
}

TEST_F(CliTest, SetupAsksAndTakesNo) {
  context_.interactive = true;
  in_.str("n\n");
  EXPECT_EQ(assay({"setup", "onnxruntime"}), kFailed);
  EXPECT_FALSE(fs::exists(place_));
  in_.str("y\n");
  in_.clear();
  EXPECT_EQ(assay({"setup", "onnxruntime"}), kOk);
  EXPECT_TRUE(fs::exists(place_ / "library"));
}

TEST_F(CliTest, SetupPinsByHashAndReplacesWhole) {
  ASSERT_EQ(assay({"setup", "onnxruntime", "--yes"}), kOk) << err_.str();
  for (const char* needed : {"--require-hashes", "--no-deps", "--only-binary", ":all:"}) {
    EXPECT_THAT(commands_.back(), Contains(needed));
  }
  content_ = "two";
  ASSERT_EQ(assay({"setup", "onnxruntime", "--yes"}), kOk);
  EXPECT_EQ(read_file(place_ / "library"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(place_.parent_path()), {}), 1);
}

TEST_F(CliTest, SetupThatFailsLeavesWhatWasThere) {
  ASSERT_EQ(assay({"setup", "onnxruntime", "--yes"}), kOk);
  pip_status_ = 1;
  EXPECT_EQ(assay({"setup", "onnxruntime", "--yes"}), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("pip could not fetch onnxruntime==1.32.0"));
  EXPECT_EQ(read_file(place_ / "library"), "one");
  EXPECT_EQ(std::distance(fs::directory_iterator(place_.parent_path()), {}), 1);
}

// pip that says it is done and has fetched nothing stands for any reason why the new folder cannot take the place.
TEST_F(CliTest, SetupThatCannotReplaceLeavesWhatWasThere) {
  ASSERT_EQ(assay({"setup", "onnxruntime", "--yes"}), kOk);
  empty_ = true;
  EXPECT_EQ(assay({"setup", "onnxruntime", "--yes"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("cannot put the fetched framework in place"));
  EXPECT_EQ(read_file(place_ / "library"), "one");
}

TEST_F(CliTest, SetupThatIsInterruptedIs130) {
  ASSERT_EQ(assay({"setup", "onnxruntime", "--yes"}), kOk);
  interrupted_ = true;
  for (const int status : {0, 1, 130}) {
    pip_status_ = status;
    stop_ = false;
    EXPECT_EQ(assay({"setup", "onnxruntime", "--yes"}), kInterrupted);
    EXPECT_EQ(read_file(place_ / "library"), "one");
  }
}

TEST_F(CliTest, SetupWithoutPipSaysHowToGetIt) {
  pip_version_status_ = 127;
  EXPECT_EQ(assay({"setup", "onnxruntime", "--yes"}), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("apt-get install python3-pip"));
}

TEST_F(CliTest, SetupOfTheUnknownListsTheKnown) {
  EXPECT_EQ(assay({"setup", "onnxruntim"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("'onnxruntime'"));
}

TEST_F(CliTest, SetupOfWhatIsBuiltAndNotFetchedSaysSo) {
  for (const char* backend : {"mlir", "tensorrt"}) {
    context_.backend_names = [] { return std::vector<std::string>{"null"}; };
    EXPECT_EQ(assay({"setup", backend}), kUsage);
    EXPECT_THAT(err_.str(), HasSubstr(std::string("this build of Assay is without ") + backend));
    EXPECT_THAT(err_.str(), HasSubstr("make setup"));
    context_.backend_names = [&] { return std::vector<std::string>{backend, "null"}; };
    EXPECT_EQ(assay({"setup", backend}), kUsage);
    EXPECT_THAT(err_.str(), HasSubstr(std::string("nothing is fetched for ") + backend + ", which this build"));
  }
}

TEST_F(CliTest, BackendsListsWhatTheBuildLeftOutAndWhatToDo) {
  const auto reason = [&](const std::string& name) {
    EXPECT_EQ(assay({"backends", "--json"}), kOk);
    const auto all = nlohmann::json::parse(out_.str());
    for (const auto& row : all.at("backends")) {
      if (row.at("name") != name) continue;
      return row.at("available") ? "available" : row.at("reason").get<std::string>();
    }
    return std::string("no row");
  };
  context_.backend_names = [] { return std::vector<std::string>{"null"}; };
  EXPECT_THAT(reason("mlir"), HasSubstr("make setup WITH=mlir"));
  EXPECT_THAT(reason("tensorrt"), HasSubstr("TENSORRT_ROOT"));
  EXPECT_EQ(assay({"backends"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\nmlir         not available: this build of Assay is without mlir: run"));
  context_.backend_names = [] { return std::vector<std::string>{"tensorrt", "null"}; };
  EXPECT_THAT(reason("mlir"), HasSubstr("make setup WITH=mlir"));
  EXPECT_EQ(reason("tensorrt"), "available");
}

TEST_F(CliTest, UsageErrorsAreTwoAndHelpIsNone) {
  EXPECT_EQ(assay({}), kUsage);
  EXPECT_EQ(assay({"no-such-command"}), kUsage);
  EXPECT_EQ(assay({"bench", "--no-such-option"}), kUsage);
  EXPECT_EQ(assay({"bench", "--effort", "heroic"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("quick, standard, rigorous"));
  EXPECT_EQ(assay({"--help"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("assay bench resnet50"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\n  compare ")));
  EXPECT_EQ(assay({"bench", "--help"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("--batch-size"));
  EXPECT_EQ(assay({"--version"}), kOk);
}

TEST_F(CliTest, ResultsThatAreNotThereAreSaidSo) {
  EXPECT_EQ(assay({"results", "list"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no results file here yet"));
  write_file_atomically(folder_.path() / "no.db", std::string(4096, 'x'));
  EXPECT_EQ(assay({"results", "list", "--db", (folder_.path() / "no.db").string()}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("not an SQLite file"));
  write_file_atomically(folder_.path() / "no.json", "{}");
  EXPECT_EQ(assay({"results", "import", (folder_.path() / "no.json").string()}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("this is no bundle"));
}

TEST_F(CliTest, AWarningAboutTheRunIsPrintedOnceAtItsEnd) {
  launcher_.measure = [](const worker::Request& r) {
    worker::Exit exit = runner::good(r, 100);
    exit.result.values["noise.steal"] = {0.5};
    return exit;
  };
  const std::string said = "processes was disturbed";
  const auto times = [&](const std::string& text) {
    int n = 0;
    for (std::size_t at = text.find(said); at != std::string::npos; at = text.find(said, at + 1)) ++n;
    return n;
  };
  ASSERT_EQ(assay({"bench", "tiny-mlp", "--backend", "null", "--for", "latency"}), 0) << err_.str();
  EXPECT_EQ(times(out_.str()), 1) << out_.str();
  EXPECT_EQ(times(err_.str()), 0) << err_.str();
  ASSERT_EQ(assay({"bench", "tiny-mlp", "--backend", "null", "--for", "latency", "--json"}), 0) << err_.str();
  EXPECT_EQ(times(err_.str()), 1) << "beside the JSON, people read this";
}

}  // namespace
}  // namespace assay::cli
