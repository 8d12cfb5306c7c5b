#include "nvidia/cuda_runtime.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nvidia/cuda_objects.hpp"
#include "nvidia/fixture.hpp"
#include "support/environment.hpp"

namespace assay::nvidia {
namespace {

using fake::thrown_by;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* kFirstUuid = "GPU-00000000-0000-0000-0000-0000000000a0";

bool loader_has_one() {
  for (const char* name : {"libcudart.so.13", "libcudart.so.12"}) {
    if (::dlopen(name, RTLD_NOW | RTLD_LOCAL) != nullptr) return true;
  }
  return false;
}

TEST(CudaRuntime, IsFoundInARootAndSaysWhatItIs) {
  fake::cudart().set("runtime=13000 driver=13010");
  const auto cuda = CudaRuntime::load(fake::roots());
  EXPECT_EQ(cuda->library(), fake::kFolder + "/libcudart.so.13");
  EXPECT_EQ(cuda->runtime_version(), 13000);
  EXPECT_EQ(cuda->driver_version(), 13010);
  EXPECT_EQ(cuda_version_text(13010), "13.1");
}

TEST(CudaRuntime, OneIsOpenedForTheProcess) {
  fake::cudart().set("");
  const CudaRuntime& first = CudaRuntime::open(fake::roots());
  EXPECT_EQ(&first, &CudaRuntime::open({}));
}

TEST(CudaRuntime, ALibraryThatIsNotThereOrCannotBeUsedIsUnavailableWithEveryPlace) {
  if (loader_has_one()) GTEST_SKIP() << "this machine's loader finds a CUDA runtime";
  struct Row {
    const char* what;
    std::string folder, settings;
    std::vector<std::string> said;
  };
  const std::string nowhere = ASSAY_BUILD_DIR "/tests/no_such_folder";
  const std::vector<Row> rows = {
      {"none", nowhere, "", {"none was found", nowhere + " (the test)", "the loader's own folders"}},
      {"too old", fake::kFolder, "runtime=11080", {"libcudart.so.13 is CUDA 11.8", "12.0 or later"}},
      {"functions missing",
       fake::kCutFolder,
       "",
       {"lacks cudaLaunchHostFunc, cudaEventElapsedTime", "none could be used"}},
  };
  for (const Row& row : rows) {
    fake::cudart().set(row.settings);
    const auto thrown = thrown_by([&] { CudaRuntime::load(fake::roots(row.folder)); });
    EXPECT_EQ(thrown.code, ASSAY_UNAVAILABLE) << row.what;
    for (const std::string& said : row.said) EXPECT_THAT(thrown.message, HasSubstr(said)) << row.what;
    EXPECT_THAT(thrown.message, HasSubstr("pip install nvidia-cuda-runtime")) << row.what;
  }
}

TEST(CudaRuntime, ALibraryThatCannotBeUsedIsPassedOver) {
  fake::cudart().set("");
  const auto cuda = CudaRuntime::load({{fake::kCutFolder, "first"}, {fake::kFolder, "second"}});
  EXPECT_EQ(cuda->library(), fake::kFolder + "/libcudart.so.13");
}

TEST(CudaRuntime, WhatKeepsTheGpusAwayIsSaidExactly) {
  fake::cudart().set("");
  const auto cuda = CudaRuntime::load(fake::roots());
  struct Row {
    const char* settings;
    std::vector<std::string> said;
  };
  for (const Row& row : std::vector<Row>{{"driver=0", {"no NVIDIA driver", "35", "docker run --gpus all"}},
                                         {"driver=12020 cudaGetDeviceCount=35",
                                          {"serves CUDA 12.2 at the most", "is CUDA 13.0", "update the driver"}},
                                         {"cudaGetDeviceCount=803", {"does not tell its GPUs", "803", "reboot"}},
                                         {"cudaGetDeviceCount=999", {"does not tell its GPUs", "999"}}}) {
    fake::cudart().set(row.settings);
    const auto thrown = thrown_by([&] { static_cast<void>(cuda->device_count()); });
    EXPECT_EQ(thrown.code, ASSAY_UNAVAILABLE) << row.settings;
    for (const std::string& said : row.said) EXPECT_THAT(thrown.message, HasSubstr(said)) << row.settings;
    EXPECT_EQ(thrown_by([&] { static_cast<void>(cuda->devices()); }).message, thrown.message) << row.settings;
    EXPECT_THAT(fake::cudart().log(), HasSubstr("cudaGetLastError")) << "left for a framework to find";
  }
  fake::cudart().set("devices=0");
  EXPECT_EQ(cuda->device_count(), 0);
  EXPECT_TRUE(cuda->devices().empty());
}

TEST(CudaRuntime, DevicesAreToldWithTheirIdentity) {
  fake::cudart().set("devices=2 memory_mib=2048 capability=86");
  const auto cuda = CudaRuntime::load(fake::roots());
  const std::vector<kit::Device> devices = cuda->devices();
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[1].name, "gpu:1");
  EXPECT_THAT(devices[1].description, HasSubstr("Fake GPU 1 (2.0 GiB, compute capability 8.6, driver "));
  EXPECT_THAT(devices[0].identity, AllOf(HasSubstr(kFirstUuid), HasSubstr("capability 8.6"), HasSubstr("driver")));
  EXPECT_NE(devices[0].identity, devices[1].identity);
  EXPECT_EQ(devices[0].memory_bytes, 2048U << 20U);
  const DeviceFacts facts = cuda->facts(1);
  EXPECT_EQ(facts.bus_id, "0000:18:00.0");
  EXPECT_EQ(facts.major * 10 + facts.minor, 86);
  EXPECT_FALSE(facts.integrated);
  EXPECT_THAT(cuda->in_force(0), ElementsAre(Pair("gpu.uuid", kFirstUuid), Pair("gpu.name", "Fake GPU 0"),
                                             Pair("driver", HasSubstr("CUDA 13.0"))));
}

TEST(CudaRuntime, ADeviceThatIsNotThereIsUnavailableNamingThoseThatAre) {
  const auto cuda = CudaRuntime::load(fake::roots());
  fake::cudart().set("devices=2");
  EXPECT_EQ(cuda->index_of("gpu:1"), 1);
  const ScopedVariable visible("CUDA_VISIBLE_DEVICES", "3,5");
  for (const char* asked : {"gpu:7", "gpu:2", "gpu:-1", "gpu:", "gpu:1x", "cuda:0", "gpu"}) {
    const auto thrown = thrown_by([&] { static_cast<void>(cuda->index_of(asked)); });
    EXPECT_EQ(thrown.code, ASSAY_UNAVAILABLE) << asked;
    EXPECT_THAT(thrown.message, AllOf(HasSubstr(asked), HasSubstr("gpu:0 (Fake GPU 0), gpu:1 (Fake GPU 1)"),
                                      HasSubstr("CUDA_VISIBLE_DEVICES is \"3,5\"")))
        << asked;
  }
  fake::cudart().set("devices=0");
  EXPECT_THAT(thrown_by([&] { static_cast<void>(cuda->index_of("gpu:0")); }).message, HasSubstr("sees no GPU"));
}

TEST(CudaRuntime, WhereAThreadAndMemoryAreIsCudasWord) {
  fake::cudart().set("devices=2");
  const auto cuda = CudaRuntime::load(fake::roots());
  const DeviceBuffer there(*cuda, 1, 64);
  cuda->set_device(0);
  EXPECT_EQ(cuda->current_device(), 0);
  EXPECT_EQ(cuda->device_of(there.data()).value_or(-1), 1) << "whichever the thread's is";
  const int on_host = 0;
  EXPECT_FALSE(cuda->device_of(&on_host).has_value());
  EXPECT_FALSE(cuda->device_of(nullptr).has_value());
  fake::cudart().set("devices=2 current_device=1 pointer_device=0");
  EXPECT_EQ(cuda->current_device(), 1);
  EXPECT_EQ(cuda->device_of(there.data()).value_or(-1), 0);
  fake::cudart().set("cudaGetDevice=999 cudaPointerGetAttributes=1");
  EXPECT_THAT(thrown_by([&] { static_cast<void>(cuda->current_device()); }).message,
              HasSubstr("cannot ask which GPU is the thread's"));
  EXPECT_THAT(thrown_by([&] { static_cast<void>(cuda->device_of(there.data())); }).message,
              HasSubstr("cannot ask which GPU memory lies on"));
  fake::cudart().set("devices=2");
}

TEST(CudaRuntime, AnErrorSaysWhatWasAskedWhatCudaSaidAndWhatToDo) {
  const auto cuda = CudaRuntime::load(fake::roots());
  fake::cudart().set("");
  EXPECT_NO_THROW(cuda->check(cudaSuccess, "copy"));
  const auto thrown = thrown_by([&] { cuda->check(cudaErrorMemoryAllocation, "copy 600 KiB to gpu:0"); });
  EXPECT_EQ(thrown.code, ASSAY_OUT_OF_MEMORY);
  EXPECT_THAT(thrown.message, AllOf(HasSubstr("cannot copy 600 KiB to gpu:0: CUDA says cudaErrorMemoryAllocation (2: "),
                                    HasSubstr("Use a smaller batch")));
  EXPECT_EQ(fake::cudart().log(), "cudaGetLastError\n");
  fake::cudart().set("cudaSetDevice=101 cudaDeviceSynchronize=719");
  EXPECT_THAT(thrown_by([&] { cuda->set_device(3); }).message, HasSubstr("cannot use gpu:3"));
  EXPECT_EQ(thrown_by([&] { cuda->synchronize(); }).code, ASSAY_DEVICE_LOST);
}

}  // namespace
}  // namespace assay::nvidia
