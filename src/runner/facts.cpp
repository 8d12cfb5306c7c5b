#include "runner/facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/tensorflow_facts.hpp"

namespace assay::runner {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
/// Of a backend that reads SavedModels.
constexpr const char* kSignatureOption = "signature";

}  // namespace

std::optional<std::uint64_t> least_memory(const Case& c, const ModelFacts& facts) {
  if (!facts.step_bytes) return std::nullopt;
  const double batches = std::max(c.in_flight, 1);
  const double samples = static_cast<double>(std::max<std::int64_t>(c.batch_size, 1));
  return facts.weight_bytes + static_cast<std::uint64_t>(batches * samples * static_cast<double>(*facts.step_bytes));
}

std::string why_too_large(const Case& c, const ModelFacts& facts, std::uint64_t machine_memory) {
  if (c.device != "cpu") return {};  // its layers are in the device's memory: what does not fit there says so itself
  const auto least = least_memory(c, facts);
  if (machine_memory == 0 || !least || *least <= machine_memory) return {};
  return fmt::format("it takes at least {:.1f} GiB by estimate, and may take {:.1f} GiB here; take a smaller batch",
                     static_cast<double>(*least) / kGiB, static_cast<double>(machine_memory) / kGiB);
}

std::string why_no_signature(const Case& c, const ModelFacts& facts) {
  const auto& there = facts.signatures;
  const auto given = c.options.find(kSignatureOption);
  const std::string wanted = given == c.options.end() ? model::kDefaultSignature : given->second;
  if (there.empty() || std::find(there.begin(), there.end(), wanted) != there.end()) return {};
  return fmt::format("the SavedModel has no signature '{}'; it has: {}. Choose one with --option {}.{}=NAME", wanted,
                     fmt::join(there, ", "), c.backend, kSignatureOption);
}

double parity_tolerance(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return 2e-4;
    case Precision::kFloat16:
      return 1e-2;
    case Precision::kBFloat16:
      return 5e-2;
    case Precision::kInt8:
      return 0.1;  // of answers whose first class may differ
  }
  return 2e-4;
}

}  // namespace assay::runner
