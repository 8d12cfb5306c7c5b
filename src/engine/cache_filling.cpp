#include "engine/cache_filling.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "assay/error.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;
constexpr const char* kUnfinished = ".filling-";
constexpr const char* kGraphFolder = "graph";

/// Of this process.
struct Fillings {
  std::mutex mutex;
  std::set<fs::path> folders;
};

/// Never destroyed: a process may be ended while its threads go on.
Fillings& fillings() {
  static auto* const all = new Fillings;
  return *all;
}

/// Empty, with errno: it cannot be made.
fs::path new_folder(const fs::path& graphs) {
  std::string path = (graphs / (std::string(kUnfinished) + "XXXXXX")).string();
  return ::mkdtemp(path.data()) != nullptr ? fs::path(path) : fs::path();
}

std::vector<fs::path> unfinished_in(const fs::path& graphs) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(graphs, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with(kUnfinished)) found.push_back(it->path());
  }
  return found;
}

}  // namespace

Filling::Filling(fs::path folder, EntryLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
Filling::Filling(Filling&& other) noexcept
    : folder_(std::exchange(other.folder_, fs::path())), lock_(std::move(other.lock_)) {}

Filling::~Filling() {
  if (folder_.empty()) return;
  const std::lock_guard lock(fillings().mutex);
  fillings().folders.erase(folder_);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::optional<Filling> Filling::begin(const fs::path& graphs, const KeyParts& parts) {
  constexpr int kTries = 10;  // between making and locking, somebody who sweeps may think it left behind
  const std::lock_guard lock(fillings().mutex);
  std::error_code error;
  fs::create_directories(graphs, error);
  for (int i = 0; i < kTries; ++i) {
    const fs::path folder = new_folder(graphs);
    if (folder.empty()) return std::nullopt;
    std::optional<EntryLock> held = EntryLock::shared(folder);
    const int why = errno;
    if (held && ::mkdir((folder / kGraphFolder).c_str(), 0755) == 0) {
      try {
        write_manifest(folder, {.parts = parts, .files = {}});
      } catch (const Error&) {  // the disk is full: then it is listed without parts, while it lasts
      }
      fillings().folders.insert(folder);
      return Filling(folder, std::move(*held));
    }
    fs::remove_all(folder, error);
    errno = why;
  }
  return std::nullopt;
}

fs::path Filling::graph() const { return folder_ / kGraphFolder; }

bool Filling::become(const fs::path& entry) {
  const std::lock_guard lock(fillings().mutex);
  return ::rename(graph().c_str(), entry.c_str()) == 0;
}

std::unique_lock<std::mutex> drop_fillings() {
  std::unique_lock lock(fillings().mutex);
  for (const fs::path& folder : fillings().folders) hide_and_remove(folder);  // by then nothing is added to it
  fillings().folders.clear();
  return lock;
}

bool hide_and_remove(const fs::path& folder) {
  const fs::path hidden = new_folder(folder.parent_path());
  if (hidden.empty()) return false;
  std::error_code ignored;
  const bool moved = ::rename(folder.c_str(), hidden.c_str()) == 0;
  const int why = errno;
  fs::remove_all(hidden, ignored);
  errno = why;
  return moved;
}

std::vector<UnfinishedGraph> list_unfinished(const fs::path& cache_folder) {
  std::vector<UnfinishedGraph> all;
  for (const fs::path& folder : unfinished_in(cache_folder / "graphs")) {
    UnfinishedGraph graph;
    struct stat info{};
    if (::stat(folder.c_str(), &info) != 0) continue;  // became an entry meanwhile
    graph.since = info.st_mtim.tv_sec;
    graph.bytes = bytes_on_disk(folder);
    graph.being_filled = !EntryLock::exclusive(folder).has_value();
    try {
      graph.parts = read_manifest(folder).parts;
    } catch (const Error&) {  // an entry that is being removed, or one of an older Assay
    }
    all.push_back(std::move(graph));
  }
  std::stable_sort(all.begin(), all.end(), [](const UnfinishedGraph& a, const UnfinishedGraph& b) {
    return std::pair(!a.being_filled, -a.since) < std::pair(!b.being_filled, -b.since);
  });
  return all;
}

Swept sweep_unfinished(const fs::path& cache_folder) {
  Swept swept;
  for (const fs::path& folder : unfinished_in(cache_folder / "graphs")) {
    const std::optional<EntryLock> lock = EntryLock::exclusive(folder);
    if (!lock) continue;
    const std::uint64_t bytes = bytes_on_disk(folder);
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) continue;
    ++swept.removed;
    swept.bytes += bytes;
  }
  return swept;
}

}  // namespace assay::engine
