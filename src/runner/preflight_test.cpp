// What is found before anything is measured.
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

}  // namespace
}  // namespace assay::runner
