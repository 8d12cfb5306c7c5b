#pragma once
// What the runner needs to know of a model before it runs.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/case.hpp"
#include "model/format.hpp"
#include "worker/member_inputs.hpp"

namespace assay::runner {

/// What of a model is in the memory of the device that computes it.
struct Footprint {
  std::uint64_t weight_bytes = 0;
  std::optional<std::int64_t> step_bytes;  ///< what one layer needs at the most, per sample
};

struct ModelFacts {
  std::filesystem::path path;                  ///< of the file; of an ensemble, of its first member's
  std::vector<std::filesystem::path> members;  ///< of an ensemble, in its order; empty for one model
  std::vector<worker::MemberFile> files;       ///< of an ensemble: what its members take
  std::string hash;                            ///< of its content
  model::Format format = model::Format::kOnnx;
  std::vector<std::string> signatures;  ///< of a SavedModel; empty: not known
  std::uint64_t weight_bytes = 0;       ///< of an ensemble, of its files
  std::vector<Footprint> footprints;    ///< by member; of one model, its own
  std::optional<std::int64_t> flops;    ///< per sample
  /// Some output has no batch axis though the inputs have: it is of a whole batch (the rows that NonZero finds).
  bool answers_together = false;
};

/// Throws Error where the model is missing or broken, or a member of an ensemble that can be none.
using ModelLookup = std::function<ModelFacts(const Case&)>;

/// Files and zoo networks (written below `cache_folder`), read once each. Not for several threads.
ModelLookup model_lookup(const std::filesystem::path& cache_folder);

/// Bytes that a case takes of each device's memory at the least: of every model there its weights, once, and the
/// largest layer's input and output for each batch under way. A device of which that is not known is left out.
std::map<std::string, std::uint64_t> least_memory(const Case& c, const ModelFacts& facts);

/// Why what the case has on the CPU cannot fit into `machine_memory` bytes (0: not known); "" where it may.
std::string why_too_large(const Case& c, const ModelFacts& facts, std::uint64_t machine_memory);

/// Why a SavedModel has not the signature that the case asks for; "" where it may have it.
std::string why_no_signature(const Case& c, const ModelFacts& facts);

/// How far outputs may be from the reference's, relative to its largest: by the precision asked for.
double parity_tolerance(Precision precision);

}  // namespace assay::runner
