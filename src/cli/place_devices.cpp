#include "cli/place_devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "assay/error.hpp"

namespace assay::cli {
namespace {

bool is_the_cpu(const std::string& device) { return device == kCpu; }

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
    std::vector<std::string> having, reasons;
    for (const auto& [backend, answer] : probes) {
      const std::string why = runner::why_unavailable(answer, backend, device);
      why.empty() ? having.push_back(backend) : reasons.push_back(why);
    }
    if (having.empty()) {
      throw Error(ErrorCode::kUnavailable, fmt::format("--device: no engine that was asked for has '{}': {}", device,
                                                       fmt::join(reasons, "; and ")));
    }
    const std::uint64_t bytes = runner::memory_of(
        device, having, [&](const std::string& b) -> const runner::ProbeAnswer& { return probes.at(b); });
    if (bytes > 0) limits[device] = static_cast<double>(bytes);
  }
  return limits;
}

}  // namespace assay::cli
