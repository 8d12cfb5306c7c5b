#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.hpp"
#include "cli/bench.hpp"

namespace assay::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class NoiseFloorInUse : public testing::Test {
 protected:
  void stored(const std::string& key, const std::string& pairs, const char* cpu = "A CPU") {
    Campaign c;
    c.id = "c0de000" + std::to_string(campaigns_++);
    c.environment = {{"cpu.model", cpu}, {key, pairs}};
    store_.begin(c);
  }
  Campaign begun() {
    Campaign c;
    c.environment = {{"cpu.model", "A CPU"}};
    set_noise_floor(store_, c, settings_);
    return c;
  }
  static std::string pairs(int count, const std::string& pair) {
    std::string all;
    for (int i = 0; i < count; ++i) all += (i == 0 ? "" : " ") + pair;
    return all;
  }
  TemporaryFolder folder_;
  store::Store store_{folder_.path() / "results.db"};
  runner::RunSettings settings_;
  int campaigns_ = 0;
};

TEST_F(NoiseFloorInUse, IsTheDefaultUntilThereAreEnoughPairs) {
  stored(runner::kPairsKey, pairs(9, "100:120"));
  stored(runner::kPairsKey, pairs(50, "100:120"), "Another CPU");
  stored("noise.pairs", pairs(50, "23717.9:14422.8"));  // of an Assay that counted disturbed ones
  const Campaign c = begun();
  EXPECT_DOUBLE_EQ(settings_.noise_floor, 0.03);
  EXPECT_EQ(c.environment.at("noise.used"), "0.03000");
  EXPECT_THAT(c.environment.at("noise.used.origin"),
              HasSubstr("default: 9 undisturbed A/A pairs of earlier campaigns on this CPU, and 10 are wanted"));
  EXPECT_THAT(c.warnings, IsEmpty());
}

TEST_F(NoiseFloorInUse, ALargeOneIsWarnedOfAndNewPairsAreRidOfIt) {
  stored(runner::kPairsKey, pairs(10, "100:120"));
  const Campaign c = begun();
  EXPECT_NEAR(settings_.noise_floor, std::expm1(2.2281 * std::log(1.2)), 1e-4);
  EXPECT_EQ(c.environment.at("noise.used.origin"), "10 undisturbed A/A pairs of earlier campaigns on this CPU");
  ASSERT_EQ(c.warnings.size(), 1U);
  EXPECT_THAT(c.warnings[0].message, HasSubstr("widened by 50 %"));
  EXPECT_THAT(c.warnings[0].advice, HasSubstr("--effort rigorous"));
  for (int i = 0; i < 10; ++i) stored(runner::kPairsKey, pairs(10, "100:101"));
  EXPECT_THAT(begun().warnings, IsEmpty());
  EXPECT_NEAR(settings_.noise_floor, std::expm1(1.984 * std::log(1.01)), 1e-4);
}

}  // namespace
}  // namespace assay::cli
