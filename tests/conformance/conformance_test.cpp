// One suite for every plugin that is there, on each of its devices. What a backend cannot do is a line "check: reason"
// of its conformance.txt (limit_lines.hpp); a check that passes though it is listed fails the suite, so that the list
// stays true.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "conformance/backends.hpp"
#include "conformance/checks.hpp"
#include "conformance/device_here.hpp"
#include "conformance/limit_lines.hpp"
#include "support/required.hpp"

namespace assay::conformance {
namespace {

constexpr const char* kCpu = "cpu";

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto group :
       {contract_checks(), model_checks(), batch_checks(), parallel_checks(), cache_checks(), predict_checks()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

// Of backends/<name>/conformance.txt: check → reason.
std::map<std::string, std::string> known_limits(const Tested& tested) {
  std::map<std::string, std::string> limits;
  std::ifstream in(std::string(ASSAY_SOURCE_DIR) + "/backends/" + tested.backend + "/conformance.txt");
  for (const LimitLine& line : limit_lines(in, tested.device)) limits[line.name] = line.reason;
  return limits;
}

struct Case {
  Tested tested;
  Check check;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Tested& tested : backends_to_test()) {
    for (const Check& check : all_checks()) cases.push_back({tested, check});
  }
  return cases;
}

void PrintTo(const Case& c, std::ostream* out) {  // NOLINT: gtest's name
  *out << c.tested.backend << " on " << c.tested.device << ": " << c.check.name;
}

/// "null_a_batch_…", "null_gpu0_a_batch_…": letters, digits and underscores are all that gtest takes.
std::string name_of(const testing::TestParamInfo<Case>& c) {
  const Tested& tested = c.param.tested;
  std::string device = tested.device == kCpu ? "" : "_" + tested.device;
  std::erase(device, ':');
  return tested.backend + device + "_" + c.param.check.name;
}

class Conformance : public testing::TestWithParam<Case> {};

TEST_P(Conformance, Holds) {
  const auto& [tested, check] = GetParam();
  const std::string missing =
      why_not_here(tested.backend, backend::load_backend(tested.backend).probe(), tested.device);
  // A framework may be left out; a device other than the CPU is tested only where it was asked for.
  const bool required = tested.device != kCpu || test::is_required(tested.backend);
  if (!missing.empty() && required) FAIL() << missing;
  if (!missing.empty()) GTEST_SKIP() << missing;
  const auto limits = known_limits(tested);
  const auto limit = limits.find(check.name);
  std::string fault;
  try {
    const Subject subject(tested);
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
  for (const Tested& tested : backends_to_test()) {
    for (const auto& [check, reason] : known_limits(tested)) {
      EXPECT_TRUE(names.contains(check)) << tested.backend << "'s conformance.txt names no check: " << check;
      EXPECT_FALSE(reason.empty()) << tested.backend << ": " << check << " has no reason";
    }
  }
}

}  // namespace
}  // namespace assay::conformance
