#include "measure/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/cpu.hpp"
#include "measure/files.hpp"

namespace assay::measure {
namespace {

namespace fs = std::filesystem;

constexpr double kKibi = 1024;
constexpr std::uint64_t kUsualCache = UINT64_C(32) << 20;

void put(Environment& e, const std::string& key, const std::optional<std::string>& value) {
  if (value && !value->empty()) e.values[key] = *value;
}

void warn(Environment& e, const char* kind, std::string message, std::string advice) {
  e.warnings.push_back({kind, std::move(message), std::move(advice)});
}

void read_cpu(const fs::path& root, Environment& e) {
  const auto info = read_fields(root / "proc/cpuinfo");
  for (const auto& [key, name] :
       {std::pair{"cpu.model", "model name"}, {"cpu.flags", "flags"}, {"cpu.microcode", "microcode"}}) {
    if (const auto it = info.find(name); it != info.end()) put(e, key, it->second);
  }
  const int allowed = allowed_cores(root);
  const int mask = affinity_cores(root);
  e.values["cpu.allowed"] = std::to_string(allowed);
  if (mask > 0) e.values["cpu.affinity"] = std::to_string(mask);
  const auto cpus = numbered_folders(root / "sys/devices/system/cpu", "cpu");
  if (!cpus.empty()) e.values["cpu.count"] = std::to_string(cpus.size());
  put(e, "cpu.smt", read_text(root / "sys/devices/system/cpu/smt/control"));
  const auto nodes = numbered_folders(root / "sys/devices/system/node", "node");
  if (!nodes.empty()) e.values["numa.nodes"] = std::to_string(nodes.size());
  if (e.values.count("cpu.flags") != 0 && e.values["cpu.flags"].find("hypervisor") != std::string::npos) {
    e.values["virtual"] = "yes";
  }
}

void read_quota(const fs::path& root, Environment& e) {
  const std::optional<double> quota = cgroup_cpu_quota(root);
  if (!quota) return;
  e.values["cpu.quota"] = fmt::format("{:.2f}", *quota);
  const int mask = affinity_cores(root);
  if (mask > 0 && *quota >= mask) return;
  warn(e, "cpu-quota",
       fmt::format("the cgroup grants {:.2f} CPUs of {}", *quota, mask > 0 ? mask : allowed_cores(root)),
       "a quota stops threads in the middle of a batch: give whole cores (cpuset) instead, or lift the quota");
}

void read_frequency(const fs::path& root, Environment& e) {
  const fs::path cpufreq = root / "sys/devices/system/cpu/cpu0/cpufreq";
  const std::optional<std::string> governor = read_text(cpufreq / "scaling_governor");
  put(e, "cpu.governor", governor);
  put(e, "cpu.frequency.max_khz", read_text(cpufreq / "cpuinfo_max_freq"));
  if (governor && *governor != "performance") {
    warn(e, "governor", "the CPU frequency governor is \"" + *governor + "\"",
         "set it to \"performance\" (cpupower frequency-set -g performance) while measuring");
  }
  std::optional<bool> turbo;
  if (const auto off = read_number(root / "sys/devices/system/cpu/intel_pstate/no_turbo")) turbo = *off == 0;
  if (const auto on = read_number(root / "sys/devices/system/cpu/cpufreq/boost")) turbo = *on != 0;
  if (!turbo) return;
  e.values["cpu.turbo"] = *turbo ? "on" : "off";
  if (*turbo) {
    warn(e, "turbo", "turbo frequencies are on: speed depends on temperature and on what the other cores do",
         "switch them off for figures that repeat, or leave them on for figures as users see them");
  }
}

void read_memory(const fs::path& root, Environment& e) {
  const MachineMemory memory = machine_memory(root);
  if (memory.total > 0) e.values["memory.total"] = std::to_string(memory.total);
  if (memory.available > 0) e.values["memory.available"] = std::to_string(memory.available);
  const auto info = read_fields(root / "proc/meminfo");
  if (const auto it = info.find("SwapTotal"); it != info.end()) {
    e.values["memory.swap"] = fmt::format("{:.0f}", to_number(it->second).value_or(0) * kKibi);
  }
  // "always [madvise] never": the one in force is in brackets.
  const std::optional<std::string> pages = read_text(root / "sys/kernel/mm/transparent_hugepage/enabled");
  if (!pages) return;
  const std::size_t open = pages->find('[');
  const std::size_t close = pages->find(']');
  if (open != std::string::npos && close != std::string::npos) {
    e.values["memory.huge_pages"] = pages->substr(open + 1, close - open - 1);
  }
}

void read_system(const fs::path& root, Environment& e) {
  put(e, "kernel", read_text(root / "proc/sys/kernel/osrelease"));
  put(e, "host.name", read_text(root / "proc/sys/kernel/hostname"));
  const std::vector<std::string> release = read_lines(root / "etc/os-release");
  for (const std::string& line : release) {
    if (line.starts_with("PRETTY_NAME=\"")) put(e, "os", line.substr(13, line.size() - 14));
  }
  put(e, "gpu.driver", read_text(root / "sys/module/nvidia/version"));
}

/// Tasks that run or could, ours among them: "0.20 0.18 0.12 1/80 11206", the fourth.
int running_tasks(const fs::path& root) {
  std::istringstream in(read_text(root / "proc/loadavg").value_or(""));
  double minutes = 0;
  int running = 0;
  for (int i = 0; i < 3; ++i) in >> minutes;
  in >> running;
  return running;
}

void read_load(const fs::path& root, Environment& e) {
  const std::optional<double> load = read_number(root / "proc/loadavg");
  if (!load) return;
  e.values["load.1min"] = fmt::format("{:.2f}", *load);
  const int cores = allowed_cores(root);
  // A tenth of the cores busy before anything of ours runs, and still now: an earlier run of ours is in the mean, too.
  const int others = running_tasks(root) - 1;
  if (*load > 0.1 * cores && *load > 0.3 && others > 0) {
    warn(e, "noisy-neighbour",
         fmt::format("the load before the start is {:.2f} on {} cores, and {} other task{} running now", *load, cores,
                     others, others == 1 ? " is" : "s are"),
         "stop what else runs on this machine, or measure when it is quiet; more processes (--effort standard) average "
         "some of it");
  }
}

std::optional<double> size_with_suffix(const std::string& text) {
  const std::optional<double> number = to_number(text);
  if (!number) return std::nullopt;
  if (text.find('K') != std::string::npos) return *number * kKibi;
  if (text.find('M') != std::string::npos) return *number * kKibi * kKibi;
  return number;
}

/// The tightest limit of the cgroups, 0 where there is none.
std::uint64_t cgroup_memory_limit(const fs::path& root) {
  std::uint64_t limit = 0;
  const auto look = [&](const std::string& controller, const char* file) {
    for (const fs::path& folder : cgroup_folders(root, controller)) {
      const std::optional<double> bytes = read_number(folder / file);
      // Version 1 writes "no limit" as a number near 2^63.
      if (!bytes || *bytes <= 0 || *bytes > 0x1p60) continue;
      const auto found = static_cast<std::uint64_t>(*bytes);
      limit = limit == 0 ? found : std::min(limit, found);
    }
  };
  look("", "memory.max");
  look("memory", "memory.limit_in_bytes");
  return limit;
}

}  // namespace

MachineMemory machine_memory(const fs::path& root) {
  MachineMemory memory;
  const auto info = read_fields(root / "proc/meminfo");
  const auto kibibytes = [&](const char* key) {
    const auto it = info.find(key);
    return it == info.end() ? UINT64_C(0) : static_cast<std::uint64_t>(to_number(it->second).value_or(0) * kKibi);
  };
  memory.total = kibibytes("MemTotal");
  memory.available = kibibytes("MemAvailable");
  if (const std::uint64_t limit = cgroup_memory_limit(root); limit > 0 && limit < memory.total) {
    memory.total = limit;
    memory.available = std::min(memory.available, limit);
  }
  return memory;
}

std::uint64_t last_level_cache_bytes(const fs::path& root) {
  std::uint64_t size = 0;
  double highest = 0;
  for (const fs::path& index : numbered_folders(root / "sys/devices/system/cpu/cpu0/cache", "index")) {
    const std::optional<std::string> text = read_text(index / "size");
    const double level = read_number(index / "level").value_or(0);
    if (!text || level < highest) continue;
    highest = level;
    size = static_cast<std::uint64_t>(size_with_suffix(*text).value_or(0));
  }
  return size > 0 ? size : kUsualCache;
}

Environment read_environment(const fs::path& root) {
  Environment e;
  read_cpu(root, e);
  read_quota(root, e);
  read_frequency(root, e);
  read_memory(root, e);
  read_system(root, e);
  read_load(root, e);
  e.values["cpu.last_level_cache"] = std::to_string(last_level_cache_bytes(root));
  return e;
}

}  // namespace assay::measure
