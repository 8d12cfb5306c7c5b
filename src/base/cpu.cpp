#include "base/cpu.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace assay {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// Where this process's group of a hierarchy lies.
struct Group {
  std::string path;        ///< as /proc/self/cgroup has it
  std::string mount_root;  ///< the part of the hierarchy that is mounted
  std::string mount;       ///< where
};

/// /proc/self/mountinfo: id parent major:minor root mount options… - type source super-options
void find_mount(const fs::path& root, const std::string& type, Group& group) {
  for (const std::string& line : lines_of(root / "proc/self/mountinfo")) {
    const std::vector<std::string> fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4 || dash[1] != type) continue;
    if (type == "cgroup" && !has(split(dash[3], ','), "cpu")) continue;
    group.mount_root = fields[3];
    group.mount = fields[4];
    return;
  }
}

std::optional<double> ratio(const std::string& quota, const std::string& period) {
  try {
    const double q = std::stod(quota);
    const double p = std::stod(period);
    if (q > 0 && p > 0) return q / p;
  } catch (const std::exception&) {  // "max", or not a number: no limit can be read
  }
  return std::nullopt;
}

std::optional<double> quota_in(const fs::path& folder, bool v2) {
  if (v2) {
    const std::vector<std::string> lines = lines_of(folder / "cpu.max");
    const std::vector<std::string> parts = lines.empty() ? std::vector<std::string>{} : split(lines[0], ' ');
    return parts.size() == 2 ? ratio(parts[0], parts[1]) : std::nullopt;
  }
  const std::vector<std::string> quota = lines_of(folder / "cpu.cfs_quota_us");
  const std::vector<std::string> period = lines_of(folder / "cpu.cfs_period_us");
  return quota.empty() || period.empty() ? std::nullopt : ratio(quota[0], period[0]);
}

/// The tightest limit from the group up to the mount. In a container the group's path may be the host's, of which only
/// a part, or nothing, is mounted: then the mount itself is the group.
std::optional<double> tightest(const fs::path& root, const Group& group, bool v2) {
  if (group.mount.empty()) return std::nullopt;
  const fs::path top = root / fs::path(group.mount).relative_path();
  fs::path below = fs::path(group.path).relative_path();
  if (group.mount_root != "/") {
    const fs::path relative = fs::path(group.path).lexically_relative(group.mount_root);
    below = relative.empty() || *relative.begin() == ".." ? fs::path() : relative;
  }
  std::error_code ignored;
  if (!fs::is_directory(top / below, ignored)) below.clear();
  std::optional<double> result;
  const auto look = [&](const fs::path& folder) {
    const std::optional<double> here = quota_in(folder, v2);
    if (here && (!result || *here < *result)) result = here;
  };
  fs::path at;
  look(top);
  for (const fs::path& part : below) {
    at /= part;
    look(top / at);
  }
  return result;
}

}  // namespace

int affinity_cores(const fs::path& root) {
  const std::string key = "Cpus_allowed_list:";
  for (const std::string& line : lines_of(root / "proc/self/status")) {
    if (!line.starts_with(key)) continue;
    int cores = 0;
    for (const std::string& range : split(line.substr(key.size()), ',')) {  // "0-3,8"
      std::istringstream in(range);
      int first = 0, last = 0;
      char dash = 0;
      if (!(in >> first)) return 0;
      if (!(in >> dash >> last)) last = first;
      cores += last - first + 1;
    }
    return cores;
  }
  return 0;
}

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
  std::optional<double> result;
  for (const std::string& line : lines_of(root / "proc/self/cgroup")) {  // "4:cpu,cpuacct:/path", v2 "0::/path"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && !has(split(controllers, ','), "cpu")) continue;
    Group group{.path = line.substr(second + 1), .mount_root = "/", .mount = ""};
    find_mount(root, v2 ? "cgroup2" : "cgroup", group);
    const std::optional<double> here = tightest(root, group, v2);
    if (here && (!result || *here < *result)) result = here;
  }
  return result;
}

int allowed_cores(const fs::path& root) {
  int cores = affinity_cores(root);
  if (cores <= 0) cores = static_cast<int>(std::thread::hardware_concurrency());
  if (const std::optional<double> quota = cgroup_cpu_quota(root)) {
    cores = std::min(cores, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(cores, 1);
}

}  // namespace assay
