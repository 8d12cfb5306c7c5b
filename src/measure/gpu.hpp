#pragma once
// What a GPU's readings say of a process that computed on it. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/campaign.hpp"
#include "nvidia/nvml.hpp"

namespace assay::measure {

/// A window's readings: the first at its beginning, the last at its end, those between at equal distances.
using GpuReadings = std::vector<nvidia::GpuReading>;

/// "noise.gpu.slowed" and "noise.gpu.power_cap" (shares of the readings), "noise.gpu.clock" (mean, Hz),
/// "noise.gpu.clock_drift" (by how much the clock's mean in the window's second half is another than in the first),
/// "noise.gpu.others" (other processes that hold memory of it). What was not told is absent.
std::map<std::string, std::vector<double>> gpu_noise(const GpuReadings& readings, std::uint32_t own_pid);

/// What was computed at another clock than the GPU's highest, and why: "the GPU was at its power cap in 80 % of the
/// readings, 1410 MHz of at most 1980"; "" where it was not.
std::string gpu_clock_remark(const GpuReadings& readings);

/// Joules between the first and the last reading; nothing where the counter was not told or began anew.
std::optional<double> gpu_energy(const GpuReadings& readings);

/// "memory.device".
struct DeviceMemory {
  std::optional<double> bytes;
  std::string remark;  ///< what is counted, or why nothing is
};
/// `before`: read before anything was loaded. The driver's own figure of this process, where it tells one (not within
/// containers, which see other process numbers); else by how much the whole device's grew.
DeviceMemory gpu_memory(const std::optional<nvidia::GpuReading>& before, const std::optional<nvidia::GpuReading>& now,
                        std::uint32_t own_pid);

/// Several GPUs that one process uses, read at a time, as one: their memory and energy together, of clocks the lowest,
/// of utilization and temperature the highest, and whatever slows one of them down. What one does not tell is not told.
nvidia::GpuReading gpus_together(const std::vector<nvidia::GpuReading>& gpus);

/// Others that compute on the GPU.
std::size_t other_processes(const nvidia::GpuReading& reading, std::uint32_t own_pid);

/// Whether it did something else before this process began.
bool gpu_is_busy(const nvidia::GpuReading& before);
/// The warning about a GPU that others use; nothing where nobody does. `own_pid`: of this process, which has nothing
/// there.
std::optional<Warning> gpu_not_idle(const std::string& device, const nvidia::GpuReading& before, std::uint32_t own_pid);

}  // namespace assay::measure
