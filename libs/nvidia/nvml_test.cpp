#include "nvidia/nvml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "nvidia/fixture.hpp"

namespace assay::nvidia {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kUuid = "GPU-00000000-0000-0000-0000-0000000000a0";
constexpr std::uint64_t kMebi = 1 << 20;

std::unique_ptr<const Nvml> loaded(const std::string& settings, std::string& why) {
  fake::nvml().set(settings);
  return Nvml::load(fake::kFolder + "/libnvidia-ml.so.1", why);
}

GpuReading read(const std::string& settings) {
  std::string why;
  const auto nvml = loaded(settings, why);
  if (nvml == nullptr) throw std::runtime_error(why);
  const std::optional<GpuReading> reading = nvml->read(kUuid, why);
  if (!reading) throw std::runtime_error(why);
  return *reading;
}

TEST(Nvml, IsNotThereForAReason) {
  struct Row {
    const char* settings;
    std::vector<std::string> said;
  };
  std::string why;
  EXPECT_EQ(Nvml::load(ASSAY_BUILD_DIR "/tests/no_such_folder/libnvidia-ml.so.1", why), nullptr);
  EXPECT_THAT(why, HasSubstr("cannot be opened"));
  EXPECT_THAT(why, HasSubstr("install the driver"));
  EXPECT_EQ(Nvml::load(fake::kFolder + "/libcudart.so.13", why), nullptr);
  EXPECT_THAT(why, HasSubstr("lacks nvmlInit_v2, nvmlShutdown"));
  for (const Row& row : std::vector<Row>{{"nvmlInit_v2=9", {"(9)", "no NVIDIA driver is loaded"}},
                                         {"nvmlInit_v2=18", {"(18)", "different versions: reboot"}},
                                         {"nvmlInit_v2=4", {"(4)", "may not be opened by this user"}},
                                         {"nvmlInit_v2=999", {"(999)", "nvidia-smi"}}}) {
    why.clear();
    EXPECT_EQ(loaded(row.settings, why), nullptr) << row.settings;
    for (const std::string& said : row.said) EXPECT_THAT(why, HasSubstr(said)) << row.settings;
    EXPECT_THAT(fake::nvml().log(), Not(HasSubstr("nvmlShutdown"))) << "it never began";
  }
}

TEST(Nvml, IsShutDownOnce) {
  std::string why;
  EXPECT_EQ(loaded("version=575.1", why)->driver_version(), "575.1");
  EXPECT_EQ(fake::nvml().held(), 0);
}

TEST(Nvml, ReadsAGpuByItsUuid) {
  const GpuReading r = read(
      "used_mib=300 energy_mj=123 clock=1410 max_clock=1980 temperature=61 utilization=42 "
      "reasons=4 processes=100:50,200:-");
  EXPECT_EQ(r.memory_used_bytes, 300 * kMebi) << "what is reserved is not in it";
  EXPECT_EQ(r.energy_mj, 123U);
  EXPECT_EQ(r.sm_clock_mhz, 1410U);
  EXPECT_EQ(r.max_sm_clock_mhz, 1980U);
  EXPECT_EQ(r.temperature_c, 61U);
  EXPECT_EQ(r.utilization_percent, 42U);
  EXPECT_THAT(r.throttle_reasons, ElementsAre(kPowerCap));
  ASSERT_EQ(r.processes.size(), 2U);
  EXPECT_EQ(r.processes[0].pid, 100U);
  EXPECT_EQ(r.processes[0].memory_bytes, 50 * kMebi);
  EXPECT_FALSE(r.processes[1].memory_bytes);
}

TEST(Nvml, AGpuIsLookedUpOnce) {
  std::string why;
  const auto nvml = loaded("", why);
  ASSERT_NE(nvml, nullptr) << why;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(nvml->read(kUuid, why)) << why;
  const std::string log = fake::nvml().log(), call = "nvmlDeviceGetHandleByUUID";
  EXPECT_EQ(log.find(call), log.rfind(call)) << log;
}

TEST(Nvml, ReasonsAreNamed) {
  EXPECT_THAT(read("reasons=0").throttle_reasons, IsEmpty());
  EXPECT_THAT(read("reasons=1").throttle_reasons, IsEmpty()) << "an idle GPU is not held down";
  EXPECT_THAT(read("reasons=232").throttle_reasons,
              ElementsAre(kSlowDowns[0], kSlowDowns[1], kSlowDowns[2], kSlowDowns[3]));
}

TEST(Nvml, WhatIsNotSupportedIsEmpty) {
  const GpuReading r = read(
      "nvmlDeviceGetMemoryInfo_v2=3 nvmlDeviceGetTotalEnergyConsumption=3 nvmlDeviceGetClockInfo=3 "
      "nvmlDeviceGetMaxClockInfo=3 nvmlDeviceGetTemperature=3 nvmlDeviceGetUtilizationRates=3 "
      "nvmlDeviceGetCurrentClocksEventReasons=3 nvmlDeviceGetComputeRunningProcesses_v3=3 processes=100:50 reasons=4");
  EXPECT_FALSE(r.memory_used_bytes);
  EXPECT_FALSE(r.energy_mj);
  EXPECT_FALSE(r.sm_clock_mhz);
  EXPECT_FALSE(r.max_sm_clock_mhz);
  EXPECT_FALSE(r.temperature_c);
  EXPECT_FALSE(r.utilization_percent);
  EXPECT_THAT(r.throttle_reasons, IsEmpty());
  EXPECT_THAT(r.processes, IsEmpty());
}

TEST(Nvml, AGpuThatItDoesNotHaveIsSaidWithThoseThatItHas) {
  std::string why;
  const auto nvml = loaded("devices=2", why);
  ASSERT_NE(nvml, nullptr) << why;
  EXPECT_FALSE(nvml->read("GPU-12345678-0000-0000-0000-000000000000", why));
  EXPECT_THAT(why, HasSubstr("GPU-12345678-0000-0000-0000-000000000000"));
  EXPECT_THAT(why, HasSubstr(std::string(kUuid) + ", GPU-00000000-0000-0000-0000-0000000000a1"));
  fake::nvml().set("nvmlDeviceGetHandleByUUID=15");
  EXPECT_FALSE(nvml->read(kUuid, why));
  EXPECT_THAT(why, HasSubstr("(15)"));
}

}  // namespace
}  // namespace assay::nvidia
