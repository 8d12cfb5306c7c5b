#pragma once
// The null backend's stand-in for a model: which tensors go in and out, from a line of text, and the values that come
// out: a function of the inputs alone, sample by sample, so that padding, ordering and aliasing defects show.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::null_backend {

struct IoRule {
  std::vector<kit::TensorInfo> inputs, outputs;
};

/// "a:float32:-1x8,b:int64:2->y:float32:-1x4,z:int64:?". -1 in an input: free. -1 first in an output: as long as the
/// first input's first axis; elsewhere: known only after the run. "?": not even the rank is known before the run.
/// Throws Failure(ASSAY_INVALID_ARGUMENT).
IoRule parse_rule(const std::string& text);

/// A hash of each sample of `inputs` (one in all, if an input has no free first axis), over up to 64 elements of each
/// input, the first and the last among them. `hashes` keeps its memory.
void hash_samples(const IoRule& rule, std::span<const assay_tensor> inputs, std::uint64_t seed,
                  std::vector<std::uint64_t>& hashes);

/// Element j of sample n is hash(hashes[n], output, j), as a number of the type: reals in [0, 1).
void write_output(const kit::TensorInfo& info, std::span<const std::uint64_t> hashes, std::size_t output,
                  const assay_tensor& tensor);

/// A counter-based generator's value.
std::uint64_t mix(std::uint64_t value);

}  // namespace assay::null_backend
