#include "nvidia/cuda_errors.hpp"

#include <gtest/gtest.h>

#include <string>

namespace assay::nvidia {
namespace {

TEST(CudaErrors, MeanWhatFollowsFromThem) {
  struct Row {
    cudaError_t status;
    assay_status code;
  };
  for (const Row& row : {Row{cudaErrorMemoryAllocation, ASSAY_OUT_OF_MEMORY},
                         {cudaErrorInsufficientDriver, ASSAY_UNAVAILABLE},
                         {cudaErrorNoDevice, ASSAY_UNAVAILABLE},
                         {cudaErrorDevicesUnavailable, ASSAY_UNAVAILABLE},
                         {cudaErrorSystemDriverMismatch, ASSAY_UNAVAILABLE},
                         {cudaErrorLaunchFailure, ASSAY_DEVICE_LOST},
                         {cudaErrorIllegalAddress, ASSAY_DEVICE_LOST},
                         {cudaErrorECCUncorrectable, ASSAY_DEVICE_LOST},
                         {cudaErrorContained, ASSAY_DEVICE_LOST},
                         {cudaErrorTensorMemoryLeak, ASSAY_DEVICE_LOST},
                         {cudaErrorMpsClientTerminated, ASSAY_DEVICE_LOST},
                         {cudaErrorMpsServerNotReady, ASSAY_FRAMEWORK},
                         {cudaErrorStreamCaptureInvalidated, ASSAY_UNSUPPORTED},
                         {cudaErrorInvalidValue, ASSAY_FRAMEWORK},
                         {cudaErrorUnknown, ASSAY_FRAMEWORK}}) {
    const ErrorMeaning meaning = meaning_of(row.status);
    EXPECT_EQ(meaning.code, row.code) << row.status;
    EXPECT_EQ(std::string(meaning.advice).empty(), row.code == ASSAY_FRAMEWORK) << row.status;
  }
}

}  // namespace
}  // namespace assay::nvidia
