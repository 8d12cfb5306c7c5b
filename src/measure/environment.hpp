#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/campaign.hpp"

namespace assay::measure {

/// What is known of the machine, and what about it bears on trust.
struct Environment {
  std::map<std::string, std::string> values;  ///< "cpu.model", "cpu.allowed", "memory.total" …; absent: not to be known
  std::vector<Warning> warnings;
};

/// Where one of these differs, the machine or what of it may be used does: figures cannot be compared.
inline constexpr const char* kMachineKeys[] = {"host.name",    "cpu.model", "cpu.allowed",
                                               "cpu.affinity", "cpu.quota", "memory.total"};

/// Reads /proc and /sys below `root` (tests give a tree of their own). Never throws: what is missing is left out.
Environment read_environment(const std::filesystem::path& root = "/");

/// Bytes of the last-level cache of the first CPU, or nothing known: 32 MiB.
std::uint64_t last_level_cache_bytes(const std::filesystem::path& root = "/");

/// MemTotal and MemAvailable, cut to the cgroup's limit; 0 where not known.
struct MachineMemory {
  std::uint64_t total = 0, available = 0;
};
MachineMemory machine_memory(const std::filesystem::path& root = "/");

}  // namespace assay::measure
