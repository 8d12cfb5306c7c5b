#pragma once
// NVIDIA's management library (libnvidia-ml.so.1, part of the driver), opened by dlopen: what a GPU's memory, energy
// counter, clocks and other users say. Nothing here changes a setting. Types are those of nvml.h of the pinned wheel.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay::nvidia {

struct GpuProcess {
  std::uint32_t pid;
  std::optional<std::uint64_t> memory_bytes;  ///< nothing where the driver does not tell (containers, MIG)
};

/// One reading. What a GPU or driver does not tell is empty.
struct GpuReading {
  std::optional<std::uint64_t> memory_used_bytes;  ///< of the whole device, reserved memory left out
  std::optional<std::uint64_t> energy_mj;          ///< since the driver was loaded (Volta and newer)
  std::optional<std::uint32_t> sm_clock_mhz, max_sm_clock_mhz, temperature_c, utilization_percent;
  std::vector<std::string> throttle_reasons;  ///< in force: "power cap", "thermal slow-down", "hardware slow-down" …
  std::vector<GpuProcess> processes;          ///< that compute on it
};

class Nvml {
 public:
  /// nullptr where it is not to be had; `why` then says so exactly (no library, no driver, driver and library differ).
  static const Nvml* open(std::string& why);

  [[nodiscard]] std::string driver_version() const;
  /// By CUDA's UUID, since the two number GPUs differently. Empty: not there, `why` says what is.
  [[nodiscard]] std::optional<GpuReading> read(const std::string& uuid, std::string& why) const;

 private:
  Nvml() = default;
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace assay::nvidia
