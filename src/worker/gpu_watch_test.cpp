#include "worker/gpu_watch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

namespace assay::worker {
namespace {

using nvidia::GpuReading;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

constexpr const char* kGpuUuid = "GPU-12345678-9abc-def0-1234-56789abcdef0";
constexpr const char* kOtherGpuUuid = "GPU-12345678-9abc-def0-1234-56789abcdef1";
constexpr double kMegabinary = 1024.0 * 1024.0;

/// A GPU that takes 10 J from one reading to the next, of which this process holds 300 MiB.
class PretendedGpu {
 public:
  GpuAccount::Open open() {
    return [this](const std::string& uuid, std::string& why) -> GpuReader {
      asked.push_back(uuid);
      why = "no driver here";
      if (uuid != kGpuUuid && uuid != kOtherGpuUuid) return {};
      return [this] {
        GpuReading r = reading;
        r.energy_mj = 10'000 * static_cast<std::uint64_t>(++readings);
        return r;
      };
    };
  }
  GpuReading reading{.memory_used_bytes = 500ULL << 20U,
                     .energy_mj = {},
                     .sm_clock_mhz = 1400,
                     .max_sm_clock_mhz = 1980,
                     .temperature_c = {},
                     .utilization_percent = 0,
                     .throttle_reasons = {},
                     .processes = {{static_cast<std::uint32_t>(::getpid()), 300ULL << 20U}}};
  std::atomic<int> readings{0};
  std::vector<std::string> asked;
};

struct AccountFixture {
  AccountFixture() { request.test_case.device = "gpu:0"; }
  GpuAccount account() { return {request, result, reporter, gpu.open()}; }
  Request request;
  TaskResult result;
  std::vector<Event> events;
  Reporter reporter{[this](const Event& event) { events.push_back(event); }};
  PretendedGpu gpu;
};

TEST(GpuUuid, IsFoundInAnIdentity) {
  const std::string uuid = kGpuUuid;
  EXPECT_EQ(gpu_uuid_in(uuid + ", compute capability 9.0"), uuid);
  EXPECT_EQ(gpu_uuid_in("driver 1, " + uuid), uuid);
  for (const char* none : {"", "AuthenticAMD family 25", "GPU-12345678", "GPU-"}) EXPECT_EQ(gpu_uuid_in(none), "");
}

TEST(GpuReader, WithoutAUuidOrADriverSaysWhy) {
  std::string why;
  EXPECT_FALSE(gpu_reader("", why));
  EXPECT_THAT(why, HasSubstr("gpu.uuid"));
  EXPECT_FALSE(gpu_reader("GPU-00000000-0000-0000-0000-000000000000", why));
  EXPECT_THAT(why, HasSubstr("NVML"));
}

TEST(GpuWatch, ReadsAtBothEndsAndBetween) {
  PretendedGpu gpu;
  std::string why;
  GpuWatch watch(gpu.open()(kGpuUuid, why), std::chrono::milliseconds(1));
  EXPECT_THAT(watch.readings(), IsEmpty());
  watch.begin();
  while (gpu.readings < 3) std::this_thread::yield();
  watch.end();
  const std::size_t n = watch.readings().size();
  ASSERT_GE(n, 4U);
  EXPECT_EQ(static_cast<int>(n), gpu.readings);
  for (std::size_t i = 1; i < n; ++i) EXPECT_LT(watch.readings()[i - 1].energy_mj, watch.readings()[i].energy_mj);
  watch.end();
  EXPECT_EQ(watch.readings().size(), n) << "ended once";
}

TEST(GpuWatch, SaysWhatReadingTookOfTheCpu) {
  PretendedGpu gpu;
  std::string why;
  const GpuReader read = gpu.open()(kGpuUuid, why);
  std::atomic<long> spun{0};
  GpuWatch watch(
      [&] {
        for (int i = 0; i < 100'000; ++i) ++spun;
        return read();
      },
      std::chrono::milliseconds(1));
  EXPECT_EQ(watch.cpu_time().count(), 0);
  watch.begin();
  const auto before = watch.cpu_time();
  while (gpu.readings < 4) std::this_thread::yield();
  EXPECT_GT(watch.cpu_time(), before);
  watch.end();
  EXPECT_EQ(watch.cpu_time().count(), 0);
}

TEST(GpuWatch, WithoutAReaderItDoesNothingAndCutShortItEnds) {
  GpuWatch none({});
  none.begin();
  none.end();
  EXPECT_THAT(none.readings(), IsEmpty());
  PretendedGpu gpu;
  std::string why;
  GpuWatch cut(gpu.open()(kGpuUuid, why));
  cut.begin();  // and never ended: a batch failed
}

TEST(GpuAccount, OnTheCpuNothingIsAskedAndNothingSaid) {
  AccountFixture f;
  f.request.test_case.device = "cpu";
  f.result.texts["device.uuid"] = kGpuUuid;
  GpuAccount account = f.account();
  account.loaded({{"gpu.uuid", kGpuUuid}});
  const TaskResult before = f.result;
  account.put_memory(f.result);
  account.put_window(GpuWatch({}), 1, 100, f.result);
  EXPECT_EQ(f.result.values, before.values);
  EXPECT_EQ(f.result.texts, before.texts);
  EXPECT_THAT(f.gpu.asked, IsEmpty());
}

TEST(GpuAccount, EnergyAndNoiseAreThoseOfTheWindow) {
  AccountFixture f;
  f.result.texts["device.uuid"] = kGpuUuid;
  f.result.texts["remark.throughput"] = "said before";
  f.gpu.reading.throttle_reasons = {std::string(nvidia::kPowerCap)};
  const GpuAccount account = f.account();
  GpuWatch watch(account.reader(), std::chrono::hours(1));
  watch.begin();
  watch.end();
  account.put_window(watch, 2, 100, f.result);
  EXPECT_DOUBLE_EQ(f.result.values.at("energy.gross").front(), 0.1);
  EXPECT_DOUBLE_EQ(f.result.values.at("power.mean").front(), 5);
  EXPECT_DOUBLE_EQ(f.result.values.at("noise.gpu.clock").front(), 1.4e9);
  EXPECT_THAT(f.result.texts.at("remark.energy.gross"), HasSubstr("the GPU's alone"));
  EXPECT_THAT(f.result.texts.at("remark.throughput"), HasSubstr("said before; the GPU was at its power cap"));
  EXPECT_THAT(f.events, IsEmpty());
}

TEST(GpuAccount, MemoryIsThatOfTheProcess) {
  AccountFixture f;
  f.result.texts["device.uuid"] = kGpuUuid;
  f.account().put_memory(f.result);
  EXPECT_DOUBLE_EQ(f.result.values.at("memory.device").front(), 300 * kMegabinary);
  EXPECT_THAT(f.result.texts.at("remark.memory.device"), HasSubstr("the whole device has 500 MiB in use"));
}

TEST(GpuAccount, WhatCannotBeReadIsNullWithTheReason) {
  AccountFixture f;
  GpuAccount account = f.account();
  account.put_memory(f.result);
  account.put_window(GpuWatch(account.reader()), 2, 100, f.result);
  EXPECT_THAT(f.result.values, IsEmpty());
  for (const char* tag : {"memory.device", "energy.gross", "power.mean"}) {
    EXPECT_EQ(f.result.texts.at(std::string("remark.") + tag), "no driver here");
  }
  // What a backend says only when it has loaded is of use from then on.
  account.loaded({{"gpu.uuid", kGpuUuid}});
  account.put_memory(f.result);
  EXPECT_THAT(f.result.values, Contains(Key("memory.device")));
}

TEST(GpuAccount, OfSeveralGpusMemoryIsThatOfAll) {
  AccountFixture f;
  f.request.test_case.device = "cpu+gpu:0+gpu:1";
  f.result.texts["device.uuid"] = fmt::format("{}+{}", kGpuUuid, kOtherGpuUuid);
  const GpuAccount account = f.account();
  account.put_memory(f.result);
  EXPECT_DOUBLE_EQ(f.result.values.at("memory.device").front(), 600 * kMegabinary);
}

TEST(GpuAccount, AMembersEngineMaySayItsGpuOnlyWhenItHasLoaded) {
  AccountFixture f;
  Case& c = f.request.test_case;
  c.model = "a+b+c";
  c.strategy = kPlaced;
  c.device = "cpu+gpu:0+gpu:1";
  c.placement = {
      "pipelined",
      {{.backend = "x", .device = "gpu:1"}, {.backend = "x", .device = "cpu"}, {.backend = "x", .device = "gpu:0"}}};
  f.result.texts["device.uuid"] = std::string(kGpuUuid) + "+";  // of gpu:0; of the other nothing is told
  GpuAccount account = f.account();
  account.put_memory(f.result);
  EXPECT_EQ(f.result.texts.at("remark.memory.device"), "no driver here");
  account.loaded({{"c.gpu.uuid", kGpuUuid}, {"b.gpu.uuid", "not its own"}});
  account.put_memory(f.result);
  EXPECT_THAT(f.result.values, IsEmpty()) << "one is still unknown";
  account.loaded({{"a.gpu.uuid", kOtherGpuUuid}});
  account.put_memory(f.result);
  EXPECT_DOUBLE_EQ(f.result.values.at("memory.device").front(), 600 * kMegabinary);
}

TEST(GpuAccount, AGpuThatOthersUseIsAWarningOfItsOwnKind) {
  AccountFixture f;
  f.result.texts["device.uuid"] = kGpuUuid;
  f.gpu.reading.processes = {{1, {}}};
  f.account();
  ASSERT_EQ(f.events.size(), 1U);
  EXPECT_EQ(f.events[0].warning, "gpu-not-idle");
  EXPECT_THAT(f.events[0].message, HasSubstr("gpu:0 was not idle before the start: 1 other process is on it"));
  const Event back = event_from_json(to_json(f.events[0]));
  EXPECT_EQ(back.warning, f.events[0].warning);
  EXPECT_EQ(back.advice, f.events[0].advice);
  EXPECT_THAT(back.advice, Not(IsEmpty()));
}

}  // namespace
}  // namespace assay::worker
