// Ensembles through the real program: over the null backend what is said and stored, over ONNX Runtime that the answers
// agree with the reference, whatever the strategy.
#include <nlohmann/json.hpp>
#include <set>

#include "integration/cli_fixture.hpp"

namespace assay::integration {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class EnsembleCliTest : public CliTest {
 protected:
  EnsembleCliTest() {
    for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "ASSAY_OPENVINO_PATH", "VIRTUAL_ENV"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
  }
  [[nodiscard]] Result measured(const char* ensemble, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"bench", ensemble, "--duration", "50ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return assay(std::move(arguments));
  }
};

TEST_F(EnsembleCliTest, EveryStrategyAgreesWithTheReference) {
  const Result r =
      measured("tiny-resnet+tiny-densenet+tiny-vgg+tiny-efficientnet",
               {"--backend", "onnxruntime", "--strategy", "all", "--batch-size", "4", "--weights", "2,1,1,0.5"});
  EXPECT_THAT(r.out, HasSubstr("pipelined:")) << r.err;
  const Campaign c = newest();
  EXPECT_EQ(c.outcomes.size(), 8U);
  std::set<std::string> compared;
  for (const Outcome& o : c.outcomes) {
    if (o.state != OutcomeState::kMeasured) {
      // On a machine with more to do than cores a pipeline may starve, which Little's law finds in the window. Of one
      // batch at a time there is nothing to starve.
      EXPECT_EQ(o.test_case.goal, Goal::kThroughput) << o.test_case.strategy << ": " << o.reason;
      EXPECT_EQ(o.phase, "window") << o.test_case.strategy << ": " << o.reason;
      EXPECT_THAT(o.reason, testing::StartsWith("Invalid")) << o.test_case.strategy;
      continue;
    }
    const Metric* parity = find_metric(o, "parity.error");
    ASSERT_TRUE(parity != nullptr && parity->value.has_value()) << (parity == nullptr ? "" : parity->remark);
    compared.insert(o.test_case.strategy);
  }
  EXPECT_THAT(compared, ElementsAre("concurrent", "merged", "pipelined", "sequential"));
}

TEST_F(EnsembleCliTest, EachMembersPartIsStored) {
  ASSERT_EQ(measured("tiny-resnet+tiny-mlp+tiny-resnet", {"--backend", "null", "--combine", "members", "--for",
                                                          "throughput", "--option", "null.compute_ms=3"})
                .status,
            0);
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  const Outcome& o = c.outcomes.front();
  EXPECT_EQ(o.test_case.strategy, "pipelined");
  EXPECT_EQ(o.in_force.at("members"), "tiny-resnet+tiny-mlp+tiny-resnet#2");
  for (const char* tag : {"member.tiny-resnet.latency.mean", "member.tiny-resnet#2.throughput",
                          "member.tiny-mlp.load.cold", "member.tiny-mlp.load.cached"}) {
    const Metric* m = find_metric(o, tag);
    ASSERT_NE(m, nullptr) << tag;
    EXPECT_TRUE(m->value.has_value()) << m->remark;
  }
  const Metric* memory = find_metric(o, "member.tiny-mlp.memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_FALSE(memory->value.has_value());
  EXPECT_THAT(memory->remark, HasSubstr("not read at effort quick"));
}

TEST_F(EnsembleCliTest, OfOneGraphOfAllNothingIsSaidOfEachMember) {
  const Result r = measured("tiny-resnet+tiny-mlp", {"--backend", "null", "--combine", "members", "--for", "throughput",
                                                     "--strategy", "merged", "--option", "null.compute_ms=3"});
  ASSERT_EQ(r.status, 0) << r.err << r.out;
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 1U);
  const Outcome& o = c.outcomes.front();
  EXPECT_EQ(o.state, OutcomeState::kMeasured) << o.reason;
  EXPECT_EQ(o.test_case.strategy, "merged");
  const Metric* part = find_metric(o, "member.tiny-resnet.latency.mean");
  ASSERT_NE(part, nullptr);
  EXPECT_FALSE(part->value.has_value());
  EXPECT_THAT(part->remark, HasSubstr("one graph of all members"));
  EXPECT_THAT(assay({"cache", "list"}).out, HasSubstr("merged, tiny-resnet+tiny-mlp"));
}

TEST_F(EnsembleCliTest, WhatDoesNotFitTogetherNamesBothMembers) {
  const Result r = measured("tiny-resnet+tiny-mlp", {"--backend", "null", "--for", "latency"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, AllOf(HasSubstr("'tiny-resnet'"), HasSubstr("'tiny-mlp'"), HasSubstr("do not fit together")));
}

TEST_F(EnsembleCliTest, AMemberThatIsMissingIsFoundBeforeAnythingRuns) {
  const Result r = measured("tiny-resnet+no-such", {"--backend", "null"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("there is no file 'no-such', and no network of the zoo is called so"));
  EXPECT_EQ(measured("tiny-resnet+", {"--backend", "null"}).status, 2);
}

TEST_F(EnsembleCliTest, AMemberThatCrashesOrHangsCostsARowThatNamesIt) {
  struct Row {
    const char* fault;
    const char* says;
  };
  // One lane loads and runs the members one after the other, on one core each.
  for (const Row& row : {Row{"null.crash_at=submit:2", "; member 'tiny-resnet' was computing"},
                         Row{"null.hang_at=submit:2", "; member 'tiny-resnet' was computing"},
                         Row{"null.crash_at=open", " being loaded"}, Row{"null.hang_at=open", "tiny-densenet"}}) {
    const Result r = measured("tiny-resnet+tiny-densenet", {"--backend", "null", "--for", "latency", "--strategy",
                                                            "sequential", "--option", row.fault, "--timeout", "3s"});
    EXPECT_EQ(r.status, 1) << row.fault;
    const Campaign c = newest();
    ASSERT_EQ(c.outcomes.size(), 1U);
    EXPECT_EQ(c.outcomes.front().state, OutcomeState::kFailed) << row.fault;
    EXPECT_THAT(c.outcomes.front().reason, HasSubstr(row.says)) << row.fault;
  }
}

TEST_F(EnsembleCliTest, AMemberThatFailsCostsARowThatNamesIt) {
  struct Row {
    const char *fault, *says;
  };
  for (const Row& row :
       {Row{"null.fail_at=open", "member 'tiny-"}, Row{"null.fail_at=submit:2", "member 'tiny-resnet': "},
        Row{"null.fail_at=run:2", "member 'tiny-resnet': "}}) {
    const Result r = measured("tiny-resnet+tiny-densenet", {"--backend", "null", "--for", "latency", "--strategy",
                                                            "sequential", "--option", row.fault});
    EXPECT_EQ(r.status, 1) << row.fault;
    const Campaign c = newest();
    ASSERT_EQ(c.outcomes.size(), 1U);
    EXPECT_EQ(c.outcomes.front().state, OutcomeState::kFailed) << row.fault;
    EXPECT_THAT(c.outcomes.front().reason, AllOf(HasSubstr(row.says), HasSubstr("told to fail"))) << row.fault;
  }
}

}  // namespace
}  // namespace assay::integration
