#pragma once
// The cache of optimized graphs: <folder>/graphs/<key>/. Several processes at once are safe; nothing that goes wrong
// with it fails a load. docs/adr/0002.

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "engine/cache_entry.hpp"
#include "engine/cache_filling.hpp"

namespace assay::engine {

/// Bytes that cached graphs may take together: $ASSAY_CACHE_LIMIT ("500MiB", "20GiB", a number), else 10 GiB.
/// Throws Error(kInvalidArgument) naming the variable.
std::uint64_t cache_limit();

class GraphCache {
 public:
  /// `folder` as Params::cache; need not be there.
  GraphCache(const std::filesystem::path& folder, std::uint64_t limit, LogFunction log);

  struct Found {
    std::filesystem::path folder;  ///< empty: nothing usable
    EntryLock lock;                ///< held while the session lives: an entry in use is never removed
    std::string remark;            ///< where from, or why there is none
  };
  /// A whole entry, its checksums compared. A damaged or foreign one is thrown away, with a warning.
  Found find(const KeyParts& parts);

  /// A folder to leave a graph in; none where it cannot be made (with a warning). What is left of processes that died
  /// is removed first.
  std::optional<Filling> begin_filling(const KeyParts& parts);
  /// Keeps what was left there under the key, unless it is empty or somebody else was first. Then makes room. Answers
  /// what became of it, for the remark.
  std::string keep(Filling filled, const KeyParts& parts);
  /// Throws an entry away that cannot be used: just the one that was found, and only if nobody else uses it.
  void discard(Found& found, const std::string& why);

 private:
  std::string why_none(const KeyParts& parts) const;
  void make_room(const std::string& spared);
  void warn(const std::string& message) const;
  std::filesystem::path graphs_;
  std::uint64_t limit_;
  LogFunction log_;
};

/// For `assay cache`.
struct CachedGraph {
  std::string key;
  KeyParts parts;           ///< empty: the manifest cannot be read
  std::uint64_t bytes = 0;  ///< on disk
  std::time_t last_used = 0;
  bool in_use = false;
};
/// Most recently used first. A folder that is not there holds none.
std::vector<CachedGraph> list_graphs(const std::filesystem::path& cache_folder);

struct CacheFinding {
  std::string key;
  std::string what;  ///< what was wrong
  bool removed = false;
};
/// Compares every checksum; damaged entries are thrown away, and what is left of processes that died.
std::vector<CacheFinding> verify_graphs(const std::filesystem::path& cache_folder);

struct Cleared {
  int removed = 0, in_use = 0;
  std::uint64_t bytes = 0;  ///< freed
  Swept unfinished;
};
/// Removes all but what is in use or being filled. Throws Error(kIo) where the folder cannot be written.
Cleared clear_graphs(const std::filesystem::path& cache_folder);

}  // namespace assay::engine
