#pragma once
// What lies beside the entries of the graph cache: graphs that are being made, and what is left of those whose process
// died. docs/adr/0002.

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/cache_entry.hpp"

namespace assay::engine {

/// A folder in which a graph is made, until it becomes an entry. It is locked while this lives, and the kernel takes
/// the lock from a process that dies: so everybody can tell which are still being made. What became no entry is
/// removed.
class Filling {
 public:
  Filling(Filling&& other) noexcept;
  Filling& operator=(Filling&&) = delete;
  ~Filling();
  /// Beside the entries, for one of these parts. Nothing, with errno, where it cannot be made.
  static std::optional<Filling> begin(const std::filesystem::path& graphs, const KeyParts& parts);
  /// Where the graph goes: empty at first.
  [[nodiscard]] std::filesystem::path graph() const;
  /// False, with errno: `entry` is there already, or cannot be made.
  bool become(const std::filesystem::path& entry);

 private:
  Filling(std::filesystem::path folder, EntryLock lock);
  std::filesystem::path folder_;  // empty: moved from
  EntryLock lock_;
};

/// Takes what this process is filling away, for it is about to end with threads that still fill. None begins, and none
/// becomes an entry, while the answer lives.
[[nodiscard]] std::unique_lock<std::mutex> drop_fillings();

/// Moves it out of everybody's sight first, whole; then removes it bit by bit. False, with errno, where it cannot be
/// moved.
bool hide_and_remove(const std::filesystem::path& folder);

struct UnfinishedGraph {
  KeyParts parts;  ///< of what is to become of it; empty: not known (any more)
  std::uint64_t bytes = 0;
  std::time_t since = 0;
  bool being_filled = false;  ///< else its process has died
};
/// In a cache folder; those being filled first.
std::vector<UnfinishedGraph> list_unfinished(const std::filesystem::path& cache_folder);

struct Swept {
  int removed = 0;
  std::uint64_t bytes = 0;
};
/// Removes what is left of processes that died. What cannot be removed stays.
Swept sweep_unfinished(const std::filesystem::path& cache_folder);

}  // namespace assay::engine
