#pragma once
// What the reference answered: written by one worker, read by those that are checked against it.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "worker/protocol.hpp"

namespace assay::worker {

struct ReferenceOutput {
  std::string name;
  std::optional<int> softmax_axis;  ///< of the Softmax that produces it
  std::vector<Tensor> samples;      ///< batch axis 1 long
};

struct Reference {
  std::string identity;  ///< "onnxruntime 1.32.0, optimizations off, f32"
  std::string data_key;  ///< what the inputs are a function of
  std::vector<ReferenceOutput> outputs;
};

/// Equal for two requests whose seeded parity inputs are the same: seed, ranges, shapes, number of samples.
std::string parity_data_key(const Request& request);

/// Atomically. Throws Error(kIo).
void write_reference(const std::filesystem::path& file, const Reference& reference);
/// Throws Error(kIo) where the file is missing, cut short or damaged.
Reference read_reference(const std::filesystem::path& file);

}  // namespace assay::worker
