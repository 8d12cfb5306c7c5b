// Libraries that are missing, broken, too old or not TensorRT at all, and machines without a driver or GPU.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "backend.hpp"
#include "nvidia/fake/fake_library.hpp"
#include "runtime.hpp"
#include "support/environment.hpp"

namespace assay::tensorrt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kFakes = ASSAY_BUILD_DIR "/tests/fake_tensorrt/";
const std::string kCudaFakes = ASSAY_BUILD_DIR "/tests/fake_nvidia";

kit::Host host_of(const std::vector<std::string>& folders) {
  kit::Host host;
  for (const std::string& folder : folders) host.roots.emplace_back(folder, "test");
  return host;
}

template <class Body>
std::string unavailable(Body body) {
  try {
    body();
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNAVAILABLE) << e.what();
    return e.what();
  }
  return "nothing was thrown";
}

class Library : public testing::Test {
 protected:
  const ScopedVariable root_{"TENSORRT_ROOT", std::nullopt};
};

// First: what CUDA's runtime is open stays open.
TEST_F(Library, WithoutCudasRuntimeIsUnavailable) {
  TensorRtBackend backend;
  const kit::Probe probe = backend.probe(host_of({kFakes + "whole"}));
  if (probe.available) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_FALSE(probe.reason.empty());
  EXPECT_EQ(probe.library, kFakes + "whole/libnvinfer.so." + std::to_string(kHeaders.major));
  EXPECT_EQ(probe.version, std::to_string(kHeaders.major) + ".99.1");
}

TEST_F(Library, NoneIsUnavailableWithAdvice) {
  TensorRtBackend backend;
  const kit::Probe probe = backend.probe(host_of({"/nowhere/at/all"}));
  if (probe.available) GTEST_SKIP() << "the loader finds a TensorRT here";
  EXPECT_THAT(probe.reason,
              AllOf(HasSubstr("/nowhere/at/all (test)"), HasSubstr("TENSORRT_ROOT"), HasSubstr("ASSAY_TENSORRT_PATH")));
}

TEST_F(Library, WhatIsNoneOfUseSaysWhatItIs) {
  const std::string major = std::to_string(kHeaders.major);
  struct Row {
    const char* folder;
    std::vector<std::string> says;
  };
  const Row rows[] = {
      {"old", {"is TensorRT 8.6.1", "too old", "takes " + major + ".", "TENSORRT_ROOT"}},
      {"other", {"is not TensorRT's library", "getInferLibVersion", "ASSAY_TENSORRT_PATH"}},
      {"alone", {"TensorRT " + major + ".99.0", "but not its ONNX parser", "libnvonnxparser.so." + major}},
  };
  for (const Row& row : rows) {
    const std::string reason = unavailable([&] { (void)load_runtime(host_of({kFakes + row.folder})); });
    for (const std::string& part : row.says) EXPECT_THAT(reason, HasSubstr(part)) << row.folder;
    EXPECT_THAT(reason, HasSubstr(kFakes + row.folder));
  }
}

TEST_F(Library, ABrokenOneIsNamed) {
  std::string folder = testing::TempDir() + "assay_tensorrt_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string library = folder + "/libnvinfer.so." + std::to_string(kHeaders.major) + ".1.0";
  std::ofstream(library) << "not a library";
  EXPECT_THAT(unavailable([&] { (void)load_runtime(host_of({folder})); }), HasSubstr(library));
  std::filesystem::remove_all(folder);
}

TEST_F(Library, OfTheRightVersionIsTakenBeforeAnOlderOne) {
  const Runtime runtime = load_runtime(host_of({kFakes + "old", kFakes + "whole"}));
  EXPECT_THAT(runtime.library, HasSubstr("/whole/"));
  EXPECT_THAT(runtime.parser_library, HasSubstr("/whole/"));
  EXPECT_EQ(runtime.origin, "test");
}

TEST_F(Library, TensorrtRootIsLookedAtFirst) {
  const ScopedVariable root("TENSORRT_ROOT", kFakes + "whole");
  EXPECT_EQ(load_runtime(host_of({kFakes + "alone"})).origin, "TENSORRT_ROOT");
  kit::Host named;
  named.roots.emplace_back(kFakes + "alone", "ASSAY_TENSORRT_PATH");  // says it of this backend alone
  EXPECT_EQ(with_tensorrt_root(named).roots.size(), 1U);
}

TEST_F(Library, IsNotAskedForGpusThatCudaDoesNotSee) {
  const nvidia::fake::FakeLibrary cuda(kCudaFakes + "/libcudart.so.13");
  struct Row {
    const char *settings, *says;
  };
  const Row rows[] = {
      {"driver=0", "finds no NVIDIA driver"},
      {"driver=11080 cudaGetDeviceCount=35", "update the driver"},
      {"devices=0", "sees none"},
  };
  TensorRtBackend backend;
  const kit::Host host = host_of({kFakes + "whole", kCudaFakes});
  for (const Row& row : rows) {
    cuda.set(row.settings);
    const kit::Probe probe = backend.probe(host);
    EXPECT_FALSE(probe.available) << row.settings;
    EXPECT_THAT(probe.reason, HasSubstr(row.says)) << row.settings;
    kit::OpenRequest request;
    request.host = host;
    request.device = "gpu:0";
    EXPECT_THAT(unavailable([&] { (void)backend.open(request); }), HasSubstr(row.says));
  }
}

TEST_F(Library, HasCudasDevicesAndNoOther) {
  const nvidia::fake::FakeLibrary cuda(kCudaFakes + "/libcudart.so.13");
  cuda.set("devices=2 driver=13010");
  TensorRtBackend backend;
  kit::OpenRequest request;
  request.host = host_of({kFakes + "whole", kCudaFakes});
  const kit::Probe probe = backend.probe(request.host);
  ASSERT_TRUE(probe.available) << probe.reason;
  ASSERT_EQ(probe.devices.size(), 2U);
  EXPECT_EQ(probe.devices[1].name, "gpu:1");
  EXPECT_THAT(probe.devices[1].identity, HasSubstr("GPU-"));
  for (const char* device : {"gpu:7", "cpu", ""}) {
    request.device = device;
    EXPECT_THAT(unavailable([&] { (void)backend.open(request); }), HasSubstr("gpu:1")) << device;
  }
}

TEST(VersionNumber, IsReadInBothSchemes) {
  struct Row {
    std::int32_t number;
    const char* text;
  };
  for (const Row& row :
       {Row{8601, "8.6.1"}, {9300, "9.3.0"}, {100001, "10.0.1"}, {101600, "10.16.0"}, {110200, "11.2.0"}}) {
    EXPECT_EQ(to_string(decode_version(row.number)), row.text);
  }
}

TEST(VersionNumber, FitsWithinAMajorVersionAndNoOlder) {
  const Version headers{11, 1, 0};
  for (const Version fits : {Version{11, 1, 0}, {11, 1, 3}, {11, 2, 0}, {11, 40, 0}}) {
    EXPECT_NO_THROW(check_version(fits, headers, "l")) << to_string(fits);
  }
  struct Row {
    Version met;
    const char* says;
  };
  for (const Row& row : {Row{{11, 0, 9}, "too old"}, {{10, 16, 0}, "too old"}, {{12, 0, 0}, "too new"}}) {
    const std::string reason = unavailable([&] { check_version(row.met, headers, "/x/libnvinfer.so"); });
    EXPECT_THAT(reason, AllOf(HasSubstr(row.says), HasSubstr(to_string(row.met)), HasSubstr("takes 11.1"),
                              HasSubstr("/x/libnvinfer.so")));
  }
}

}  // namespace
}  // namespace assay::tensorrt
