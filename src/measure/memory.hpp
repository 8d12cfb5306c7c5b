#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace assay::measure {

/// Memory of a process, bytes.
struct ProcessMemory {
  std::uint64_t pss = 0;            ///< proportional set size now
  std::uint64_t resident = 0;       ///< resident set size now
  std::uint64_t peak_resident = 0;  ///< its high-water mark
  /// The high-water mark less what is shared with other processes now: PSS has no mark of its own.
  [[nodiscard]] std::uint64_t peak_pss() const {
    const std::uint64_t shared = resident > pss ? resident - pss : 0;
    return peak_resident > shared ? peak_resident - shared : peak_resident;
  }
};

/// Of `process` ("self" or a number) below `root`. Nothing where it is gone or may not be read.
std::optional<ProcessMemory> read_process_memory(const std::filesystem::path& root = "/",
                                                 const std::string& process = "self");

/// Resident bytes of a process, cheaply (statm); 0 when it is gone.
std::uint64_t resident_bytes(int pid, const std::filesystem::path& root = "/");

}  // namespace assay::measure
