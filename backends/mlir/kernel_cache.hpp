#pragma once
// What a session leaves in the graph cache: the kernels' objects and the packed weights, with the text that they are
// of.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/plan.hpp"
#include "compiler/tuning.hpp"

namespace assay::mlir_backend {

struct CachedKernels {
  std::vector<std::string> objects;
  std::shared_ptr<const std::byte> packed;  ///< Plan::packed_bytes; mapped: processes share it
  std::chrono::nanoseconds compile{};       ///< what making the objects took
};

/// Nothing where the folder's are of another plan or target. Throws kit::Failure where a file cannot be read.
std::optional<CachedKernels> read_cache(const std::string& folder, const compiler::Plan& plan,
                                        const compiler::Target& target);

/// What `autotune` found when the folder was filled; nothing where it did not or cannot be read.
std::shared_ptr<const compiler::Tuning> cached_tuning(const std::string& folder);

/// Throws kit::Failure where a file cannot be written.
void fill_cache(const std::string& folder, const compiler::Plan& plan, const compiler::Target& target,
                const CachedKernels& kernels);

}  // namespace assay::mlir_backend
