#pragma once
// The devices that a search for a placement was given.

#include <map>
#include <string>

#include "cli/cli.hpp"
#include "runner/probe.hpp"
#include "runner/runner.hpp"
#include "tune/place_cases.hpp"

namespace assay::cli {

/// What each backend of the request says of itself; nobody is asked where there is the CPU alone.
std::map<std::string, runner::ProbeAnswer> probes_of(const tune::PlaceRequest& request,
                                                     const runner::RunSettings& settings, const Context& context);

/// Bytes of memory of each device besides the CPU, where an engine tells: as runner::memory_of has it. Throws
/// Error(kUnavailable) where no engine has one of the devices, with what each has.
std::map<std::string, double> device_limits(const tune::PlaceRequest& request,
                                            const std::map<std::string, runner::ProbeAnswer>& probes);

}  // namespace assay::cli
