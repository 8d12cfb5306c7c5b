#pragma once
// One entry of the graph cache: a folder with what a backend left there and a manifest of it. docs/adr/0002.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::engine {

/// What a graph was made from, by name: "model", "backend", "version", "device", "threads", "option.…" …
using KeyParts = std::map<std::string, std::string>;

/// SHA-256 over the parts: the name of the entry's folder.
std::string key_of(const KeyParts& parts);

struct Manifest {
  struct File {
    std::string name;  ///< below the entry's folder
    std::uint64_t bytes = 0;
    std::string checksum;  ///< XXH3, 128 bits, hexadecimal
  };
  KeyParts parts;
  std::vector<File> files;
};

constexpr const char* kManifestName = "manifest.json";

/// A manifest of what lies in the folder. Throws Error(kIo) where something cannot be read or is no plain file.
Manifest describe_folder(const std::filesystem::path& folder, const KeyParts& parts);
/// Throws Error(kIo).
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
/// Throws Error(kIo | kInvalidArgument) where there is none, or it is none.
Manifest read_manifest(const std::filesystem::path& folder);
enum class Depth { kNamesAndSizes, kContent };
/// What is wrong with an entry: damaged, cut short, foreign; nothing where all is as its manifest says.
std::optional<std::string> find_damage(const std::filesystem::path& folder, const Manifest& manifest, Depth depth);
std::uint64_t bytes_of(const Manifest& manifest);
/// Of all files below; 0 where it is not there.
std::uint64_t bytes_on_disk(const std::filesystem::path& folder);

/// Says that somebody uses an entry, in all processes, for as long as it lives. Needs no right to write.
class EntryLock {
 public:
  EntryLock() = default;
  ~EntryLock();
  EntryLock(EntryLock&& other) noexcept;
  EntryLock& operator=(EntryLock&& other) noexcept;
  /// Nothing: the folder is not there (any more). Waits while it is being removed.
  static std::optional<EntryLock> shared(const std::filesystem::path& folder);
  /// Nothing: it is in use, or gone.
  static std::optional<EntryLock> exclusive(const std::filesystem::path& folder);
  /// Makes a shared lock exclusive. False: somebody else uses the entry, or another has taken its place; then nothing
  /// is locked any more. Of several processes that try at once, one succeeds.
  bool make_exclusive(const std::filesystem::path& folder);

 private:
  explicit EntryLock(int fd) : fd_(fd) {}
  static std::optional<EntryLock> take(const std::filesystem::path& folder, int operation);
  bool lock(const std::filesystem::path& folder, int operation);
  int fd_ = -1;
};

}  // namespace assay::engine
