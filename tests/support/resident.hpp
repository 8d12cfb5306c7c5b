#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

// Where glibc's own heap is the process's: sanitizers have another, and keep for a while what was freed.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ASSAY_GLIBC_HEAP
#endif

namespace assay::test {

/// Bytes of memory that this process has.
inline std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace assay::test
