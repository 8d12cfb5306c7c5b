#pragma once

#include <filesystem>
#include <optional>

namespace assay {

/// Cores that this process may use: its affinity mask, or the cgroup's quota (v1 or v2, the tightest of all ancestors,
/// rounded up) where that is less. At least 1. `root` is where proc and sys lie, for fake trees.
int allowed_cores(const std::filesystem::path& root = "/");

/// Cores' worth of time that the cgroup grants, 1.5 for 150 ms in 100 ms; nothing where there is no limit.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root = "/");

/// Cores in this process's affinity mask; 0 where it cannot be read.
int affinity_cores(const std::filesystem::path& root = "/");

}  // namespace assay
