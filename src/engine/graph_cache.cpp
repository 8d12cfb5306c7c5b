#include "engine/graph_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/file.hpp"
#include "engine/verified.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;

bool is_key(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<fs::path> children(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    result.push_back(it->path());
  }
  return result;
}

std::time_t last_used(const fs::path& entry) {
  struct stat info{};
  if (::stat((entry / kManifestName).c_str(), &info) != 0 && ::stat(entry.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec;
}

bool remove_entry(const fs::path& entry) {
  if (!hide_and_remove(entry)) return false;
  forget_verified(entry);
  return true;
}

/// In how many parts two keys differ, and in words which.
std::pair<std::size_t, std::string> difference(const KeyParts& asked, const KeyParts& there) {
  std::size_t count = 0;
  std::string words;
  const auto differ = [&](const std::string& name, const std::string& now, const std::string& then) {
    ++count;
    const bool shown = now.size() <= 60 && then.size() <= 60;
    words += fmt::format("{}{}", words.empty() ? "" : ", ", name);
    if (shown) words += fmt::format(" is '{}', was '{}'", now, then);
  };
  for (const auto& [name, value] : asked) {
    const auto other = there.find(name);
    if (other == there.end() || other->second != value) {
      differ(name, value, other == there.end() ? "" : other->second);
    }
  }
  for (const auto& [name, value] : there) {
    if (!asked.contains(name)) differ(name, "", value);
  }
  return {count, words};
}

}  // namespace

std::uint64_t cache_limit() {
  constexpr std::uint64_t kDefault = UINT64_C(10) << 30U;
  const char* text = std::getenv("ASSAY_CACHE_LIMIT");
  if (text == nullptr || *text == '\0') return kDefault;
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  const std::string unit = end;
  const std::pair<const char*, double> units[] = {
      {"", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
  for (const auto& [name, factor] : units) {
    if (unit == name && end != text && number >= 0 && number * factor < 0x1p63) {
      return static_cast<std::uint64_t>(number * factor);
    }
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is no size: write a number of bytes, or with KiB, MiB, GiB, TiB", text),
              "ASSAY_CACHE_LIMIT");
}

GraphCache::GraphCache(const fs::path& folder, std::uint64_t limit, LogFunction log)
    : graphs_(folder / "graphs"), limit_(limit), log_(std::move(log)) {}

void GraphCache::warn(const std::string& message) const {
  if (log_) log_(LogLevel::kWarning, message);
}

GraphCache::Found GraphCache::find(const KeyParts& parts) {
  Found found;
  const fs::path entry = graphs_ / key_of(parts);
  std::optional<EntryLock> lock = EntryLock::shared(entry);
  if (!lock) {
    found.remark = why_none(parts);
    return found;
  }
  std::optional<std::string> damage;
  try {
    damage = find_new_damage(entry, read_manifest(entry));
  } catch (const Error& e) {
    damage = e.what();
  }
  if (damage) {
    found.folder = entry;
    found.lock = std::move(*lock);
    discard(found, *damage);
    found = {};
    found.remark = "the cached graph was thrown away: " + *damage;
    return found;
  }
  ::utimensat(AT_FDCWD, (entry / kManifestName).c_str(), nullptr, 0);  // used now; fails where it is read-only
  found.folder = entry;
  found.lock = std::move(*lock);
  found.remark = "from " + entry.string();
  return found;
}

/// Compares with the entry that is nearest: the same model's first.
std::string GraphCache::why_none(const KeyParts& parts) const {
  std::size_t least = SIZE_MAX;
  std::string words;
  for (const fs::path& entry : children(graphs_)) {
    if (!is_key(entry.filename().string())) continue;
    try {
      const Manifest manifest = read_manifest(entry);
      const auto model = manifest.parts.find("model");
      const auto backend = manifest.parts.find("backend");
      const bool near = model != manifest.parts.end() && model->second == parts.at("model") &&
                        backend != manifest.parts.end() && backend->second == parts.at("backend");
      const auto [count, differing] = difference(parts, manifest.parts);
      if (near && count < least) {
        least = count;
        words = differing;
      }
    } catch (const std::exception&) {  // not an entry that could have served
    }
  }
  if (least == SIZE_MAX) return "no graph of this model by this backend is in the cache";
  return "no entry: " + words;
}

std::optional<Filling> GraphCache::begin_filling(const KeyParts& parts) {
  sweep_unfinished(graphs_.parent_path());
  std::optional<Filling> filling = Filling::begin(graphs_, parts);
  if (!filling) {
    warn(fmt::format("the graph cache {} cannot be written ({}); the model is loaded without it", graphs_.string(),
                     std::strerror(errno)));
  }
  return filling;
}

std::string GraphCache::keep(Filling filled, const KeyParts& parts) {
  const std::string key = key_of(parts);
  try {
    const Manifest manifest = describe_folder(filled.graph(), parts);
    if (manifest.files.empty()) return "this backend leaves no graph to keep";
    if (bytes_of(manifest) > limit_) {
      return fmt::format("its {} bytes are more than the cache may hold ({}; ASSAY_CACHE_LIMIT)", bytes_of(manifest),
                         limit_);
    }
    write_manifest(filled.graph(), manifest);
    if (!filled.become(graphs_ / key)) {
      const int error = errno;
      if (error == EEXIST || error == ENOTEMPTY) return "another process has kept it meanwhile";
      warn(fmt::format("the graph could not be kept in {}: {}", graphs_.string(), std::strerror(error)));
      return "it could not be kept";
    }
  } catch (const std::exception& e) {
    warn(fmt::format("the graph could not be kept in {}: {}", graphs_.string(), e.what()));
    return "it could not be kept";
  }
  make_room(key);
  return "kept now";
}

void GraphCache::discard(Found& found, const std::string& why) {
  const bool gone = found.lock.make_exclusive(found.folder) && remove_entry(found.folder);
  warn(fmt::format("the cached graph {} is of no use ({}): {}", found.folder.string(), why,
                   gone ? "thrown away, the model is optimized anew" : "it cannot be removed, and is passed over"));
}

void GraphCache::make_room(const std::string& spared) {
  struct Candidate {
    fs::path path;
    std::uint64_t bytes;
    std::time_t used;
  };
  std::vector<Candidate> all;
  std::uint64_t sum = 0;
  for (const fs::path& path : children(graphs_)) {
    if (!is_key(path.filename().string())) continue;
    all.push_back({path, bytes_on_disk(path), last_used(path)});
    sum += all.back().bytes;
  }
  std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.used < b.used; });
  for (const Candidate& c : all) {
    if (sum <= limit_) return;
    if (c.path.filename() == spared) continue;
    const std::optional<EntryLock> lock = EntryLock::exclusive(c.path);
    if (lock && remove_entry(c.path)) sum -= c.bytes;
  }
}

std::vector<CachedGraph> list_graphs(const fs::path& cache_folder) {
  std::vector<CachedGraph> all;
  for (const fs::path& path : children(cache_folder / "graphs")) {
    if (!is_key(path.filename().string())) continue;
    CachedGraph graph;
    graph.key = path.filename().string();
    graph.bytes = bytes_on_disk(path);
    graph.last_used = last_used(path);
    graph.in_use = !EntryLock::exclusive(path).has_value();
    try {
      graph.parts = read_manifest(path).parts;
    } catch (const Error&) {  // shown without parts; verify says what is wrong
    }
    all.push_back(std::move(graph));
  }
  std::sort(all.begin(), all.end(), [](const CachedGraph& a, const CachedGraph& b) {
    return std::pair(-a.last_used, a.key) < std::pair(-b.last_used, b.key);
  });
  return all;
}

std::vector<CacheFinding> verify_graphs(const fs::path& cache_folder) {
  sweep_unfinished(cache_folder);
  std::vector<CacheFinding> findings;
  for (const CachedGraph& graph : list_graphs(cache_folder)) {
    const fs::path entry = cache_folder / "graphs" / graph.key;
    std::optional<EntryLock> lock = EntryLock::shared(entry);  // what is judged is what is removed
    if (!lock && !fs::exists(entry)) continue;                 // gone meanwhile
    std::optional<std::string> damage;
    try {
      damage = find_damage(entry, read_manifest(entry), Depth::kContent);
    } catch (const Error& e) {
      damage = e.what();
    }
    if (!damage) continue;
    findings.push_back({graph.key, *damage, lock && lock->make_exclusive(entry) && remove_entry(entry)});
  }
  return findings;
}

Cleared clear_graphs(const fs::path& cache_folder) {
  Cleared cleared;
  for (const CachedGraph& graph : list_graphs(cache_folder)) {
    const fs::path entry = cache_folder / "graphs" / graph.key;
    const std::optional<EntryLock> lock = EntryLock::exclusive(entry);
    if (!lock) {
      ++cleared.in_use;
      continue;
    }
    if (!remove_entry(entry)) {
      throw Error(ErrorCode::kIo, fmt::format("cannot remove: {}", std::strerror(errno)), entry.string());
    }
    ++cleared.removed;
    cleared.bytes += graph.bytes;
  }
  cleared.unfinished = sweep_unfinished(cache_folder);
  return cleared;
}

}  // namespace assay::engine
