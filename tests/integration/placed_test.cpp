// The search for a placement through the real program, over ONNX Runtime and, where it is there, OpenVINO.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "integration/cli_fixture.hpp"
#include "report/exporters.hpp"

namespace assay::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PlacedCliTest : public CliTest {
 protected:
  PlacedCliTest() {
    for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "ASSAY_OPENVINO_PATH", "VIRTUAL_ENV"}) {
      if (const char* value = std::getenv(name)) environment_[name] = value;
    }
  }
  [[nodiscard]] static std::vector<std::string> search(const char* batch, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"bench",        "tiny-resnet+tiny-densenet",
                                          "--backend",    "onnxruntime",
                                          "--threads",    "2",
                                          "--strategy",   "placed",
                                          "--duration",   "50ms",
                                          "--batch-size", batch};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  /// Its plan, as what is left of it.
  [[nodiscard]] Result measure(const Campaign& campaign) const {
    std::ostringstream bundle;
    report::write_bundle({.campaign = &campaign, .recommendation = {}}, bundle);
    write_file_atomically(file("plans.json"), bundle.str());
    return assay({"bench", "--resume", file("plans.json")});
  }
  /// Its plan's outcomes. On a busy machine a pipeline may starve, which Little's law finds: that is measured again.
  [[nodiscard]] std::vector<Outcome> measured_until_valid(Campaign asked) const {
    constexpr int kRounds = 6;
    std::vector<Outcome> outcomes;
    for (int round = 1; round <= kRounds && !asked.plan.empty(); ++round) {
      asked.id = "0badcaf" + std::to_string(round);
      const Result r = measure(asked);
      const Campaign c = newest();
      EXPECT_EQ(c.outcomes.size(), asked.plan.size()) << r.err;
      asked.plan.clear();
      for (const Outcome& o : c.outcomes) {
        if (o.state == OutcomeState::kFailed && o.reason.starts_with("Invalid") && round < kRounds) {
          asked.plan.push_back(o.test_case);
        } else {
          outcomes.push_back(o);
        }
      }
    }
    return outcomes;
  }
  /// From here on the results are as if nothing had disturbed them: on a busy machine none would be used again.
  void forget_disturbances() {
    const std::filesystem::path undisturbed = folder_.path() / "undisturbed.db";
    const store::Store all(db_, store::Store::Access::kRead);
    store::Store copy(undisturbed);
    std::vector<store::CampaignSummary> newest_first = all.list();
    for (auto summary = newest_first.rbegin(); summary != newest_first.rend(); ++summary) {
      Campaign campaign = all.load(summary->id);
      for (Outcome& o : campaign.outcomes) {
        for (ProcessSamples& s : o.samples) s.noise.clear();
      }
      (void)copy.import(campaign);
    }
    db_ = undisturbed;
    environment_["ASSAY_DB"] = db_.string();
  }
  /// What campaigns of that step have planned, and of it what was measured: keys of cases.
  struct Step {
    std::multiset<std::string> planned, measured;
  };
  [[nodiscard]] Step step(const std::string& name) const {
    const store::Store store(db_, store::Store::Access::kRead);
    Step step;
    for (const store::CampaignSummary& summary : store.list()) {
      if (summary.placed_step != name) continue;
      const Campaign campaign = store.load(summary.id);
      for (const Case& c : campaign.plan) step.planned.insert(case_key(c));
      for (const Outcome& o : campaign.outcomes) {
        if (o.state == OutcomeState::kMeasured) step.measured.insert(case_key(o.test_case));
      }
    }
    return step;
  }
  /// Whether none of them failed: on a busy machine members starve, and a search that lacks them is another.
  [[nodiscard]] static bool all_measured(const std::vector<const Step*>& steps) {
    return std::all_of(steps.begin(), steps.end(),
                       [](const Step* s) { return s->measured.size() == s->planned.size(); });
  }
  /// Cases of a member alone that were measured, and by processes that nothing disturbed.
  [[nodiscard]] std::ptrdiff_t undisturbed_members() const {
    const store::Store store(db_, store::Store::Access::kRead);
    std::ptrdiff_t count = 0;
    for (const store::CampaignSummary& summary : store.list()) {
      if (summary.placed_step != "alone") continue;
      const Campaign campaign = store.load(summary.id);
      count += std::count_if(campaign.outcomes.begin(), campaign.outcomes.end(), [](const Outcome& o) {
        return o.state == OutcomeState::kMeasured &&
               std::none_of(o.samples.begin(), o.samples.end(),
                            [](const ProcessSamples& s) { return s.kept && !s.noise.empty(); });
      });
    }
    return count;
  }
};

TEST_F(PlacedCliTest, MeasuresMembersThenVerifiesAndReusesWhatIsStored) {
  const Result dry = assay(search("2", {"--dry-run"}));
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, AllOf(HasSubstr("0 of 8 cases stored"), HasSubstr("tiny-densenet · onnxruntime · latency"),
                             HasSubstr("at most 4 cases of members"), HasSubstr("4 plans")));
  const Result first = assay(search("2"));
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("each member alone"), HasSubstr("interleaved")));
  for (const Outcome& o : newest().outcomes) {
    if (o.state != OutcomeState::kMeasured) continue;
    const auto counts = [](const ProcessSamples& s) { return s.kept && s.values.contains("latency_ns"); };
    EXPECT_EQ(std::count_if(o.samples.begin(), o.samples.end(), counts), 3) << describe(o.test_case);
  }
  EXPECT_THAT(first.out, AllOf(HasSubstr("predicted, the best first"), HasSubstr("tiny-resnet+tiny-densenet: "),
                               HasSubstr("onnxruntime x1")));
  const std::string table = first.out.substr(0, first.out.find("\nCampaign "));
  EXPECT_THAT(assay({"results", "show"}).out, StartsWith(table));
  // Those that other programs disturbed are measured again: on a busy machine, all.
  EXPECT_THAT(assay(search("2", {"--dry-run"})).out,
              HasSubstr(std::to_string(undisturbed_members()) + " of 8 cases stored"));
  const auto json = nlohmann::json::parse(assay({"results", "show", "--json"}).out);
  EXPECT_EQ(json.at("search").at("members").size(), 2U);
  EXPECT_GT(json.at("search").at("predicted").size(), 3U);
  EXPECT_THAT(assay({"results", "export", "--format", "md"}).out, HasSubstr("## Search"));
  std::vector<std::string> one = search("2");
  one[1] = "tiny-resnet";
  EXPECT_EQ(assay(one).status, 2);
}

TEST_F(PlacedCliTest, ASecondSearchMeasuresNothingAgainButThePlans) {
  const Result first = assay(search("2"));
  forget_disturbances();
  const Step alone = step("alone"), pairs = step("pairs"), plans = step("plans");
  if (all_measured({&alone, &pairs, &plans})) {
    EXPECT_EQ(first.status, 0) << first.err;
  }
  ASSERT_GT(alone.measured.size(), 0U) << first.err;
  EXPECT_THAT(assay(search("2", {"--dry-run"})).out,
              HasSubstr(std::to_string(alone.measured.size()) + " of 8 cases stored"));
  const Result second = assay(search("2"));
  EXPECT_THAT(second.err, AllOf(HasSubstr("not measured again: "), HasSubstr("of other campaigns")));
  // What failed the first time, of a pipeline that starved on a busy machine, is tried again.
  const Step alone_by_now = step("alone"), plans_by_now = step("plans");
  for (const std::string& key : alone.measured) EXPECT_EQ(alone_by_now.planned.count(key), 1U) << key;
  // A member that starved alone and is measured now asks for other pairs.
  if (all_measured({&alone, &pairs})) {
    EXPECT_EQ(step("pairs").planned, pairs.planned);
    EXPECT_GT(plans_by_now.planned.size(), 4U) << "which are measured again";
  }
  if (all_measured({&alone, &pairs, &plans_by_now})) {
    EXPECT_EQ(second.status, 0) << second.err;
  }
}

TEST_F(PlacedCliTest, AnEngineAskedForByNameThatIsNotHereIsStatusOne) {
  std::vector<std::string> arguments = search("1", {"--option", "onnxruntime.library=/nowhere/libonnxruntime.so"});
  arguments[3] = "null,onnxruntime";
  const Result r = assay(arguments);
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_THAT(r.out, AllOf(HasSubstr(" samples/s"), HasSubstr("It is loaded by"))) << "what is here was searched";
}

TEST_F(PlacedCliTest, InterruptedAndResumedItGoesOnToTheEnd) {
  std::vector<std::string> arguments = search("1");
  arguments[3] = "null";  // whatever the engine
  Program program(command(arguments), environment_);
  ASSERT_TRUE(an_outcome_is_stored());
  program.send(SIGINT);
  const Result stopped = program.wait();
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("assay bench --resume " + newest().id + " goes on"));
  const Result resumed = assay({"bench", "--resume"});
  EXPECT_THAT(resumed.err, AllOf(HasSubstr("members beside each other"), HasSubstr("interleaved")));
  EXPECT_THAT(resumed.out, AllOf(HasSubstr("predicted, the best first"), Not(HasSubstr("this would decide"))));
  // What was measured before is not measured again, however busy the machine is.
  const std::string alone = "each member alone:";
  EXPECT_EQ(resumed.err.find(alone), resumed.err.rfind(alone)) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("not measured again"));
  const Campaign last = newest();
  EXPECT_EQ(last.environment.at("placed.step"), "plans");
  EXPECT_EQ(last.environment.at("effort.window_ms"), "50");
  EXPECT_FALSE(last.finished.empty());
  EXPECT_THAT(last.command, HasSubstr("--strategy placed"));
  EXPECT_THAT(assay({"bench", "--resume"}).err, HasSubstr("every campaign here is finished"));
}

Campaign quick_campaign() {
  Campaign c;
  c.id = "0badcafe";
  c.effort = "quick";
  c.environment["effort.window_ms"] = "50";
  return c;
}

/// On two threads, without its placement.
Case placed_case(const char* model, const char* backend, std::int64_t batch) {
  Case plan;
  plan.model = model;
  plan.backend = backend;
  plan.batch_size = batch;
  plan.threads = 2;
  plan.strategy = kPlaced;
  return plan;
}

/// Plans as no search need find them: batch sizes that divide the ensemble's, that do not, and that are larger.
Campaign by_hand() {
  Campaign c = quick_campaign();
  Case plan = placed_case("tiny-resnet+tiny-densenet+tiny-vgg", "onnxruntime", 12);
  for (const char* strategy : {"sequential", "concurrent", "pipelined"}) {
    for (const std::vector<std::int64_t>& batches : std::vector<std::vector<std::int64_t>>{{8, 1, 0}, {5, 5, 7}}) {
      plan.placement = {strategy, {}};
      for (const std::int64_t batch : batches) plan.placement.seats.push_back({"onnxruntime", batch});
      c.plan.push_back(plan);
    }
  }
  // Threads of a member's own, where there are more than members.
  plan.threads = 5;
  plan.placement = {"concurrent", {{"onnxruntime", 0, 3}, {"onnxruntime", 0, 1}, {"onnxruntime", 5, 1}}};
  c.plan.push_back(plan);
  plan.threads = 2;
  // Members on several engines in one process, in whichever order they are opened: TensorFlow has an LLVM, too.
  plan.backend = "onnxruntime+openvino";
  plan.placement = {"pipelined", {{"onnxruntime", 0}, {"openvino", 5}, {"onnxruntime", 1}}};
  c.plan.push_back(plan);
  plan.backend = "mlir+openvino+tensorflow";
  plan.placement = {"pipelined", {{"mlir", 0}, {"tensorflow", 0}, {"openvino", 5}}};
  c.plan.push_back(plan);
  plan.backend = "mlir+onnxruntime+tensorflow";
  plan.placement = {"concurrent", {{"tensorflow", 5}, {"mlir", 5}, {"onnxruntime", 0}}};
  c.plan.push_back(plan);
  plan.backend = "mlir+onnxruntime+openvino";
  plan.placement = {"sequential", {{"openvino", 0}, {"onnxruntime", 0}, {"mlir", 1}}};
  c.plan.push_back(plan);
  return c;
}

/// Those of its cases that can run on this machine's engines.
std::vector<Case> cases_on(const std::set<std::string>& engines, const std::vector<Case>& plan) {
  std::vector<Case> cases;
  std::copy_if(plan.begin(), plan.end(), std::back_inserter(cases), [&](const Case& c) {
    const std::vector<std::string> wanted = members_of(c.backend);
    return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& e) { return engines.contains(e); });
  });
  return cases;
}

TEST_F(PlacedCliTest, MembersInBatchesOfTheirOwnAgreeWithTheReference) {
  std::set<std::string> engines;
  const auto listed = nlohmann::json::parse(assay({"backends", "--json"}).out);
  for (const auto& backend : listed.at("backends")) {
    if (backend.at("available") == true) engines.insert(backend.at("name").get<std::string>());
  }
  Campaign asked = by_hand();
  asked.plan = cases_on(engines, asked.plan);
  ASSERT_GE(asked.plan.size(), 7U) << "those on ONNX Runtime alone";
  const std::vector<Outcome> outcomes = measured_until_valid(asked);
  EXPECT_EQ(outcomes.size(), asked.plan.size());
  for (const Outcome& o : outcomes) {
    EXPECT_EQ(o.state, OutcomeState::kMeasured) << describe(o.test_case) << ": " << o.reason;
    const Metric* parity = measured_metric(o, "parity.error");
    EXPECT_TRUE(parity != nullptr) << describe(o.test_case);
    if (o.test_case.threads == 5) {
      EXPECT_EQ(o.in_force.at("tiny-resnet.threads"), "3");
    }
  }
}

/// The null backend's gpu:0 is a pretence, but a device of its own to all of Assay.
TEST_F(PlacedCliTest, SeveralDevicesAreOneSearch) {
  std::vector<std::string> arguments = search("2", {"--device", "cpu,gpu:0"});
  arguments[3] = "null";
  const Result r = assay(arguments);
  ASSERT_EQ(r.status, 0) << r.err;
  const std::string alone = "each member alone:";
  EXPECT_EQ(r.err.find(alone), r.err.rfind(alone)) << r.err;
  EXPECT_THAT(r.err, HasSubstr("tiny-resnet+tiny-densenet · cpu+gpu:0 · 2 threads"));
  const auto json = nlohmann::json::parse(assay({"results", "show", "--json"}).out);
  EXPECT_GT(json.at("search").at("predicted").size(), 3U);
  for (const auto& plan : json.at("search").at("predicted")) {
    EXPECT_EQ(plan.at("members").size(), 2U) << plan;
    for (const auto& seat : plan.at("members")) EXPECT_TRUE(seat.contains("device")) << plan;
  }
  arguments.back() = "cpu,gpu:7";
  const Result none = assay(arguments);
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("no engine that was asked for has 'gpu:7': null"));
}

TEST_F(PlacedCliTest, MembersOfAPlanComputeOnTheirOwnDevices) {
  Campaign asked = quick_campaign();
  Case plan = placed_case("tiny-resnet+tiny-densenet", "null", 4);
  plan.device = "cpu+gpu:0";
  for (const char* strategy : {"sequential", "concurrent", "pipelined"}) {
    plan.placement = {strategy, {{"null", 0, 0, "gpu:0"}, {"null", 2, 0, "cpu"}}};
    asked.plan.push_back(plan);
  }
  plan.device = "cpu+gpu:1";
  plan.placement.seats[0].device = "gpu:1";
  asked.plan.push_back(plan);
  const std::vector<Outcome> outcomes = measured_until_valid(asked);
  ASSERT_EQ(outcomes.size(), asked.plan.size());
  for (const Outcome& o : outcomes) {
    if (o.test_case.device == "cpu+gpu:1") {
      EXPECT_EQ(o.phase, "device");
      EXPECT_THAT(o.reason, HasSubstr("has no device 'gpu:1' here; it has cpu, gpu:0"));
      continue;
    }
    ASSERT_EQ(o.state, OutcomeState::kMeasured) << describe(o.test_case) << ": " << o.reason;
    EXPECT_EQ(o.in_force.at("tiny-resnet.device"), "gpu:0");
    EXPECT_EQ(o.in_force.at("tiny-densenet.device"), "cpu");
  }
}

}  // namespace
}  // namespace assay::integration
