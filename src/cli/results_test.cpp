#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/file.hpp"
#include "cli/cli.hpp"
#include "report/format.hpp"
#include "store/store.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class ResultsTest : public testing::Test {
 protected:
  ResultsTest() {
    Campaign campaign;
    campaign.id = "0badcafe";
    campaign.command = command_;
    campaign.effort = "quick";
    store::Store(db_).begin(campaign);
  }
  /// What is printed on a terminal of so many columns; 0: into a file.
  std::string printed(std::vector<std::string> arguments, std::size_t columns) {
    std::ostringstream out, err;
    Context context;
    context.out = &out;
    context.err = &err;
    context.columns = columns;
    arguments.insert(arguments.end(), {"--db", db_.string()});
    EXPECT_EQ(run(arguments, context), kOk) << err.str();
    return out.str();
  }

  TemporaryFolder folder_;
  std::filesystem::path db_ = folder_.path() / "results.db";
  std::string command_ = "assay bench m.onnx --option x.key=" + std::string(60, 'v') + " --batch-size 1,8,32";
};

TEST_F(ResultsTest, TheListCutsACommandOnlyWhereItDoesNotFitTheTerminal) {
  const std::size_t whole = command_.size() + 2;  // it is indented
  for (const std::size_t columns : {std::size_t{0}, whole, whole + 1}) {
    EXPECT_THAT(printed({"results", "list"}, columns), EndsWith("\n  " + command_ + "\n")) << columns;
  }
  for (const std::size_t columns : {std::size_t{1}, std::size_t{2}, std::size_t{80}, whole - 1}) {
    const std::string text = printed({"results", "list"}, columns);
    EXPECT_THAT(text, AllOf(Not(HasSubstr(command_)), HasSubstr("…\n"), HasSubstr("assay results show ID"))) << columns;
  }
  std::istringstream lines(printed({"results", "list"}, 80));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(report::width(line), 80U) << line;
}

TEST_F(ResultsTest, TheListSaysWhichPartOfASearchACampaignIs) {
  EXPECT_THAT(printed({"results", "list"}, 0), Not(HasSubstr("search")));
  Campaign campaign;
  campaign.id = "1badcafe";
  campaign.environment["placed.step"] = "pairs";
  store::Store(db_).begin(campaign);
  campaign.id = "2badcafe";
  campaign.environment["placed.step"] = "alone";
  store::Store(db_).begin(campaign);
  EXPECT_THAT(printed({"results", "list"}, 0), HasSubstr("not finished, a search's members\n"));
  EXPECT_THAT(printed({"results", "list"}, 0), HasSubstr("0 of 0 measured, not finished, a search's pairs\n"));
  EXPECT_THAT(printed({"results", "list", "--json"}, 0), HasSubstr("\"placed_step\": \"pairs\""));
}

TEST_F(ResultsTest, ShowHasTheCommandWhole) {
  EXPECT_THAT(printed({"results", "show", "0bad"}, 80), EndsWith("\nCampaign 0badcafe: " + command_ + "\n"));
}

}  // namespace
}  // namespace assay::cli
