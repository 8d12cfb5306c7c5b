#pragma once

#include <chrono>
#include <string>

namespace assay::measure {

/// The machine's best rate of float32 multiply-adds, for comparison with a graph's.
struct FmaPeak {
  double flops_per_second = 0;  ///< 2 per multiply-add, over all threads
  std::string kernel;           ///< "avx512", "avx2", "sse2": the widest that CPUID reports
};

/// Runs `threads` threads of independent multiply-adds in registers for `duration` each and takes their sum.
FmaPeak measure_fma_peak(int threads, std::chrono::nanoseconds duration = std::chrono::milliseconds(50));

}  // namespace assay::measure
