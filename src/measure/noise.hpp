#pragma once
// What disturbed a process while it measured.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::measure {

/// Counters at one instant; empty where this machine does not tell.
struct NoiseReading {
  std::optional<double> steal_s;      ///< CPU seconds taken by the hypervisor, over the CPUs we may use
  std::optional<double> busy_s;       ///< CPU seconds used by anybody, over the same
  double tick_s = 0;                  ///< the unit of these two: the kernel counts in ticks, of each CPU
  std::optional<double> pressure_s;   ///< seconds in which some task waited for a CPU (PSI)
  std::optional<double> throttled_s;  ///< seconds for which the cgroup's quota stopped us
  std::optional<double> frequency_hz;
  std::optional<std::int64_t> throttle_events;  ///< thermal
  int cpus = 1;                                 ///< that we may use: the affinity mask
  std::int64_t involuntary_switches = 0;        ///< of this process
  double own_s = 0;                             ///< CPU seconds of this process
};

/// `root` stands for "/"; the process's own counters come from getrusage.
NoiseReading read_noise(const std::filesystem::path& root = "/");

/// Values "noise.steal", "noise.others", "noise.pressure", "noise.throttled" (shares of wall time, per CPU where it is
/// CPU time; what a tick of each CPU explains is 0), "noise.involuntary" (per second), "noise.frequency" (Hz),
/// "noise.thermal" (events). Unknown ones are absent.
std::map<std::string, std::vector<double>> noise_between(const NoiseReading& before, const NoiseReading& after,
                                                         double wall_s);

/// The rule for running a process again, the same for every arm: "" when quiet, else what was noisy, with figure and
/// bound. More than 2 % stolen, 5 % used by others, 1 % stopped by the quota, or any thermal event; of a GPU
/// (measure::gpu_noise) any slow-down for heat or its power supply, or a clock that moved by more than 5 %.
std::string noise_verdict(const std::map<std::string, std::vector<double>>& values);

}  // namespace assay::measure
