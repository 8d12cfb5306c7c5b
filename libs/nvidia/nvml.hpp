#pragma once
// NVIDIA's management library (libnvidia-ml.so.1, part of the driver), opened by dlopen: what a GPU's memory, energy
// counter, clocks and other users say. Nothing here changes a setting. Types are those of nvml.h of the pinned wheel.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::nvidia {

struct GpuProcess {
  std::uint32_t pid;
  std::optional<std::uint64_t> memory_bytes;  ///< nothing where the driver does not tell (containers, MIG)
};

/// What holds a GPU's clocks down, as a reading names it: its power limit; heat or its power supply; a setting.
inline constexpr std::string_view kPowerCap = "power cap";
inline constexpr std::string_view kSlowDowns[] = {"hardware slow-down", "thermal slow-down",
                                                  "hardware thermal slow-down", "power brake"};

/// One reading. What a GPU or driver does not tell is empty.
struct GpuReading {
  std::optional<std::uint64_t> memory_used_bytes;  ///< of the whole device, reserved memory left out
  std::optional<std::uint64_t> energy_mj;          ///< since the driver was loaded (Volta and newer)
  std::optional<std::uint32_t> sm_clock_mhz, max_sm_clock_mhz, temperature_c, utilization_percent;
  std::vector<std::string> throttle_reasons;  ///< in force: those above, "sync boost", "clocks set", "display clocks"
  std::vector<GpuProcess> processes;          ///< that compute on it
};

class Nvml {
 public:
  /// nullptr where it is not to be had; `why` then says so exactly (no library, no driver, driver and library differ).
  static const Nvml* open(std::string& why);
  /// As `open`, of a library by its path, and the caller's own: for tests.
  static std::unique_ptr<const Nvml> load(const std::string& library, std::string& why);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  [[nodiscard]] std::string driver_version() const;  ///< "580.65.06"; "" where it does not tell
  /// By CUDA's UUID, since the two number GPUs differently. Empty: not there, `why` says what is.
  [[nodiscard]] std::optional<GpuReading> read(const std::string& uuid, std::string& why) const;

 private:
  Nvml();
  [[nodiscard]] std::string known_uuids() const;
  /// An nvmlDevice_t; nullptr: not there, `why` says what is.
  [[nodiscard]] void* handle_of(const std::string& uuid, std::string& why) const;
  [[nodiscard]] std::vector<GpuProcess> processes(void* device) const;  ///< an nvmlDevice_t
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace assay::nvidia
