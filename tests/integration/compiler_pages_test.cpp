// What the pages about the compiler quote of its stages is what the program prints: else they would be true once.
#include <fmt/format.h>

#include <regex>
#include <set>
#include <sstream>

#include "integration/cli_fixture.hpp"

namespace assay::integration {
namespace {

struct Quote {
  std::filesystem::path page;
  std::string file;  ///< of the option dump, or profile.json
  std::vector<std::string> lines;
};

/// What is fenced as ```LANGUAGE FILE.
std::vector<Quote> quotes_of(const std::filesystem::path& page) {
  std::vector<Quote> quotes;
  std::istringstream text(read_file(page));
  static const std::regex opens("```[a-z]+ ([^ ]+)");
  bool within = false;
  for (std::string line; std::getline(text, line);) {
    std::smatch m;
    if (line == "```") {
      within = false;
    } else if (std::regex_match(line, m, opens)) {
      quotes.push_back({page, m[1], {}});
      within = true;
    } else if (within) {
      quotes.back().lines.push_back(line);
    }
  }
  return quotes;
}

std::vector<Quote> quotes() {
  const std::filesystem::path docs = ASSAY_SOURCE_DIR "/docs";
  std::vector<Quote> all;
  for (const auto& folder : {docs, docs / "mlir"}) {
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".md") continue;
      for (Quote& q : quotes_of(entry.path())) all.push_back(std::move(q));
    }
  }
  return all;
}

/// A quoted line as a pattern: "..." is anything, and what is only numbered (values, registers, kernels, buffers,
/// labels) is any such thing; any blanks are any blanks.
std::regex pattern_of(const std::string& line) {
  static const std::regex part(
      R"((\.\.\.)|(%[a-z]*[0-9]+|%r[a-z0-9]+|\^bb[0-9]+|![0-9]+|\.LBB[0-9_]+|\b[kwb][0-9]+\b)|(\s+)|([^\w\s]))");
  std::string result;
  auto rest = line.cbegin();
  for (std::sregex_iterator at(line.begin(), line.end(), part), end; at != end; ++at) {
    result.append(rest, (*at)[0].first);
    const bool anything = (*at)[1].matched, numbered = (*at)[2].matched, blanks = (*at)[3].matched;
    result += anything ? ".*" : numbered ? R"([%!^.]?\w+)" : blanks ? R"(\s+)" : "\\" + at->str();
    rest = (*at)[0].second;
  }
  return std::regex(result.append(rest, line.cend()));
}

using Group = std::vector<std::regex>;

/// Lines that are one directly behind the other: what is between "...", without blanks around them and comments, which
/// are the page's.
std::vector<Group> groups_of(const Quote& quote) {
  static const std::regex outside(R"(^\s+|\s*//.*$|\s+$)");
  std::vector<Group> groups(1);
  for (const std::string& quoted : quote.lines) {
    const std::string line = std::regex_replace(quoted, outside, "");
    if (line == "...") {
      groups.emplace_back();
    } else if (!line.empty()) {
      groups.back().push_back(pattern_of(line));
    }
  }
  std::erase_if(groups, [](const Group& g) { return g.empty(); });
  return groups;
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool is_at(const Group& group, const std::vector<std::string>& lines, std::size_t at) {
  if (at + group.size() > lines.size()) return false;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!std::regex_search(lines[at + i], group[i])) return false;
  }
  return true;
}

/// How many of the groups are there, one behind the other.
std::size_t found(const std::vector<Group>& groups, const std::vector<std::string>& lines) {
  std::size_t n = 0, at = 0;
  while (n < groups.size() && at < lines.size()) {
    const bool here = is_at(groups[n], lines, at);
    at += here ? groups[n].size() : 1;
    n += here ? 1 : 0;
  }
  return n;
}

TEST(Pages, AQuoteThatIsNotPrintedIsFoundOut) {
  const std::vector<std::string> lines = {"%7 = a(%1)", "  %8 = b(%7)  // 2 preds", "%9 = c(%8)", "\tadd\t$4, %rdx"};
  const auto quoted = [&](std::vector<std::string> quote) {
    const std::vector<Group> groups = groups_of({"", "", std::move(quote)});
    return found(groups, lines) == groups.size();
  };
  EXPECT_TRUE(quoted({"%1 = a(%2)", "%3 = b(%4)  // the page's", "...", "add $4, %r11"}));
  EXPECT_TRUE(quoted({"... b(...)"}));
  EXPECT_FALSE(quoted({"%1 = a(%2)", "%3 = c(%4)"}));         // not the next line
  EXPECT_FALSE(quoted({"%3 = c(%4)", "...", "%1 = a(%2)"}));  // not behind it
  EXPECT_FALSE(quoted({"add $5, %rdx"}));
  EXPECT_FALSE(quoted({"%1 = a.%2)"}));
}

TEST_F(CliTest, ThePagesQuoteWhatTheCompilerPrints) {
  for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "VIRTUAL_ENV"}) {
    if (const char* value = std::getenv(name)) environment_[name] = value;
  }
  const std::filesystem::path stages = file("stages");
  std::filesystem::create_directory(stages);
  const Result r = assay({"bench",
                          "tiny-resnet",
                          "--backend",
                          "mlir",
                          "--batch-size",
                          "1",
                          "--threads",
                          "1",
                          "--for",
                          "latency",
                          "--cache",
                          "off",
                          "--duration",
                          "50ms",
                          "--profile",
                          "--option",
                          "mlir.math=strict",
                          "--option",
                          "mlir.target=avx512",
                          "--option",
                          fmt::format("mlir.dump={}", stages.string())});
  if (r.out.find("which this CPU") != std::string::npos) GTEST_SKIP() << r.out;
  ASSERT_EQ(r.status, 0) << r.err << r.out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(file("results-profiles"))) {
    if (entry.is_regular_file()) std::filesystem::copy_file(entry.path(), stages / "profile.json");
  }
  std::set<std::string> quoted;
  for (const Quote& q : quotes()) {
    quoted.insert(q.file);
    ASSERT_TRUE(std::filesystem::exists(stages / q.file)) << q.page << " quotes " << q.file;
    const std::vector<Group> groups = groups_of(q);
    EXPECT_FALSE(groups.empty()) << q.page;
    EXPECT_EQ(found(groups, lines_of(stages / q.file)), groups.size())
        << q.page << " quotes " << q.file << " as it is no more: the part, of those between \"...\", after so many";
  }
  for (const auto& stage : std::filesystem::directory_iterator(stages)) {
    EXPECT_TRUE(quoted.contains(stage.path().filename().string())) << "of no page: " << stage.path().filename();
  }
}

}  // namespace
}  // namespace assay::integration
