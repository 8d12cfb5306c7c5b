// TensorRT's errors and log, and the times of its layers.
#include <gmock/gmock.h>

#include "assay/backend_kit_framework.hpp"
#include "layer_times.hpp"
#include "trt_log.hpp"

namespace assay::tensorrt {
namespace {

using nvinfer1::ErrorCode;
using testing::HasSubstr;

std::pair<assay_status, std::string> failure_of(ErrorList& errors, assay_status otherwise = ASSAY_FRAMEWORK) {
  try {
    errors.fail("building", otherwise);
  } catch (const kit::Failure& e) {
    return {e.code(), e.what()};
  }
}

TEST(Errors, HaveAStatusByCodeAndText) {
  struct Row {
    ErrorCode code;
    const char* text;
    assay_status status;
  };
  const Row rows[] = {
      {ErrorCode::kFAILED_ALLOCATION, "x", ASSAY_OUT_OF_MEMORY},
      {ErrorCode::kINTERNAL_ERROR, "Cuda Runtime (out of memory)", ASSAY_OUT_OF_MEMORY},
      {ErrorCode::kUNSUPPORTED_STATE, "x", ASSAY_UNSUPPORTED},
      {ErrorCode::kINTERNAL_ERROR, "Could not find any implementation for node conv1", ASSAY_UNSUPPORTED},
      {ErrorCode::kINTERNAL_ERROR, "Assertion failed", ASSAY_FRAMEWORK},
      {ErrorCode::kINVALID_ARGUMENT, "x", ASSAY_FRAMEWORK},
  };
  for (const Row& row : rows) EXPECT_EQ(status_of(row.code, row.text, ASSAY_FRAMEWORK), row.status) << row.text;
}

TEST(Errors, AreToldWithoutPlacesAndOnce) {
  ErrorList errors;
  (void)errors.take();
  errors.reportError(ErrorCode::kINTERNAL_ERROR, "[a.cpp::f::12] Error Code 2: (the reason)");
  errors.reportError(ErrorCode::kFAILED_ALLOCATION, "no memory");
  const auto [status, text] = failure_of(errors);
  EXPECT_EQ(status, ASSAY_OUT_OF_MEMORY);
  EXPECT_EQ(text, "building failed: Error Code 2: (the reason); no memory");
  EXPECT_EQ(failure_of(errors, ASSAY_UNSUPPORTED),
            std::make_pair(assay_status{ASSAY_UNSUPPORTED}, std::string("building failed: TensorRT gave no reason")));
  EXPECT_EQ(without_location("[7] plain"), "[7] plain");
}

TEST(Errors, ThatWereLoggedAloneStandIn) {
  ErrorList errors;
  (void)errors.take();
  logger().log(nvinfer1::ILogger::Severity::kERROR, "only logged");
  EXPECT_THAT(failure_of(errors).second, HasSubstr("only logged"));
}

TEST(Errors, AreKeptUpToALimitAsTensorRtAsksForThem) {
  ErrorList errors;
  EXPECT_EQ(errors.getNbErrors(), 0);
  for (int i = 0; i < 40; ++i) errors.reportError(ErrorCode::kINVALID_STATE, std::to_string(i).c_str());
  EXPECT_EQ(errors.getNbErrors(), 32);
  EXPECT_TRUE(errors.hasOverflowed());
  EXPECT_STREQ(errors.getErrorDesc(31), "31");
  EXPECT_EQ(errors.getErrorCode(31), ErrorCode::kINVALID_STATE);
  EXPECT_STREQ(errors.getErrorDesc(32), "");
  EXPECT_EQ(errors.getErrorCode(-1), ErrorCode::kUNSPECIFIED_ERROR);
  EXPECT_EQ(errors.incRefCount(), 1);
  EXPECT_EQ(errors.decRefCount(), 0);
  errors.clear();
  EXPECT_EQ(errors.getNbErrors(), 0);
  EXPECT_FALSE(errors.hasOverflowed());
}

TEST(Log, GoesToTheHostByItsLevel) {
  static std::vector<std::pair<assay_log_level, std::string>> lines;
  lines.clear();
  assay_host host{};
  host.struct_size = sizeof host;
  host.log = [](void*, assay_log_level level, const char* text) { lines.emplace_back(level, text); };
  {
    const kit::LogScope scope{kit::Host(&host)};
    using Severity = nvinfer1::ILogger::Severity;
    for (const Severity s : {Severity::kINTERNAL_ERROR, Severity::kWARNING, Severity::kINFO, Severity::kVERBOSE}) {
      logger().log(s, "hello");
    }
  }
  logger().log(nvinfer1::ILogger::Severity::kWARNING, "to nobody");
  const std::vector<std::pair<assay_log_level, std::string>> expected = {{ASSAY_LOG_ERROR, "TensorRT: hello"},
                                                                         {ASSAY_LOG_WARNING, "TensorRT: hello"},
                                                                         {ASSAY_LOG_INFO, "TensorRT: hello"}};
  EXPECT_EQ(lines, expected);
}

TEST(Times, AreSummedByLayer) {
  LayerTimes times;
  for (int batch = 0; batch < 2; ++batch) {
    times.reportLayerTime("conv \"1\"", 0.5F);
    times.reportLayerTime("relu", 0.25F);
    times.count_batch();
  }
  EXPECT_EQ(times.json(),
            "{\"batches\": 2, \"nodes\": [{\"name\": \"conv \\\"1\\\"\", \"runs\": 2, \"device_us\": 1000.000000}, "
            "{\"name\": \"relu\", \"runs\": 2, \"device_us\": 500.000000}]}");
}

}  // namespace
}  // namespace assay::tensorrt
