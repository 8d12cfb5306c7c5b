// What bench, results and backends do when all is well, and what they keep when it is not.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "integration/cli_fixture.hpp"
#include "store/campaign_lock.hpp"
#include "store/database.hpp"

namespace assay::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(CliTest, BenchMeasuresStoresAndRecommends) {
  const Result r = assay(bench({"--batch-size", "1,2"}));
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.err, HasSubstr("4 cases, effort quick: about"));
  EXPECT_THAT(r.err, Not(HasSubstr("\r")));
  EXPECT_THAT(r.out, HasSubstr("throughput, 1/s"));
  EXPECT_THAT(r.out, HasSubstr("tiny-mlp:"));
  EXPECT_THAT(r.out, HasSubstr("in " + db_.string()));
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 4U);
  EXPECT_FALSE(c.finished.empty());
  for (const Outcome& o : c.outcomes) {
    EXPECT_EQ(o.state, OutcomeState::kMeasured) << o.reason;
    EXPECT_EQ(o.test_case.backend, "null");
    for (const char* tag : {"latency.p50", "load.cold", "load.cached", "first", "start", "memory.peak"}) {
      const Metric* m = find_metric(o, tag);
      ASSERT_NE(m, nullptr) << tag;
      EXPECT_TRUE(m->value.has_value()) << tag << ": " << m->remark;
    }
  }
}

TEST_F(CliTest, TheNullBackendTakesTheModelsOwnTensors) {
  const Result r = assay({"bench", "tiny-resnet", "tiny-multi", "tiny-no-batch", "tiny-dynamic-output", "--backend",
                          "null", "--batch-size", "model", "--for", "latency", "--duration", "50ms"});
  EXPECT_EQ(r.status, 0) << r.err;
  for (const Outcome& o : newest().outcomes) EXPECT_EQ(o.state, OutcomeState::kMeasured) << o.reason;
  EXPECT_EQ(newest().outcomes.size(), 4U);
}

TEST_F(CliTest, JsonIsTheOnlyThingOnStandardOutput) {
  const Result r = assay(bench({"--for", "latency", "--json"}));
  ASSERT_EQ(r.status, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["schema"], 1);
  EXPECT_EQ(j["outcomes"][0]["state"], "measured");
  EXPECT_EQ(j["outcomes"][0]["case"]["for"], "latency");
  EXPECT_TRUE(j.contains("recommendation"));
  EXPECT_EQ(nlohmann::json::parse(assay({"results", "show", "--json"}).out), j);
}

TEST_F(CliTest, AnEngineThatSaysItsVariantIsNamedSoWhereverItsResultsAre) {
  const Result r = assay(bench({"--for", "latency", "--option", "null.reads_back=variant=quick"}));
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("\nnull (quick)"));
  EXPECT_THAT(r.out, HasSubstr("tiny-mlp: null (quick) at batch 1"));
  EXPECT_THAT(r.err, HasSubstr("null (quick) · latency"));
  EXPECT_THAT(assay({"results", "show"}).out, HasSubstr("\nnull (quick)"));
  EXPECT_THAT(assay({"results", "export", "--format", "md"}).out,
              HasSubstr("| tiny-mlp | null (quick) with compute_ms=20, "));
  EXPECT_THAT(assay({"results", "export", "--format", "csv"}).out, HasSubstr(",quick,,,\r\n"));
  const auto outcome = nlohmann::json::parse(assay({"results", "show", "--json"}).out)["outcomes"][0];
  EXPECT_EQ(outcome["case"]["backend"], "null");
  EXPECT_EQ(outcome["in_force"]["variant"], "quick");
}

TEST_F(CliTest, CasesAreToldApartByAListsElementsAndNotByItsSpelling) {
  const Result r = assay(bench({"--for", "latency", "--option", "untold= compute,copy_in", "--dry-run", "--json"}));
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(nlohmann::json::parse(r.out)["cases"][0]["case"]["options"]["untold"], "copy_in,compute");
}

TEST_F(CliTest, ResumingWithoutAResultsFileMakesNone) {
  const Result r = assay({"bench", "--resume"});
  EXPECT_EQ(r.status, 2);
  EXPECT_THAT(r.err, HasSubstr("no results file here yet"));
  EXPECT_FALSE(std::filesystem::exists(db_));
}

TEST_F(CliTest, ResultsTravelInABundle) {
  ASSERT_EQ(assay(bench({"--for", "throughput"})).status, 0);
  const std::string id = newest().id;
  EXPECT_THAT(assay({"results", "list"}).out, HasSubstr(id));
  EXPECT_THAT(assay({"results", "export", id.substr(0, 4), "--format", "csv"}).out, HasSubstr("throughput,1/s,"));
  EXPECT_THAT(assay({"results", "export", "--format", "md"}).out, HasSubstr("| tiny-mlp | null with compute_ms=20, "));
  ASSERT_EQ(assay({"results", "export", id, "--format", "bundle", "-o", file("b.json")}).status, 0);
  const Result imported = assay({"results", "import", file("b.json"), "--db", file("other.db")});
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(assay({"results", "show", id, "--db", file("other.db")}).out, assay({"results", "show", id}).out);
  EXPECT_THAT(assay({"results", "import", file("b.json")}).out, HasSubstr("was there already"));
}

TEST_F(CliTest, ADryRunSaysWhatAndHowLongAndStoresNothing) {
  const Result r = assay(bench({"--batch-size", "1..8", "--dry-run"}));
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("tiny-mlp · null · throughput · batch 1,2,4,8: about"));
  EXPECT_THAT(r.out, HasSubstr("8 cases, 0 of them skipped"));
  EXPECT_FALSE(std::filesystem::exists(db_));
}

TEST_F(CliTest, ThePapersStudyIsPlannedFromTheRealNetworks) {
  const Result r = assay({"bench", "--plan", "paper", "--backend", "null", "--memory-limit", "20GiB", "--dry-run"});
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("88 cases, 2 of them skipped"));
  // VGG19's largest step keeps two tensors of 64 x 224 x 224 floats a sample: 24.5 GiB at batch 1024.
  EXPECT_THAT(r.out, HasSubstr("vgg19 · null · throughput · batch 1024: skipped: it takes at least 25."));
  EXPECT_THAT(r.out, HasSubstr("batch 1,2,4,8,16,32,64,128,256,512,1024: about"));
}

TEST_F(CliTest, BackendsShowsWhatIsThere) {
  const Result r = assay({"backends", "-v"});
  EXPECT_EQ(r.status, 0);
  EXPECT_THAT(r.out, HasSubstr("null"));
  EXPECT_THAT(r.out, HasSubstr("compute_ms = "));
  const auto j = nlohmann::json::parse(assay({"backends", "--json"}).out);
  EXPECT_TRUE(std::any_of(j["backends"].begin(), j["backends"].end(),
                          [](const auto& b) { return b["name"] == "null" && b["available"] == true; }));
}

TEST_F(CliTest, AWorkerThatDiesIsAFailedRowAndTheRestGoesOn) {
  const Result r = assay(bench({"--for", "latency", "--batch-size", "1,2", "--option", "null.crash_at=run:3"}));
  EXPECT_EQ(r.status, 1);
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 2U);
  for (const Outcome& o : c.outcomes) {
    EXPECT_EQ(o.state, OutcomeState::kFailed);
    EXPECT_THAT(o.reason, HasSubstr("SIGSEGV"));
  }
  EXPECT_FALSE(c.finished.empty());
}

TEST_F(CliTest, ADeviceThatIsLostIsAFailedRowAndTheRestGoesOn) {
  // The eighth batch of a session is in the window; cases of the CPU do not lose theirs.
  const Result r = assay(bench({"--device", "gpu:0,cpu", "--for", "latency", "--option", "null.fail_as=device_lost",
                                "--option", "null.fail_at=copy:8"}));
  EXPECT_EQ(r.status, 1);
  const Campaign c = newest();
  ASSERT_EQ(c.outcomes.size(), 2U);
  for (const Outcome& o : c.outcomes) {
    const bool lost = o.test_case.device == "gpu:0";
    EXPECT_EQ(o.state, lost ? OutcomeState::kFailed : OutcomeState::kMeasured) << o.reason;
    if (lost) {
      EXPECT_THAT(o.reason, HasSubstr("copy"));
    }
  }
}

TEST_F(CliTest, ADeviceThatThereIsNotIsSkippedWithThoseThereAre) {
  const Result r = assay(bench({"--device", "gpu:7", "--for", "latency"}));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(newest().outcomes.at(0).reason, HasSubstr("has no device 'gpu:7' here; it has cpu, gpu:0"));
}

TEST_F(CliTest, AWorkerThatHangsIsEnded) {
  const Result r = assay(bench({"--for", "latency", "--option", "hang_at=run:3", "--timeout", "2s"}));
  EXPECT_EQ(r.status, 1);
  ASSERT_EQ(newest().outcomes.size(), 1U);
  EXPECT_EQ(newest().outcomes[0].state, OutcomeState::kFailed);
  EXPECT_EQ(processes_with("ASSAY_TEST_MARK=" + folder_.path().filename().string()), 0);
}

TEST_F(CliTest, ABackendAskedForByNameThatIsMissingIsOne) {
  environment_["ASSAY_NULL_UNAVAILABLE"] = "its library is on holiday";
  const Result r = assay(bench({"--for", "latency"}));
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_THAT(newest().outcomes[0].reason, HasSubstr("on holiday"));
  EXPECT_EQ(newest().outcomes[0].state, OutcomeState::kSkipped);
}

TEST_F(CliTest, TwoCampaignsOnOneResultsFileBothComplete) {
  Program one(command(bench({"--for", "latency"})), environment_);
  Program two(command(bench({"--for", "throughput"})), environment_);
  const Result a = one.wait();
  const Result b = two.wait();
  EXPECT_EQ(a.status, 0) << a.err;
  EXPECT_EQ(b.status, 0) << b.err;
  const auto campaigns = store::Store(db_, store::Store::Access::kRead).list();
  ASSERT_EQ(campaigns.size(), 2U);
  for (const auto& c : campaigns) {
    EXPECT_EQ(c.measured, 1);
    EXPECT_FALSE(c.finished.empty());
  }
}

TEST_F(CliTest, InterruptedItKeepsWhatIsFinishedAndResumesTheRest) {
  Program program(command(bench({"--batch-size", "1,2,4,8"})), environment_);
  ASSERT_TRUE(an_outcome_is_stored());
  program.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  program.send(SIGINT);  // make and timeout pass on what the terminal sends to all
  const Result r = program.wait();
  EXPECT_EQ(r.status, 130) << r.err;
  EXPECT_THAT(r.err, HasSubstr("--resume"));
  EXPECT_EQ(processes_with("ASSAY_TEST_MARK=" + folder_.path().filename().string()), 0);
  const Campaign stopped = newest();
  ASSERT_GE(stopped.outcomes.size(), 1U);
  ASSERT_LT(stopped.outcomes.size(), 8U);
  EXPECT_TRUE(stopped.finished.empty());

  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--effort", "standard"}, {"--batch-size", "1"}, {"--duration", "1s"}}) {
    std::vector<std::string> arguments = {"bench", "--resume"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result refused = assay(arguments);
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr("goes on with the stored plan"));
  }
  const Result dry = assay({"bench", "--resume", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr(std::to_string(8 - stopped.outcomes.size()) + " cases, 0 of them skipped"));
  {
    const store::CampaignLock running(db_, stopped.id);
    const Result second = assay({"bench", "--resume"});
    EXPECT_EQ(second.status, 2);
    EXPECT_THAT(second.err, HasSubstr("is being run by another process"));
  }
  EXPECT_EQ(newest().outcomes.size(), stopped.outcomes.size());
  ASSERT_EQ(assay({"results", "export", "--format", "bundle", "-o", file("b.json")}).status, 0);
  const Result elsewhere = assay({"bench", "--resume", file("b.json"), "--db", file("other.db")});
  EXPECT_EQ(elsewhere.status, 0) << elsewhere.err;
  EXPECT_EQ(store::Store(file("other.db"), store::Store::Access::kRead).load("").outcomes.size(), 8U);

  const Result resumed = assay({"bench", "--resume", stopped.id.substr(0, 6)});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  const Campaign whole = newest();
  EXPECT_EQ(whole.id, stopped.id);
  EXPECT_EQ(whole.outcomes.size(), 8U);
  EXPECT_FALSE(whole.finished.empty());
  EXPECT_EQ(assay({"bench", "--resume"}).status, 2);
}

TEST_F(CliTest, APlanHoldsForAnotherFolder) {
  ASSERT_EQ(assay({"models", "make", "tiny-mlp", "--dir", folder_.path().string()}).status, 0);
  const std::filesystem::path relative = std::filesystem::relative(folder_.path() / "tiny-mlp.onnx");
  std::vector<std::string> arguments = bench({"--for", "latency", "--timeout", "50s", "--memory-limit", "4GiB"});
  arguments[1] = relative.string();
  const Result r = assay(arguments);
  ASSERT_EQ(r.status, 0) << r.err;
  const Campaign c = newest();
  EXPECT_EQ(c.plan.at(0).model, (folder_.path() / "tiny-mlp.onnx").string());
  EXPECT_EQ(c.environment.at("asked.timeout"), "50s");
  EXPECT_EQ(c.environment.at("asked.memory_limit"), "4GiB");
  EXPECT_EQ(c.environment.at("asked.backend"), "null");
}

TEST_F(CliTest, AResultThatCannotBeMarkedFinishedIsPrintedAllTheSame) {
  {
    store::Store made(db_);
  }
  store::Database(db_, store::Database::Access::kWrite)
      .execute("CREATE TRIGGER full BEFORE UPDATE ON campaign BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  const Result r = assay(bench({"--for", "latency"}));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.out, HasSubstr("latency p50, ms"));
  EXPECT_THAT(r.err, HasSubstr("the disk is full"));
  EXPECT_THAT(r.err, HasSubstr("was not stored to its end"));
}

// No file may grow beyond a limit, as on a disk that is full: the first cases fit.
TEST_F(CliTest, AFullDiskEndsTheCampaignAndLosesNoFigures) {
  std::vector<std::string> arguments = command(bench({"--for", "latency", "--batch-size", "1,2,3,4"}));
  std::vector<std::string> limited = {"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 700; exec \"$@\"", "sh"};
  limited.insert(limited.end(), arguments.begin(), arguments.end());
  const Result full = Program(limited, environment_).wait();
  EXPECT_EQ(full.status, 1) << full.err;
  EXPECT_THAT(full.out, HasSubstr("warning (not-recorded)"));
  EXPECT_THAT(std::regex_replace(full.out, std::regex("\\s+"), " "), HasSubstr("of 4 cases are stored"));
  const std::size_t stored = newest().outcomes.size();
  EXPECT_LT(stored, 4U);
  EXPECT_EQ(newest().finished, "");
  const Result rest = assay({"bench", "--resume"});
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_EQ(newest().outcomes.size(), 4U);
  for (const Outcome& o : newest().outcomes) EXPECT_EQ(o.state, OutcomeState::kMeasured);
}

TEST_F(CliTest, WhereNothingWasMeasuredTheStatusSaysSo) {
  // bf16 is something that an engine may lack: skipped, but it was all that was asked for.
  const Result r = assay(bench({"--for", "latency", "--precision", "bf16"}));
  EXPECT_EQ(newest().outcomes.at(0).state, OutcomeState::kSkipped) << newest().outcomes.at(0).reason;
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.err, HasSubstr("nothing was measured"));
}

TEST_F(CliTest, ABrokenPluginTakesNothingElseDown) {
  std::filesystem::create_directories(folder_.path() / "plugins");
  std::ofstream(folder_.path() / "plugins/libassay_backend_broken.so") << "no library";
  environment_["ASSAY_BACKEND_PATH"] = (folder_.path() / "plugins").string();
  const Result all = assay({"bench", "tiny-mlp", "--backend", "all,null", "--dry-run"});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr("broken"));
  EXPECT_EQ(assay({"bench", "tiny-mlp", "--backend", "broken", "--dry-run"}).status, 1);
}

TEST_F(CliTest, APlanOfSeveralSweepsIsOneCampaign) {
  write_file_atomically(file("plan.json"), R"([{"model": "tiny-mlp", "for": "latency", "batch-size": [1, 2]},
                                               {"model": "tiny-resnet", "for": "throughput"},
                                               {"model": "tiny-mlp", "for": "latency"}])");
  const Result r = assay({"bench", "--plan", file("plan.json"), "--backend", "null", "--duration", "50ms"});
  EXPECT_EQ(r.status, 0) << r.err;
  std::multiset<std::string> found;
  for (const Case& c : newest().plan) {
    found.insert(
        fmt::format("{} {} {}", std::filesystem::path(c.model).stem().string(), to_string(c.goal), c.batch_size));
  }
  EXPECT_THAT(found, testing::ElementsAre("tiny-mlp latency 1", "tiny-mlp latency 2", "tiny-resnet throughput 1"));
}

TEST_F(CliTest, ASeedInAPlanFileIsThatOfTheOrder) {
  write_file_atomically(file("plan.json"), R"({"model": "tiny-mlp", "backend": "null", "for": "latency", "seed": 4711,
    "option": ["null.io=input:float32:-1x8->probabilities:float32:-1x4"]})");
  const Result r = assay({"bench", "--plan", file("plan.json"), "--duration", "50ms"});
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(newest().seed, 4711U);
}

TEST_F(CliTest, CacheClearCountsReferenceAnswers) {
  std::filesystem::create_directories(folder_.path() / "cache/references");
  write_file_atomically(folder_.path() / "cache/references/0123.reference", std::string(2 << 20, 'x'));
  EXPECT_THAT(assay({"cache", "list"}).out, HasSubstr("1 reference answers, 2.0 MiB"));
  EXPECT_THAT(assay({"cache", "clear"}).out, HasSubstr("1 reference answers removed, 2.0 MiB freed"));
  EXPECT_THAT(assay({"cache", "list"}).out, Not(HasSubstr("reference")));
}

TEST_F(CliTest, CacheListsAndClearsTheCostsThatConcurrentKeeps) {
  const std::filesystem::path costs = folder_.path() / "other" / "costs";
  const std::string other = (folder_.path() / "other").string();
  std::filesystem::create_directories(costs);
  write_file_atomically(costs / "0123.costs", std::string("{}"));
  write_file_atomically(costs / "0123.costs.mine", std::string("no file of Assay's"));
  EXPECT_THAT(assay({"cache", "list", "--cache", other}).out, HasSubstr("1 ensembles' measured costs"));
  EXPECT_THAT(assay({"cache", "clear", "--cache", other}).out, HasSubstr("1 ensembles' measured costs removed"));
  EXPECT_THAT(assay({"cache", "list", "--cache", other}).out, Not(HasSubstr("costs")));
  EXPECT_TRUE(std::filesystem::exists(costs / "0123.costs.mine"));
}

TEST_F(CliTest, AFolderThatIsNoCacheIsSaidToBeNone) {
  std::filesystem::create_directories(folder_.path() / "photos/2026");
  std::filesystem::create_directories(folder_.path() / "empty");
  write_file_atomically(folder_.path() / "file", std::string("x"));
  for (const char* command : {"list", "verify", "clear"}) {
    EXPECT_THAT(assay({"cache", command, "--cache", file("photos")}).err, HasSubstr("this is no cache of Assay"));
    EXPECT_EQ(assay({"cache", command, "--cache", file("file")}).status, 2);
    EXPECT_THAT(assay({"cache", command, "--cache", file("nowhere")}).err, HasSubstr("there is no such folder"));
    EXPECT_EQ(assay({"cache", command, "--cache", file("empty")}).status, 0);
    EXPECT_EQ(assay({"cache", command}).status, 0);  // the user's, not yet there
  }
}

}  // namespace
}  // namespace assay::integration
