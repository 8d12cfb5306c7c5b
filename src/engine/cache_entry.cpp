#include "engine/cache_entry.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL  // its fastest form, and no library to link
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "core/json.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;
constexpr int kSchema = 1;
constexpr std::uint64_t kManifestLimit = 1U << 20U;

std::string checksum_of(const fs::path& file) {
  const MappedFile mapped(file);
  const XXH128_hash_t hash = XXH3_128bits(mapped.bytes().data(), mapped.bytes().size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

/// Names of all files below `folder` but the manifest, sorted. Throws Error(kIo) on anything that is no plain file.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().lexically_relative(folder).generic_string();
    if (it->is_symlink() || (!it->is_directory() && !it->is_regular_file())) {
      throw Error(ErrorCode::kIo, fmt::format("'{}' is no plain file", name), folder.string());
    }
    if (it->is_regular_file() && name != kManifestName) names.push_back(name);
  }
  if (error) throw Error(ErrorCode::kIo, fmt::format("cannot list: {}", error.message()), folder.string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string key_of(const KeyParts& parts) {
  Sha256 hash;
  for (const auto& [name, value] : parts) {  // lengths first, so that no two sets of parts read the same
    hash.update(fmt::format("{}:{}{}:{}", name.size(), name, value.size(), value));
  }
  return hash.finish();
}

Manifest describe_folder(const fs::path& folder, const KeyParts& parts) {
  Manifest manifest{.parts = parts, .files = {}};
  for (const std::string& name : files_below(folder)) {
    manifest.files.push_back({name, fs::file_size(folder / name), checksum_of(folder / name)});
  }
  return manifest;
}

void write_manifest(const fs::path& folder, const Manifest& manifest) {
  nlohmann::json files = nlohmann::json::array();
  for (const Manifest::File& f : manifest.files) {
    files.push_back({{"name", f.name}, {"bytes", f.bytes}, {"xxh128", f.checksum}});
  }
  const nlohmann::json all = {{"schema", kSchema}, {"made_from", manifest.parts}, {"files", files}};
  write_file_atomically(folder / kManifestName, all.dump(1) + "\n");
}

Manifest read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifestName;
  const nlohmann::json all = parse_json(read_file(path, kManifestLimit), path.string());
  try {
    if (all.at("schema").get<int>() != kSchema) {
      throw Error(ErrorCode::kInvalidArgument, "it was written by another version of Assay", path.string());
    }
    Manifest manifest;
    manifest.parts = all.at("made_from").get<KeyParts>();
    for (const nlohmann::json& f : all.at("files")) {
      manifest.files.push_back({f.at("name"), f.at("bytes").get<std::uint64_t>(), f.at("xxh128")});
    }
    return manifest;
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("no manifest of a cached graph: {}", e.what()), path.string());
  }
}

std::optional<std::string> find_damage(const fs::path& folder, const Manifest& manifest, Depth depth) {
  if (key_of(manifest.parts) != folder.filename().string()) return "it belongs under another key";
  try {
    std::vector<std::string> expected;
    for (const Manifest::File& f : manifest.files) expected.push_back(f.name);
    std::sort(expected.begin(), expected.end());
    if (expected.empty()) return "it is empty";
    if (const auto found = files_below(folder); found != expected) {
      return fmt::format("it holds {} files where its manifest names {}, or others", found.size(), expected.size());
    }
    for (const Manifest::File& f : manifest.files) {
      const std::uint64_t size = fs::file_size(folder / f.name);
      if (size != f.bytes) return fmt::format("'{}' has {} bytes, not {}", f.name, size, f.bytes);
    }
    if (depth == Depth::kNamesAndSizes) return std::nullopt;
    for (const Manifest::File& f : manifest.files) {
      if (checksum_of(folder / f.name) != f.checksum) return fmt::format("'{}' has another checksum", f.name);
    }
  } catch (const std::exception& e) {
    return std::string("it cannot be read: ") + e.what();
  }
  return std::nullopt;
}

std::uint64_t bytes_of(const Manifest& manifest) {
  std::uint64_t sum = 0;
  for (const Manifest::File& f : manifest.files) sum += f.bytes;
  return sum;
}

std::uint64_t bytes_on_disk(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code error, ignored;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(ignored)) sum += it->file_size(ignored);
  }
  return sum;
}

EntryLock::~EntryLock() {
  if (fd_ >= 0) ::close(fd_);
}
EntryLock::EntryLock(EntryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
EntryLock& EntryLock::operator=(EntryLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

/// Locks the folder that `fd_` is open on, if `folder` is still its name: it may have been thrown away, and even made
/// anew.
bool EntryLock::lock(const fs::path& folder, int operation) {
  while (::flock(fd_, operation) != 0) {
    if (errno != EINTR) return false;
  }
  struct stat held{}, named{};
  if (::fstat(fd_, &held) != 0 || ::stat(folder.c_str(), &named) != 0) return false;
  return held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

std::optional<EntryLock> EntryLock::take(const fs::path& folder, int operation) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  EntryLock lock(fd);
  if (!lock.lock(folder, operation)) return std::nullopt;
  return lock;
}

bool EntryLock::make_exclusive(const fs::path& folder) { return fd_ >= 0 && lock(folder, LOCK_EX | LOCK_NB); }

std::optional<EntryLock> EntryLock::shared(const fs::path& folder) { return take(folder, LOCK_SH); }
std::optional<EntryLock> EntryLock::exclusive(const fs::path& folder) { return take(folder, LOCK_EX | LOCK_NB); }

}  // namespace assay::engine
