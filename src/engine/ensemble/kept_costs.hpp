#pragma once
// What an ensemble's members were measured to cost, kept in <cache>/costs: the next load has no need to try them.
// docs/adr/0002.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/cache_entry.hpp"
#include "engine/session_impl.hpp"

namespace assay::engine {

/// What the time of a batch of `samples` depends on: what its graph does, and how that is run.
KeyParts cost_parts(const std::string& model_hash, const CheckedRequest& asked, std::int64_t samples);

/// Nothing where none are kept of these parts and so many members. A damaged or foreign file is passed over.
/// `cache_folder` as Params::cache.
std::optional<std::vector<double>> find_costs(const std::filesystem::path& cache_folder, const KeyParts& parts,
                                              std::size_t members);
/// False, with a warning: the folder cannot be written.
bool keep_costs(const std::filesystem::path& cache_folder, const KeyParts& parts, const std::vector<double>& costs,
                const LogFunction& log);

}  // namespace assay::engine
