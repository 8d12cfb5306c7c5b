#include "ort_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "assay/backend_kit_framework.hpp"
#include "assay/backend_kit_json.hpp"
#include "ort_report.hpp"
#include "temporary_folder.hpp"

namespace assay::ort {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::uint32_t asked_version = 0;  // by the library under construction

const void* const* answer_no_table(std::uint32_t version) {
  asked_version = version;
  return nullptr;
}
const void* const* answer_a_table(std::uint32_t version) {
  static const void* const kTable[1] = {nullptr};
  asked_version = version;
  return kTable;
}

std::string refusal(const kit::Host& host) {
  try {
    Library::get(host);
  } catch (const kit::Failure& failure) {
    EXPECT_EQ(failure.code(), ASSAY_UNAVAILABLE);
    return failure.what();
  }
  return "(found)";
}

TEST(LibraryVersion, IsTheSecondNumber) {
  EXPECT_EQ(api_version_of("1.32.0"), 32U);
  EXPECT_EQ(api_version_of("1.9.1"), 9U);
  EXPECT_EQ(api_version_of("1.33.0-dev"), 33U);
  EXPECT_EQ(api_version_of("2.0.0"), 0U);
  EXPECT_EQ(api_version_of("1."), 0U);
  EXPECT_EQ(api_version_of(""), 0U);
}

TEST(LibraryVersion, AnOlderOneIsRefusedWithBothVersionsAndNotAsked) {
  asked_version = 0;
  const ApiBase base = {answer_no_table, [] { return "1.9.0"; }};
  try {
    const Library library(base, {"/opt/old/libonnxruntime.so", "system"});
    ADD_FAILURE();
  } catch (const kit::Failure& failure) {
    EXPECT_EQ(failure.code(), ASSAY_UNAVAILABLE);
    EXPECT_THAT(failure.what(), AllOf(HasSubstr("1.9.0"), HasSubstr("1.17.0"), HasSubstr("/opt/old")));
  }
  EXPECT_EQ(asked_version, 0U);  // asking makes the library write to stderr
}

TEST(LibraryVersion, ANewerOneIsAskedForWhatIsNeeded) {
  const ApiBase base = {answer_a_table, [] { return "1.24.1"; }};
  const Library library(base, {});
  EXPECT_EQ(asked_version, kApiRequired);
  EXPECT_TRUE(library.has(kApiPlacement));
  EXPECT_FALSE(library.has(kApiReadBack));
}

TEST(FindLibrary, SaysWhereItLooked) {
  kit::Host host;
  host.roots = {{"/nowhere/at/all", "python environment"}};
  EXPECT_THAT(refusal(host), AllOf(HasSubstr("/nowhere/at/all (python environment)"), HasSubstr("assay setup")));
}

TEST(FindLibrary, RefusesABrokenFileAndAnotherLibrary) {
  const TemporaryFolder folder;
  kit::Host host;
  host.roots = {{folder.path().string(), "test"}};
  std::ofstream(folder.path() / "libonnxruntime.so.1.32.0") << "not a library";
  EXPECT_THAT(refusal(host), HasSubstr("cannot open"));
  host.library = "libm.so.6";
  EXPECT_THAT(refusal(host), HasSubstr("is not ONNX Runtime"));
}

TEST(Status, TellsWhoseFaultItIs) {
  EXPECT_EQ(status_of(ErrorCode::kInvalidProtobuf, ""), ASSAY_INVALID_MODEL);
  EXPECT_EQ(status_of(ErrorCode::kInvalidGraph, "This is an invalid model."), ASSAY_INVALID_MODEL);
  EXPECT_EQ(status_of(ErrorCode::kInvalidGraph, "No Op registered for Foo with domain_version of 17"),
            ASSAY_UNSUPPORTED);
  EXPECT_EQ(status_of(ErrorCode::kNotImplemented, "Could not find an implementation"), ASSAY_UNSUPPORTED);
  EXPECT_EQ(status_of(ErrorCode::kFail, "Unsupported model IR version: 99, max supported IR version: 13"),
            ASSAY_UNSUPPORTED);
  EXPECT_EQ(status_of(ErrorCode::kInvalidArgument, "Got invalid dimensions"), ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(status_of(ErrorCode::kRuntimeException, "std::bad_alloc"), ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(ErrorCode::kFail, "Failed to allocate memory for requested buffer of size 9"),
            ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(ErrorCode::kRuntimeException, "Non-zero status code"), ASSAY_FRAMEWORK);
  EXPECT_EQ(status_of(ErrorCode::kDeviceReset, ""), ASSAY_DEVICE_LOST);
  EXPECT_EQ(status_of(ErrorCode::kFail, "CUDA failure 700: an illegal memory access was encountered"),
            ASSAY_DEVICE_LOST);
  EXPECT_EQ(status_of(ErrorCode::kFail, "CUDA failure 2: out of memory"), ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(ErrorCode::kFail, "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"), ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(ErrorCode::kFail, "This session cannot use the graph capture feature as requested by the user"),
            ASSAY_UNSUPPORTED);
}

TEST(Log, GoesToTheHostThatIsOpenOrNowhere) {
  std::vector<std::string> lines;
  assay_host raw{};
  raw.log = [](void* user, assay_log_level level, const char* text) {
    static_cast<std::vector<std::string>*>(user)->push_back(std::to_string(level) + text);
  };
  raw.log_user = &lines;
  const kit::Host host(&raw);
  forward_log(nullptr, LogLevel::kError, "c", "id", "file:1", "before");
  {
    const kit::LogScope scope(host);
    forward_log(nullptr, LogLevel::kError, "c", "id", "file:1", "within");
  }
  forward_log(nullptr, LogLevel::kError, "c", "id", "file:1", "after");
  EXPECT_THAT(lines, ::testing::ElementsAre("3ONNX Runtime: within [c, file:1]"));
}

TEST(Json, StringsAreEscaped) { EXPECT_EQ(kit::json_string("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\""); }

}  // namespace
}  // namespace assay::ort
