#pragma once
// What an error of CUDA's means to whoever asked. Pure.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

#include "assay/backend_abi.h"

namespace assay::nvidia {

struct ErrorMeaning {
  assay_status code;
  const char* advice;  ///< what to do, as a sentence; "" where only the words of CUDA's help
};

ErrorMeaning meaning_of(cudaError_t status);

/// "600 bytes", "1.5 MiB".
std::string size_text(std::uint64_t bytes);

}  // namespace assay::nvidia
