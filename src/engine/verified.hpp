#pragma once
// Comparing 100 MB with its checksum takes as long as the rest of a load: it is done once, until something changes.

#include <filesystem>
#include <optional>
#include <string>

#include "engine/cache_entry.hpp"

namespace assay::engine {

/// As find_damage, but an entry that was found whole since the machine started (a power cut may leave zeros under
/// unchanged times) and none of whose files has changed since is not read again. Remembered in <cache>/verified.
std::optional<std::string> find_new_damage(const std::filesystem::path& entry, const Manifest& manifest);
void forget_verified(const std::filesystem::path& entry);

}  // namespace assay::engine
