#pragma once
// What a case says of an ensemble's inputs (shapes, batch axes, ranges, data), as its members name them. Pure.

#include <filesystem>
#include <span>
#include <vector>

#include "assay/assay.hpp"
#include "core/case.hpp"

namespace assay::worker {

/// What a member's file takes.
struct MemberFile {
  std::filesystem::path path;
  std::vector<TensorInfo> inputs;
};

/// Replaces what `c` says of the inputs of the ensemble of `files` by the same under the names that these have in an
/// ensemble of the `chosen` alone (indices into `files`), or in a member alone where one is chosen. What the chosen do
/// not take is left out. Throws Error(kInvalidArgument) as engine::wire does.
void rename_inputs(std::span<const MemberFile> files, std::span<const std::size_t> chosen, Case& c);

}  // namespace assay::worker
