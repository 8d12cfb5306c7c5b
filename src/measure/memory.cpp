#include "measure/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "measure/files.hpp"

namespace assay::measure {

std::optional<ProcessMemory> read_process_memory(const std::filesystem::path& root, const std::string& process) {
  const std::filesystem::path folder = root / "proc" / process;
  const auto bytes = [](const std::map<std::string, std::string>& fields, const char* key) {
    const auto it = fields.find(key);
    const double kibibytes = it == fields.end() ? 0 : to_number(it->second).value_or(0);
    return static_cast<std::uint64_t>(kibibytes) * 1024;
  };
  const auto rollup = read_fields(folder / "smaps_rollup");
  ProcessMemory memory{.pss = bytes(rollup, "Pss"), .resident = bytes(rollup, "Rss"), .peak_resident = 0};
  if (memory.resident == 0) return std::nullopt;
  // The two files are read one after the other: the mark may be a page behind.
  memory.peak_resident = std::max(bytes(read_fields(folder / "status"), "VmHWM"), memory.resident);
  return memory;
}

std::uint64_t resident_bytes(int pid, const std::filesystem::path& root) {
  const std::optional<std::string> text = read_text(root / "proc" / std::to_string(pid) / "statm");
  if (!text) return 0;
  std::istringstream in(*text);
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace assay::measure
