#pragma once
// What figures are of, beside their cases: figures of another build, machine or engine cannot be compared with them.

#include <filesystem>
#include <string>
#include <vector>

#include "state.hpp"

namespace assay::bench {

/// The state's figures are of this program and the worker, of this machine and what of it may be used, and of these
/// engines, and models that are files, as they are now. Throws as State::require.
void require_same(State& state, const std::vector<std::string>& engines, const std::vector<std::string>& models);

/// Programs by what they hold: linked again from the same code, they are the same.
std::string stamp_of_programs(const std::vector<std::filesystem::path>& programs);

/// A plugin by what it holds, whatever lies beside it. A framework by its `version` and the shared libraries in the
/// folder of its `library` ("": it has none), each by path, size and time, for they are large. Engines that are not
/// named here may change: figures are not of them.
std::string stamp_of_engine(const std::filesystem::path& plugin, const std::string& version,
                            const std::filesystem::path& library);

}  // namespace assay::bench
