#include "cli/place_devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "assay/error.hpp"

namespace assay::cli {
namespace {

bool is_the_cpu(const std::string& device) { return device == kCpu; }

/// What an engine tells of its memory; 0: nothing. `why`: why it has no such device, else "".
std::uint64_t memory_told(const std::string& backend, const runner::ProbeAnswer& answer, const std::string& device,
                          std::string& why) {
  why = runner::why_unavailable(answer, backend, device);
  if (!why.empty()) return 0;
  const auto it = std::find_if(answer.devices.begin(), answer.devices.end(),
                               [&](const runner::ProbeAnswer::Device& d) { return d.name == device; });
  return it->memory_bytes;
}

}  // namespace

std::map<std::string, runner::ProbeAnswer> probes_of(const tune::PlaceRequest& request,
                                                     const runner::RunSettings& settings, const Context& context) {
  std::map<std::string, runner::ProbeAnswer> probes;
  if (std::all_of(request.devices.begin(), request.devices.end(), is_the_cpu)) return probes;
  for (const std::string& backend : request.backends) {
    probes[backend] = runner::probe_backend(backend, settings.library_of(backend), *context.launcher, *context.stop);
  }
  if (*context.stop) probes.clear();  // who was not asked says nothing
  return probes;
}

std::map<std::string, double> device_limits(const tune::PlaceRequest& request,
                                            const std::map<std::string, runner::ProbeAnswer>& probes) {
  std::map<std::string, double> limits;
  for (const std::string& device : request.devices) {
    if (is_the_cpu(device) || probes.empty()) continue;
    std::vector<std::string> reasons;
    for (const auto& [backend, answer] : probes) {
      std::string why;
      const std::uint64_t bytes = memory_told(backend, answer, device, why);
      if (!why.empty()) reasons.push_back(why);
      if (bytes > 0) limits[device] = static_cast<double>(bytes);
    }
    if (reasons.size() < probes.size()) continue;
    throw Error(ErrorCode::kUnavailable, fmt::format("--device: no engine that was asked for has '{}': {}", device,
                                                     fmt::join(reasons, "; and ")));
  }
  return limits;
}

}  // namespace assay::cli
