// Two campaigns, or eight, on one results file at once, as processes.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "base/file.hpp"
#include "store/store.hpp"

namespace assay::store {
namespace {

constexpr int kProcesses = 8;
constexpr int kOutcomes = 25;

/// One campaign as a process of its own lives it. Answers its exit status.
int live(const std::filesystem::path& file, const std::string& id) {
  try {
    Store store(file);
    Campaign campaign;
    campaign.id = id;
    campaign.plan.resize(kOutcomes);
    store.begin(campaign);
    for (int i = 0; i < kOutcomes; ++i) {
      Outcome outcome;
      outcome.test_case.batch_size = i + 1;
      outcome.state = OutcomeState::kMeasured;
      outcome.metrics = {{"throughput", "1/s", i, std::nullopt, std::nullopt, 1, ""}};
      outcome.samples = {{0, true, "", {{"latency", std::vector<double>(1000, i)}}}};
      store.add(id, outcome);
      store.add_warning(id, {"kind", "message", "advice"});
    }
    store.finish(id, "then");
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

TEST(StoreConcurrency, CampaignsOnOneNewFileAtOnceAllComplete) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.db";
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) _exit(live(file, "campaign" + std::to_string(i)));
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const Store store(file, Store::Access::kRead);
  const auto campaigns = store.list();
  ASSERT_EQ(campaigns.size(), static_cast<std::size_t>(kProcesses));
  for (const CampaignSummary& c : campaigns) {
    EXPECT_EQ(c.measured, kOutcomes);
    EXPECT_EQ(c.finished, "then");
    const Campaign whole = store.load(c.id);
    EXPECT_EQ(whole.warnings.size(), static_cast<std::size_t>(kOutcomes));
    EXPECT_EQ(whole.outcomes.back().samples[0].values.at("latency"), std::vector<double>(1000, kOutcomes - 1));
  }
}

}  // namespace
}  // namespace assay::store
