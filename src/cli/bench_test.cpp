#include "cli/bench.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace assay::cli {
namespace {

struct Row {
  const char* what;
  OutcomeState state;
  const char* phase;
  const char* backend;
  bool named_device;
  int status;
};

/// Beside one measured case of "there"; "named" was asked for by name, "any" came by "all".
TEST(ExitStatus, DependsOnWhatWasAskedForByName) {
  constexpr auto kSkipped = OutcomeState::kSkipped;
  for (const Row& row : {Row{"all measured", OutcomeState::kMeasured, "", "any", true, kOk},
                         {"a failure", OutcomeState::kFailed, "load", "any", false, kFailed},
                         {"a named engine is missing", kSkipped, "probe", "named", false, kFailed},
                         {"one of all is missing", kSkipped, "probe", "any", false, kOk},
                         {"one of all is missing, the device is there", kSkipped, "probe", "any", true, kOk},
                         {"no such device, by name", kSkipped, "device", "any", true, kFailed},
                         {"no such device, not by name", kSkipped, "device", "any", false, kOk},
                         {"too large", kSkipped, "estimate", "named", true, kOk}}) {
    Campaign c;
    c.outcomes.resize(2);
    c.outcomes[0].state = OutcomeState::kMeasured;
    c.outcomes[0].test_case.backend = "there";
    c.outcomes[1].state = row.state;
    c.outcomes[1].phase = row.phase;
    c.outcomes[1].test_case.backend = row.backend;
    BenchPlan plan;
    plan.named_backends = {"named"};
    plan.named_devices = row.named_device;
    std::ostringstream err;
    EXPECT_EQ(exit_status(c, plan, err), row.status) << row.what;
    EXPECT_EQ(err.str(), "") << row.what;
  }
}

TEST(ExitStatus, NothingMeasuredIsAFailureAndSaidSo) {
  Campaign c;
  c.outcomes.resize(1);
  c.outcomes[0].state = OutcomeState::kSkipped;
  c.outcomes[0].phase = "estimate";
  std::ostringstream err;
  EXPECT_EQ(exit_status(c, {}, err), kFailed);
  EXPECT_NE(err.str().find("nothing was measured"), std::string::npos);
}

}  // namespace
}  // namespace assay::cli
