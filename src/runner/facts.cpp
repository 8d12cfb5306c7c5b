#include "runner/facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model/tensorflow_facts.hpp"

namespace assay::runner {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
/// Of a backend that reads SavedModels.
constexpr const char* kSignatureOption = "signature";

/// Samples that member `m` computes at once.
std::int64_t batch_of(const Case& c, std::size_t m) {
  const std::vector<Placement::Seat>& seats = c.placement.seats;
  const std::int64_t own = m < seats.size() ? seats[m].batch_size : 0;
  return std::max<std::int64_t>(own > 0 ? own : c.batch_size, 1);
}

}  // namespace

std::map<std::string, std::uint64_t> least_memory(const Case& c, const ModelFacts& facts) {
  std::map<std::string, std::uint64_t> least;
  std::set<std::string> unknown;
  std::set<std::pair<std::string, std::filesystem::path>> held;  // weights, by device
  for (std::size_t m = 0; m < facts.footprints.size(); ++m) {
    const Footprint& one = facts.footprints[m];
    const std::string device = device_of(c, m);
    if (!one.step_bytes) unknown.insert(device);
    const std::filesystem::path& file = m < facts.members.size() ? facts.members[m] : facts.path;
    if (held.emplace(device, file).second) least[device] += one.weight_bytes;
    const double samples = static_cast<double>(std::max(c.in_flight, 1)) * static_cast<double>(batch_of(c, m));
    least[device] += static_cast<std::uint64_t>(samples * static_cast<double>(one.step_bytes.value_or(0)));
  }
  for (const std::string& device : unknown) least.erase(device);
  return least;
}

std::string why_too_large(const Case& c, const ModelFacts& facts, std::uint64_t machine_memory) {
  const auto all = least_memory(c, facts);
  const auto least = all.find(kCpu);  // what does not fit into another device's memory says so itself
  if (machine_memory == 0 || least == all.end() || least->second <= machine_memory) return {};
  return fmt::format("{} at least {:.1f} GiB by estimate, and may take {:.1f} GiB here; take a smaller batch",
                     gpus_of(c).empty() ? "it takes" : "its members on the CPU take",
                     static_cast<double>(least->second) / kGiB, static_cast<double>(machine_memory) / kGiB);
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
