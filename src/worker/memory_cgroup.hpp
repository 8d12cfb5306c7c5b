#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace assay::worker {

/// A control group (version 2) with a memory limit, where this process may make one: below the nearest ancestor that is
/// writable and hands the memory controller on. Removed by the destructor, when its process is gone.
class MemoryCgroup {
 public:
  static std::unique_ptr<MemoryCgroup> create(std::uint64_t bytes, const std::string& name,
                                              const std::filesystem::path& root = "/");
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// False where the kernel refuses.
  [[nodiscard]] bool add(pid_t pid) const;
  /// The kernel killed somebody in it.
  [[nodiscard]] bool out_of_memory() const;

 private:
  explicit MemoryCgroup(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace assay::worker
