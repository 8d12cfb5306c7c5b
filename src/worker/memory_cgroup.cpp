#include "worker/memory_cgroup.hpp"

#include <unistd.h>

#include <fstream>

#include "measure/files.hpp"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;

bool write_text(const fs::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.flush();
  return out.good();
}

bool hands_memory_on(const fs::path& folder) {
  const auto controllers = measure::read_text(folder / "cgroup.subtree_control");
  return controllers && (" " + *controllers + " ").find(" memory ") != std::string::npos;
}

}  // namespace

std::unique_ptr<MemoryCgroup> MemoryCgroup::create(std::uint64_t bytes, const std::string& name, const fs::path& root) {
  for (const fs::path& parent : measure::cgroup_folders(root, "")) {
    if (!hands_memory_on(parent) || ::access(parent.c_str(), W_OK) != 0) continue;
    const fs::path folder = parent / name;
    std::error_code error;
    if (!fs::create_directory(folder, error)) continue;
    std::unique_ptr<MemoryCgroup> group(new MemoryCgroup(folder));
    if (write_text(folder / "memory.max", std::to_string(bytes))) return group;
  }
  return nullptr;
}

MemoryCgroup::~MemoryCgroup() {
  if (!folder_.empty()) ::rmdir(folder_.c_str());  // its files are the kernel's: only the folder itself goes
}

bool MemoryCgroup::add(pid_t pid) const { return write_text(folder_ / "cgroup.procs", std::to_string(pid)); }

bool MemoryCgroup::out_of_memory() const {
  const auto events = measure::read_fields(folder_ / "memory.events", ' ');
  const auto it = events.find("oom_kill");
  return it != events.end() && measure::to_number(it->second).value_or(0) > 0;
}

}  // namespace assay::worker
