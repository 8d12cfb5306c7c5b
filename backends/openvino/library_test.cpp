// Libraries that are missing, broken, too old or not OpenVINO at all; no framework is needed for these.
#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "backend.hpp"
#include "runtime.hpp"

namespace assay::openvino {
namespace {

using testing::HasSubstr;

class Library : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_openvino_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] kit::Host host() const {
    kit::Host h;
    h.roots.emplace_back(folder_, "test");
    return h;
  }
  std::string folder_;
};

TEST_F(Library, NoneIsUnavailableWithAdvice) {
  OpenVinoBackend backend;
  const kit::Probe probe = backend.probe(host());
  EXPECT_FALSE(probe.available);
  EXPECT_THAT(probe.reason, HasSubstr("assay setup openvino"));
  EXPECT_THAT(probe.reason, HasSubstr("ASSAY_OPENVINO_PATH"));
}

TEST_F(Library, ABrokenOneIsUnavailableAndNamed) {
  std::filesystem::create_directories(folder_ + "/openvino/libs");
  const std::string library = folder_ + "/openvino/libs/libopenvino_c.so.2641";
  std::ofstream(library) << "not a library";
  OpenVinoBackend backend;
  const kit::Probe probe = backend.probe(host());
  EXPECT_FALSE(probe.available);
  EXPECT_THAT(probe.reason, HasSubstr(library));
}

TEST(Messages, OfAFailureAreGivenBack) {
  static int given, taken;
  given = taken = 0;
  Runtime runtime;
  runtime.version = "2026.1";
  runtime.api.get_last_err_msg = [] {
    ++given;
    return static_cast<const char*>(::strdup("it is cursed"));
  };
  runtime.api.free = [](const char* text) {
    ++taken;
    ::free(const_cast<char*>(text));
  };
  try {
    check(runtime, -1, Phase::kRun, "running a batch");
    FAIL();
  } catch (const kit::Failure& e) {
    EXPECT_THAT(e.what(), HasSubstr("running a batch failed: it is cursed"));
  }
  EXPECT_EQ(given, 1);
  EXPECT_EQ(taken, 1);
}

TEST_F(Library, AForeignOneIsToldWhatItLacks) {
  kit::Host h;
  h.library = "libm.so.6";
  try {
    open_runtime(h);
    FAIL();
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNAVAILABLE);
    EXPECT_THAT(e.what(), HasSubstr("lacks ov_get_openvino_version"));
  }
}

TEST(Version, TooOldOrUnknownIsRefusedWithBothVersions) {
  EXPECT_NO_THROW(check_version("2026.0.0-1-releases", "l"));
  EXPECT_NO_THROW(check_version("2026.4.1-22038-6a4b6e3b2b5", "l"));
  EXPECT_NO_THROW(check_version("2031.1.0", "l"));
  for (const char* old : {"2025.4.0-1", "2023.3.0", "", "custom"}) {
    try {
      check_version(old, "/x/libopenvino_c.so");
      ADD_FAILURE() << "accepted '" << old << "'";
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_UNAVAILABLE);
      EXPECT_THAT(e.what(), HasSubstr("2026.0"));
      EXPECT_THAT(e.what(), HasSubstr("/x/libopenvino_c.so"));
    }
  }
}

TEST(Errors, AreClassifiedByWhatWasDoneAndSaid) {
  EXPECT_EQ(classify(Phase::kRead, "Error loading onnx model: unexpected end of file"), ASSAY_INVALID_MODEL);
  EXPECT_EQ(classify(Phase::kRead, "OpenVINO does not support the following ONNX operations: Foo"), ASSAY_UNSUPPORTED);
  EXPECT_EQ(classify(Phase::kReshape, "Incompatible dimensions"), ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(classify(Phase::kCompile, "Unsupported operation of type: Foo"), ASSAY_UNSUPPORTED);
  EXPECT_EQ(classify(Phase::kCompile, "could not create a primitive"), ASSAY_FRAMEWORK);
  EXPECT_EQ(classify(Phase::kRun, "std::bad_alloc"), ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(classify(Phase::kRun, "not supported"), ASSAY_FRAMEWORK);
}

TEST(Errors, SourceLocationsAreLeftOut) {
  EXPECT_EQ(first_sentence("Exception from src/core/src/core.cpp:95:\nCheck 'false' failed at src/a.cpp:3:\nthe "
                           "reason\n\nmore\n"),
            "the reason; more");
  EXPECT_EQ(first_sentence("plain"), "plain");
}

}  // namespace
}  // namespace assay::openvino
