// What is found before anything is measured.
#include <thread>

#include "base/sha256.hpp"
#include "runner/runner_fixture.hpp"

namespace assay::runner {
namespace {

using testing::UnorderedElementsAre;

TEST_F(RunnerTest, ASignatureThatTheModelHasNotFailsWithoutAWorker) {
  settings_.models = [](const Case&) {
    ModelFacts facts;
    facts.format = model::Format::kSavedModel;
    facts.signatures = {"other", "serving_default"};
    return facts;
  };
  plan({"tensorflow"}, {1, 2, 8});
  campaign_.plan[1].options["signature"] = "other";
  campaign_.plan[2].options["signature"] = "no";
  EXPECT_TRUE(run());
  EXPECT_EQ(outcome_of("tensorflow", 1).state, OutcomeState::kMeasured);
  EXPECT_EQ(outcome_of("tensorflow", 2).state, OutcomeState::kMeasured);
  const Outcome& wrong = outcome_of("tensorflow", 8);
  EXPECT_EQ(wrong.state, OutcomeState::kFailed);
  EXPECT_EQ(wrong.phase, "model");
  EXPECT_EQ(wrong.reason,
            "the SavedModel has no signature 'no'; it has: other, serving_default. Choose one with --option "
            "tensorflow.signature=NAME");
  EXPECT_EQ(preview({campaign_.plan[2]}, settings_, launcher_, {}, stop_).at(0).skipped, wrong.reason);
  EXPECT_THAT(launcher_.measured_batches(), UnorderedElementsAre(1, 2));
}

TEST_F(RunnerTest, AnEnginesLibraryIsHashedOnce) {
  const std::filesystem::path library = folder_.path() / "libengine.so";
  write_file_atomically(library, std::string("engine"));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));  // what has just been written may change unnoticed
  launcher_.library = library.string();
  const auto found = [&](std::int64_t batch) {
    plan({"openvino"}, {batch});
    campaign_.environment.clear();
    EXPECT_TRUE(run());
    return campaign_.environment.at("library.sha256.openvino");
  };
  const std::string hash = sha256_of("engine");
  EXPECT_EQ(found(1), hash) << "nothing is remembered";
  settings_.hash_folder = folder_.path() / "hashes";
  EXPECT_EQ(found(2), hash);
  // What is remembered is believed: put another hash in its place and see it come back.
  const std::filesystem::path memo = std::filesystem::directory_iterator(settings_.hash_folder)->path();
  std::string text = read_file(memo);
  text.replace(text.find(hash), hash.size(), std::string(hash.size(), 'a'));
  write_file_atomically(memo, text);
  EXPECT_EQ(found(4), std::string(hash.size(), 'a'));
}

}  // namespace
}  // namespace assay::runner
