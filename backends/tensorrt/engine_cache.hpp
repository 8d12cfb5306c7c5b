#pragma once
// What is kept of a build: the serialized engine, what it does not tell of itself, and the kernels' times that were
// measured. What an engine depends on (TensorRT's version, the GPU, its driver) is in the host's key.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "assay/backend_kit_file.hpp"

namespace assay::tensorrt {

/// Of the build, as the builder said it.
struct Facts {
  std::string precision;
  std::uint64_t workspace_bytes = 0;
  int optimization_level = 0;
  bool tf32 = false;
  friend bool operator==(const Facts&, const Facts&) = default;
};
std::string to_text(const Facts& facts);
/// Nothing where `text` is not of `to_text`.
std::optional<Facts> parse_facts(std::string_view text);

struct CachedEngine {
  kit::MappedFile engine;
  Facts facts;
};
/// Throws Failure where the folder holds none.
CachedEngine read_engine(const std::string& folder);
/// Throws Failure(ASSAY_FRAMEWORK) where they cannot be written, so that the host keeps no half of it.
void fill_folder(const std::string& folder, std::span<const std::byte> engine, const Facts& facts,
                 std::span<const std::byte> timing);

/// The times that an earlier build left in a file or, where none is named, in a cache folder. Empty: none.
std::string read_timing(const std::string& file, const std::string& folder);
/// Whole or not at all: written beside, then renamed.
void write_timing(const std::string& file, std::span<const std::byte> timing);

}  // namespace assay::tensorrt
