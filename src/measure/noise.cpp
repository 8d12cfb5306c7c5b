#include "measure/noise.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "measure/files.hpp"

namespace assay::measure {
namespace {

namespace fs = std::filesystem;

constexpr double kMicro = 1e-6;
constexpr double kNano = 1e-9;

/// "0-3,8" as a set.
std::set<int> listed(const std::string& text) {
  std::set<int> numbers;
  std::istringstream in(text);
  for (std::string range; std::getline(in, range, ',');) {
    std::istringstream ends(range);
    int first = 0;
    char dash = 0;
    if (!(ends >> first)) continue;
    int last = first;
    if (!(ends >> dash >> last)) last = first;
    for (int n = first; n <= last && n - first < 4096; ++n) numbers.insert(n);
  }
  return numbers;
}

/// Only the CPUs that we may use: in a container the others are somebody else's, and busy.
void read_stat(const fs::path& root, NoiseReading& r) {
  const auto status = read_fields(root / "proc/self/status");
  const auto mask = status.find("Cpus_allowed_list");
  const std::set<int> ours = mask == status.end() ? std::set<int>{} : listed(mask->second);
  const auto per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  double busy = 0;
  double steal = 0;
  int cpus = 0;
  for (const std::string& line : read_lines(root / "proc/stat")) {
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    // proc(5): user nice system idle iowait irq softirq steal guest guest_nice, in clock ticks; guest is within user.
    std::istringstream in(line.substr(3));
    int number = 0;
    std::array<double, 8> ticks{};
    in >> number;
    for (double& t : ticks) in >> t;
    if (!in || (!ours.empty() && ours.count(number) == 0)) continue;
    ++cpus;
    busy += (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / per_second;
    steal += ticks[7] / per_second;
  }
  if (cpus == 0) return;
  r.cpus = cpus;
  r.busy_s = busy;
  r.steal_s = steal;
  r.tick_s = 1 / per_second;
}

void read_pressure(const fs::path& root, NoiseReading& r) {
  // "some avg10=0.63 avg60=1.39 avg300=0.44 total=7323328": microseconds.
  for (const std::string& line : read_lines(root / "proc/pressure/cpu")) {
    const std::size_t at = line.find("total=");
    if (!line.starts_with("some") || at == std::string::npos) continue;
    if (const auto total = to_number(std::string_view(line).substr(at + 6))) r.pressure_s = *total * kMicro;
  }
}

void read_quota_stops(const fs::path& root, NoiseReading& r) {
  const auto add = [&](double seconds) { r.throttled_s = std::max(r.throttled_s.value_or(0), seconds); };
  for (const auto& [controller, key, unit] :
       {std::tuple{"", "throttled_usec", kMicro}, {"cpu", "throttled_time", kNano}}) {
    for (const fs::path& folder : cgroup_folders(root, controller)) {
      const auto fields = read_fields(folder / "cpu.stat", ' ');
      const auto it = fields.find(key);
      if (it == fields.end()) continue;
      if (const auto value = to_number(it->second)) add(*value * unit);
    }
  }
}

void read_clocks(const fs::path& root, NoiseReading& r) {
  double sum = 0;
  int n = 0;
  for (const fs::path& cpu : numbered_folders(root / "sys/devices/system/cpu", "cpu")) {
    if (const auto khz = read_number(cpu / "cpufreq/scaling_cur_freq")) {
      sum += *khz * 1000;
      ++n;
    }
    for (const char* counter : {"core_throttle_count", "package_throttle_count"}) {
      const auto events = read_number(cpu / "thermal_throttle" / counter);
      if (events) r.throttle_events = r.throttle_events.value_or(0) + static_cast<std::int64_t>(*events);
    }
  }
  if (n > 0) r.frequency_hz = sum / n;
}

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * kMicro; }

}  // namespace

NoiseReading read_noise(const fs::path& root) {
  NoiseReading r;
  read_stat(root, r);
  read_pressure(root, r);
  read_quota_stops(root, r);
  read_clocks(root, r);
  rusage own{};
  if (getrusage(RUSAGE_SELF, &own) == 0) {
    r.involuntary_switches = own.ru_nivcsw;
    r.own_s = seconds(own.ru_utime) + seconds(own.ru_stime);
  }
  return r;
}

std::map<std::string, std::vector<double>> noise_between(const NoiseReading& before, const NoiseReading& after,
                                                         double wall_s) {
  std::map<std::string, std::vector<double>> values;
  const int cpus = after.cpus;
  if (wall_s <= 0 || cpus <= 0) return values;
  const auto share = [&](const char* name, const std::optional<double>& a, const std::optional<double>& b, double of) {
    if (a && b) values[name] = {std::max(0.0, (*b - *a) / of)};
  };
  // A short window is few ticks long: one that fell to somebody else would be a large share of it, and proves nothing.
  const double unseen_s = after.tick_s * (cpus + 0.5);  // a half, since sums of ticks are not exact
  const auto cpu_share = [&](const char* name, double cpu_s) {
    values[name] = {cpu_s <= unseen_s ? 0.0 : cpu_s / (wall_s * cpus)};
  };
  if (before.steal_s && after.steal_s) cpu_share("noise.steal", *after.steal_s - *before.steal_s);
  share("noise.pressure", before.pressure_s, after.pressure_s, wall_s);
  share("noise.throttled", before.throttled_s, after.throttled_s, wall_s * cpus);
  if (before.busy_s && after.busy_s) {
    cpu_share("noise.others", (*after.busy_s - *before.busy_s) - (after.own_s - before.own_s));
  }
  values["noise.involuntary"] = {static_cast<double>(after.involuntary_switches - before.involuntary_switches) /
                                 wall_s};
  if (after.frequency_hz) values["noise.frequency"] = {*after.frequency_hz};
  if (before.throttle_events && after.throttle_events) {
    values["noise.thermal"] = {static_cast<double>(*after.throttle_events - *before.throttle_events)};
  }
  return values;
}

std::string noise_verdict(const std::map<std::string, std::vector<double>>& values) {
  struct Rule {
    const char* name;
    double bound;
    const char* what;
  };
  static constexpr std::array<Rule, 5> kRules = {
      {{"noise.steal", 0.02, "CPU time taken by the hypervisor"},
       {"noise.others", 0.05, "CPU time used by other processes"},
       {"noise.throttled", 0.01, "time stopped by the cgroup's quota"},
       {"noise.gpu.slowed", 0, "readings in which the GPU was slowed down for heat or its power supply"},
       {"noise.gpu.clock_drift", 0.05, "change of the GPU's clock from the window's first half to its second"}}};
  std::string verdict;
  const auto say = [&](const std::string& text) { verdict += (verdict.empty() ? "" : "; ") + text; };
  for (const Rule& rule : kRules) {
    const auto it = values.find(rule.name);
    if (it == values.end() || it->second.empty() || it->second.front() <= rule.bound) continue;
    say(fmt::format("{}: {:.1f} % (bound {:.0f} %)", rule.what, 100 * it->second.front(), 100 * rule.bound));
  }
  const auto thermal = values.find("noise.thermal");
  if (thermal != values.end() && !thermal->second.empty() && thermal->second.front() > 0) {
    say(fmt::format("the CPU throttled {:.0f} times for heat", thermal->second.front()));
  }
  return verdict;
}

}  // namespace assay::measure
