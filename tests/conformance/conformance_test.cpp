// One suite for every plugin that is there. What a backend cannot do is a line "check: reason" of its conformance.txt;
// a check that passes though it is listed fails the suite, so that the list stays true.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "conformance/backends.hpp"
#include "conformance/checks.hpp"
#include "support/required.hpp"

namespace assay::conformance {
namespace {

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto group :
       {contract_checks(), model_checks(), batch_checks(), parallel_checks(), cache_checks(), predict_checks()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

// Of backends/<name>/conformance.txt: check → reason. '#' begins a comment.
std::map<std::string, std::string> known_limits(const std::string& backend) {
  std::map<std::string, std::string> limits;
  std::ifstream in(std::string(ASSAY_SOURCE_DIR) + "/backends/" + backend + "/conformance.txt");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.empty() && line[0] != '#' && colon != std::string::npos)
      limits[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return limits;
}

struct Case {
  std::string backend;
  Check check;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const std::string& backend : backends_to_test()) {
    for (const Check& check : all_checks()) cases.push_back({backend, check});
  }
  return cases;
}

void PrintTo(const Case& c, std::ostream* out) { *out << c.backend << " " << c.check.name; }  // NOLINT: gtest's name

std::string name_of(const testing::TestParamInfo<Case>& c) { return c.param.backend + "_" + c.param.check.name; }

class Conformance : public testing::TestWithParam<Case> {};

TEST_P(Conformance, Holds) {
  const auto& [name, check] = GetParam();
  const backend::Probe probe = backend::load_backend(name).probe();
  ASSERT_TRUE(probe.available || !test::is_required(name)) << name << " is not available: " << probe.reason;
  if (!probe.available) GTEST_SKIP() << name << " is not available: " << probe.reason;
  const auto limits = known_limits(name);
  const auto limit = limits.find(check.name);
  std::string fault;
  try {
    const Subject subject(name);
    check.run(subject);
  } catch (const std::exception& e) {
    fault = e.what();
  }
  if (limit == limits.end()) {
    EXPECT_TRUE(fault.empty()) << fault;
  } else if (fault.empty()) {
    FAIL() << "passes, though conformance.txt says: " << limit->second << ". Take the line out.";
  } else {
    GTEST_SKIP() << "known: " << limit->second << " (" << fault << ")";
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Conformance, testing::ValuesIn(all_cases()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

TEST(ConformanceLists, NameChecksThatThereAre) {
  std::set<std::string> names;
  for (const Check& check : all_checks())
    EXPECT_TRUE(names.insert(check.name).second) << check.name << " is there twice";
  for (const std::string& backend : backends_to_test()) {
    for (const auto& [check, reason] : known_limits(backend)) {
      EXPECT_TRUE(names.contains(check)) << backend << "'s conformance.txt names no check: " << check;
      EXPECT_FALSE(reason.empty()) << backend << ": " << check << " has no reason";
    }
  }
}

}  // namespace
}  // namespace assay::conformance
