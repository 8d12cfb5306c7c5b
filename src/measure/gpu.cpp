#include "measure/gpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace assay::measure {
namespace {

using nvidia::GpuReading;

constexpr double kHzPerMhz = 1e6;
constexpr double kMillijoules = 1e-3;
constexpr double kBytesPerMib = 1024.0 * 1024.0;
// Fewer tell nothing of halves.
constexpr std::size_t kReadingsForHalves = 4;
// Percent of the time; NVML averages over up to a second.
constexpr std::uint32_t kIdleUtilization = 5;

bool has_reason(const GpuReading& r, std::string_view reason) {
  return std::find(r.throttle_reasons.begin(), r.throttle_reasons.end(), reason) != r.throttle_reasons.end();
}

bool slowed(const GpuReading& r) {
  return std::any_of(std::begin(nvidia::kSlowDowns), std::end(nvidia::kSlowDowns),
                     [&](std::string_view reason) { return has_reason(r, reason); });
}

bool capped(const GpuReading& r) { return has_reason(r, nvidia::kPowerCap); }

double share_of(const GpuReadings& readings, bool (*holds)(const GpuReading&)) {
  const auto n = std::count_if(readings.begin(), readings.end(), holds);
  return static_cast<double>(n) / static_cast<double>(std::max<std::size_t>(1, readings.size()));
}

std::vector<double> clocks_mhz(const GpuReadings& readings) {
  std::vector<double> clocks;
  for (const GpuReading& r : readings) {
    if (r.sm_clock_mhz) clocks.push_back(*r.sm_clock_mhz);
  }
  return clocks;
}

double mean_of(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - begin);
}

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / kBytesPerMib; }

std::optional<std::uint64_t> own_memory(const GpuReading& r, std::uint32_t own_pid) {
  for (const nvidia::GpuProcess& p : r.processes) {
    if (p.pid == own_pid) return p.memory_bytes;
  }
  return std::nullopt;
}

/// The two together; nothing where one of them is not told.
template <class T, class Together>
void join(std::optional<T>& all, const std::optional<T>& one, Together together) {
  if (all && one) {
    all = together(*all, *one);
  } else {
    all.reset();
  }
}

void add_processes(std::vector<nvidia::GpuProcess>& all, const std::vector<nvidia::GpuProcess>& more) {
  for (const nvidia::GpuProcess& p : more) {
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const nvidia::GpuProcess& known) { return known.pid == p.pid; });
    if (it == all.end()) {
      all.push_back(p);
    } else {
      join(it->memory_bytes, p.memory_bytes, std::plus<>());
    }
  }
}

}  // namespace

nvidia::GpuReading gpus_together(const std::vector<nvidia::GpuReading>& gpus) {
  const auto lowest = [](std::uint32_t a, std::uint32_t b) { return std::min(a, b); };
  const auto highest = [](std::uint32_t a, std::uint32_t b) { return std::max(a, b); };
  GpuReading all = gpus.front();
  for (std::size_t g = 1; g < gpus.size(); ++g) {
    const GpuReading& one = gpus[g];
    join(all.memory_used_bytes, one.memory_used_bytes, std::plus<>());
    join(all.energy_mj, one.energy_mj, std::plus<>());
    join(all.sm_clock_mhz, one.sm_clock_mhz, lowest);
    join(all.max_sm_clock_mhz, one.max_sm_clock_mhz, lowest);
    join(all.temperature_c, one.temperature_c, highest);
    join(all.utilization_percent, one.utilization_percent, highest);
    for (const std::string& reason : one.throttle_reasons) {
      if (!has_reason(all, reason)) all.throttle_reasons.push_back(reason);
    }
    add_processes(all.processes, one.processes);
  }
  return all;
}

std::size_t other_processes(const GpuReading& reading, std::uint32_t own_pid) {
  return static_cast<std::size_t>(std::count_if(reading.processes.begin(), reading.processes.end(),
                                                [&](const nvidia::GpuProcess& p) { return p.pid != own_pid; }));
}

std::map<std::string, std::vector<double>> gpu_noise(const GpuReadings& readings, std::uint32_t own_pid) {
  std::map<std::string, std::vector<double>> values;
  if (readings.empty()) return values;
  values["noise.gpu.slowed"] = {share_of(readings, slowed)};
  values["noise.gpu.power_cap"] = {share_of(readings, capped)};
  // In a container we are among the others, under a number that is not ours: one of them is not counted.
  const std::size_t listed = readings.back().processes.size();
  const std::size_t others = std::min(other_processes(readings.back(), own_pid), listed == 0 ? 0 : listed - 1);
  values["noise.gpu.others"] = {static_cast<double>(others)};
  const std::vector<double> clocks = clocks_mhz(readings);
  if (clocks.empty()) return values;
  values["noise.gpu.clock"] = {mean_of(clocks, 0, clocks.size()) * kHzPerMhz};
  if (clocks.size() < kReadingsForHalves) return values;
  const double first = mean_of(clocks, 0, clocks.size() / 2);
  const double second = mean_of(clocks, clocks.size() / 2, clocks.size());
  if (first > 0) values["noise.gpu.clock_drift"] = {std::abs(second / first - 1)};
  return values;
}

std::string gpu_clock_remark(const GpuReadings& readings) {
  std::string held;
  const auto say = [&](const char* what, double share) {
    if (share > 0) held += fmt::format("{}{} in {:.0f} % of the readings", held.empty() ? "" : ", ", what, 100 * share);
  };
  say("at its power cap", share_of(readings, capped));
  say("slowed down for heat or its power supply", share_of(readings, slowed));
  if (held.empty()) return {};
  const std::vector<double> clocks = clocks_mhz(readings);
  std::string clock;
  if (!clocks.empty()) {
    clock = fmt::format(": {:.0f} MHz in the mean", mean_of(clocks, 0, clocks.size()));
    const std::optional<std::uint32_t> highest = readings.back().max_sm_clock_mhz;
    if (highest) clock += fmt::format(", of at most {}", *highest);
  }
  return "the GPU was " + held + clock;
}

std::optional<double> gpu_energy(const GpuReadings& readings) {
  if (readings.size() < 2) return std::nullopt;
  const auto& begin = readings.front().energy_mj;
  const auto& end = readings.back().energy_mj;
  if (!begin || !end || *end <= *begin) return std::nullopt;
  return static_cast<double>(*end - *begin) * kMillijoules;
}

DeviceMemory gpu_memory(const std::optional<GpuReading>& before, const std::optional<GpuReading>& now,
                        std::uint32_t own_pid) {
  if (!now) return {{}, "NVML did not tell"};
  const std::string whole = now->memory_used_bytes
                                ? fmt::format("the whole device has {:.0f} MiB in use, {} other process{} on it",
                                              mib(*now->memory_used_bytes), other_processes(*now, own_pid),
                                              other_processes(*now, own_pid) == 1 ? "" : "es")
                                : "the whole device's is not told";
  if (const auto own = own_memory(*now, own_pid)) {
    return {static_cast<double>(*own),
            "the process's by NVML: model, batches, what the framework keeps, CUDA's context and code; " + whole};
  }
  if (!before || !before->memory_used_bytes || !now->memory_used_bytes) {
    return {{}, "the driver tells neither the process's nor the whole device's"};
  }
  const std::uint64_t used = *now->memory_used_bytes;
  const std::uint64_t held = std::min(used, *before->memory_used_bytes);
  return {
      static_cast<double>(used - held),
      fmt::format("what the whole device has in use beyond the {:.0f} MiB before loading, since the driver does not "
                  "tell the process's: what others took meanwhile is in it",
                  mib(*before->memory_used_bytes))};
}

bool gpu_is_busy(const GpuReading& before) { return before.utilization_percent.value_or(0) > kIdleUtilization; }

std::optional<Warning> gpu_not_idle(const std::string& device, const GpuReading& before, std::uint32_t own_pid) {
  const std::size_t others = other_processes(before, own_pid);
  std::string found;
  if (gpu_is_busy(before)) {
    found = fmt::format("it computed {} % of the time", before.utilization_percent.value_or(0));
  }
  if (others > 0) {
    found +=
        fmt::format("{}{} other process{} on it", found.empty() ? "" : " and ", others, others == 1 ? " is" : "es are");
  }
  if (found.empty()) return std::nullopt;
  return Warning{"gpu-not-idle", fmt::format("{} was not idle before the start: {}", device, found),
                 "end what else uses the GPU (nvidia-smi names it), or take another: its memory, clocks and energy are "
                 "those of all together"};
}

}  // namespace assay::measure
