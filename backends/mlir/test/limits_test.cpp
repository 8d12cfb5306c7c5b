// What the backend's page says that is not compiled.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

using Names = std::set<std::string>;

std::string contents(const std::string& file) {
  std::ifstream in(ASSAY_SOURCE_DIR "/backends/" + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The first group of each match.
Names matches(const std::string& text, const std::regex& pattern) {
  Names names;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), none; at != none; ++at) names.insert((*at)[1]);
  return names;
}

TEST(Limits, ThePageListsWhatTensorFlowsTableHasAndOursHaveNot) {
  const std::string page = contents("mlir/README.md");
  const std::string opens = "<!-- not compiled -->", closes = "<!-- end of not compiled -->";
  const std::size_t begin = page.find(opens), end = page.find(closes);
  ASSERT_LT(begin, end);
  ASSERT_NE(end, std::string::npos);
  const std::string list = page.substr(begin + opens.size(), end - begin - opens.size());
  Names said;  // a line is "- names, by commas: why"
  for (const std::string& line : matches(list, std::regex("- ([A-Za-z0-9, ]+):"))) {
    said.merge(matches(line, std::regex("([A-Za-z0-9]+)")));
  }
  Names missing = matches(contents("tensorflow/operators/table.cpp"), std::regex(R"re(\{"", "([A-Za-z0-9]+)", )re"));
  EXPECT_GT(missing.size(), 100U);
  for (const std::string& name : operator_names()) missing.erase(name);
  EXPECT_EQ(said, missing);
}

}  // namespace
}  // namespace assay::compiler
