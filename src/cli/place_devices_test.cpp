// A search over several devices.
#include "cli/place_devices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "assay/error.hpp"
#include "cli/placing_fixture.hpp"
#include "core/search.hpp"

namespace assay::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* kCpuAndGpu = R"([{"name": "cpu"}, {"name": "gpu:0", "memory_bytes": 1000000000}])";

runner::ProbeAnswer engine_with(std::vector<runner::ProbeAnswer::Device> devices) {
  runner::ProbeAnswer answer;
  answer.available = true;
  answer.version = "1.2";
  answer.devices = std::move(devices);
  return answer;
}

TEST(DeviceLimits, AreTheMemoryThatAnEngineTells) {
  tune::PlaceRequest request;
  request.devices = {"cpu", "gpu:0", "gpu:1"};
  EXPECT_THAT(device_limits(request, {{"x", engine_with({{"cpu", "", 7}, {"gpu:1", "", 0}})},
                                      {"y", engine_with({{"gpu:0", "", 500}, {"gpu:1", "", 0}})}}),
              UnorderedElementsAre(Pair("gpu:0", 500)));
  EXPECT_THAT(device_limits(request, {}), IsEmpty()) << "nobody was asked";
  for (const auto& [x, y] : {std::pair<std::uint64_t, std::uint64_t>{500, 700}, {700, 500}}) {
    EXPECT_THAT(device_limits(request, {{"x", engine_with({{"gpu:0", "", x}})},
                                        {"y", engine_with({{"gpu:0", "", y}})},
                                        {"z", engine_with({{"cpu", "", 1}, {"gpu:0", "", 0}, {"gpu:1", "", 0}})}}),
                UnorderedElementsAre(Pair("gpu:0", 500)))
        << "the least";
  }
}

TEST(DeviceLimits, ADeviceThatIsNobodysIsRefusedWithWhatThereIs) {
  tune::PlaceRequest request;
  request.devices = {"cpu", "gpu:7"};
  runner::ProbeAnswer y = engine_with({{"cpu", "", 0}});
  y.absent = "no GPU: there is no driver";
  runner::ProbeAnswer z;
  z.reason = "its library was not found";
  try {
    (void)device_limits(request, {{"x", engine_with({{"cpu", "", 0}, {"gpu:0", "", 0}})}, {"y", y}, {"z", z}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(e.message(), AllOf(HasSubstr("no engine that was asked for has 'gpu:7'"), HasSubstr("x 1.2"),
                                   HasSubstr("it has cpu, gpu:0"), HasSubstr("no GPU: there is no driver"),
                                   HasSubstr("z is not available: its library was not found")));
  }
}

/// a is ten times as quick on the GPU, b a fifth as quick; side by side they are as quick as either.
double rate_of(const Case& c) {
  if (devices_of(c).size() > 1) return 100;
  if (is_ensemble(c)) return 10;
  if (c.model == "a") return c.device == kCpu ? 10 : 100;
  return c.device == kCpu ? 100 : 20;
}

class PlacingOnDevices : public PlacingTest {
 protected:
  PlacingOnDevices() : PlacingTest(rate_of) { launcher_.devices = kCpuAndGpu; }

  static BenchPlan on(const std::vector<std::string>& devices, const std::vector<std::string>& engines = {"x"}) {
    BenchPlan plan;
    for (const std::string& engine : engines) {
      for (const std::string& device : devices) {
        Case c;
        c.model = "a+b";
        c.backend = engine;
        c.device = device;
        c.threads = 2;
        c.strategy = kPlaced;
        plan.cases.push_back(c);
      }
    }
    return plan;
  }
};

TEST_F(PlacingOnDevices, TwoDevicesAreOneSearchWhosePlanHasBoth) {
  EXPECT_EQ(place({}, on({"cpu", "gpu:0"}), settings_, store_, context_), kOk) << err_.str();
  const Campaign plans = store_.load("");
  ASSERT_EQ(plans.environment.at(kPlacedStep), "plans");
  const auto it =
      std::find_if(plans.plan.begin(), plans.plan.end(), [](const Case& c) { return c.device == "cpu+gpu:0"; });
  ASSERT_NE(it, plans.plan.end());
  EXPECT_EQ(it->placement.seats.at(0).device, "gpu:0");
  EXPECT_EQ(it->placement.seats.at(1).device, "cpu");
  const std::string out = out_.str();
  EXPECT_THAT(out, AllOf(HasSubstr("x gpu:0 x1, x cpu x1 on"), HasSubstr(".device = \"gpu:0\""),
                         HasSubstr("a on gpu:0, b on cpu")));
  const auto searches = [&](const std::string& text) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find("each member alone:", at)) != std::string::npos; ++at) ++n;
    return n;
  };
  EXPECT_EQ(searches(err_.str()), 1U);
  EXPECT_THAT(err_.str(), HasSubstr("a+b · cpu+gpu:0 · 2 threads"));
}

TEST_F(PlacingOnDevices, PairsAcrossEnginesThatWereMeasuredBeforeAnInterruptionAreNotMeasuredAgain) {
  launcher_.devices_of = {{"x", R"([{"name": "cpu"}])"}, {"y", R"([{"name": "gpu:0"}])"}};
  std::vector<std::string> pairs;
  launcher_.on_run = [&](const worker::Request& r) {
    if (r.kind != worker::Request::Kind::kMeasure || r.test_case.combine != "members") return;
    pairs.push_back(case_key(r.test_case));
    stop_ = pairs.size() == 2;
  };
  EXPECT_EQ(place({}, on({"cpu", "gpu:0"}, {"x", "y"}), settings_, store_, context_), kInterrupted);
  const Campaign interrupted = store_.load("");
  ASSERT_EQ(interrupted.environment.at(kPlacedStep), "pairs");
  ASSERT_EQ(interrupted.plan.size(), 3U) << "each beside itself, and both";
  EXPECT_TRUE(
      std::any_of(interrupted.plan.begin(), interrupted.plan.end(), [](const Case& c) { return c.backend == "x+y"; }));
  EXPECT_EQ(resume_newest(), kOk) << err_.str();
  EXPECT_EQ(store_.load("").environment.at(kPlacedStep), "plans");
  EXPECT_LE(pairs.size(), 4U) << "but for the one that was interrupted each is measured once";
}

TEST_F(PlacingOnDevices, ADeviceThatIsNobodysIsRefusedBeforeAnythingIsMeasured) {
  EXPECT_EQ(place({}, on({"cpu", "gpu:7"}), settings_, store_, context_), kFailed);
  EXPECT_EQ(dry_place({}, on({"cpu", "gpu:7"}), settings_, nullptr, context_), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("batch 1: --device: no engine that was asked for has 'gpu:7'"));
  EXPECT_EQ(launcher_.count(worker::Request::Kind::kMeasure), 0);
}

TEST_F(PlacingOnDevices, TheCpuAloneIsAskedOfNobody) {
  tune::PlaceRequest request;
  request.backends = {"x"};
  EXPECT_THAT(probes_of(request, settings_, context_), IsEmpty());
  EXPECT_THAT(launcher_.requests, IsEmpty());
}

TEST_F(PlacingOnDevices, InterruptedWhileEnginesAreAskedNothingIsRefused) {
  launcher_.on_run = [this](const worker::Request&) { stop_ = true; };
  EXPECT_EQ(place({}, on({"cpu", "gpu:7"}), settings_, store_, context_), kInterrupted);
}

TEST_F(PlacingOnDevices, ATieSaysTheDevicesAndTheCommandAsksForThemAgain) {
  launcher_.measure = [measure = launcher_.measure](const worker::Request& r) {
    worker::Exit exit = measure(r);
    return is_ensemble(r.test_case) ? runner::good(r, 10) : exit;
  };
  EXPECT_EQ(place({}, on({"cpu", "gpu:0"}), settings_, store_, context_), kOk) << err_.str();
  const std::string verdict = placing_verdict(store_.load(""));
  EXPECT_THAT(verdict, AllOf(HasSubstr("cannot be told from"), HasSubstr("--device cpu,gpu:0")));
  EXPECT_THAT(verdict, HasSubstr("merged on x gpu:0")) << "on which the two take less than on the CPU";
}

}  // namespace
}  // namespace assay::cli
