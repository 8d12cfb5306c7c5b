#pragma once
// What the kernel says of this machine's caches.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace assay::compiler {

/// Bytes of the first CPU's unified cache of a level. (glibc's sysconf adds up the third-level caches of a whole
/// socket.) `cpu`: a CPU's folder in sysfs.
std::optional<std::int64_t> cache_bytes(int level, const std::filesystem::path& cpu = "/sys/devices/system/cpu/cpu0");

}  // namespace assay::compiler
