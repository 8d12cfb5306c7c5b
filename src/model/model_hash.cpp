// SHA-256 of a model, remembered from one run to the next.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "model/model.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

/// Everything that changes when a file does.
std::string fingerprint(const struct stat& s) {
  return fmt::format("assay-hash 1 {} {} {} {}.{:09} {}.{:09}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec,
                     s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
}

struct stat status_of(const fs::path& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) {
    throw Error(ErrorCode::kIo, fmt::format("cannot be read: {}", std::strerror(errno)), path.string());
  }
  return s;
}

/// A file that was written within the resolution of its times may be written again without their changing. Kernel ticks
/// are at most 10 ms; file systems that keep whole seconds show no fractions.
bool is_settled(const struct stat& s) {
  struct timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  const std::int64_t age = (now.tv_sec - s.st_ctim.tv_sec) * INT64_C(1'000'000'000) + (now.tv_nsec - s.st_ctim.tv_nsec);
  const bool fine = s.st_ctim.tv_nsec != 0 || s.st_mtim.tv_nsec != 0;
  return age > (fine ? INT64_C(20'000'000) : INT64_C(2'000'000'000));
}

/// Bytes of a memo, and then some.
constexpr std::uint64_t kLongest = 4096;

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// "<fingerprint>\n<hash>\n"; anything else is no memo.
std::string recall(const fs::path& memo, const std::string& expected) {
  try {
    const std::string text = read_file(memo, kLongest);
    if (text.size() != expected.size() + 66 || !text.starts_with(expected + "\n") || text.back() != '\n') return {};
    const std::string hash = text.substr(expected.size() + 1, 64);
    return is_hash(hash) ? hash : std::string();
  } catch (const Error&) {
    return {};  // not there, or not readable: the file is hashed instead
  }
}

/// A memo that cannot be kept (read-only or full disk) costs time, no more: false.
bool remember(const fs::path& memo, const std::string& text) {
  try {
    fs::create_directories(memo.parent_path());
    write_file_atomically(memo, text);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string hash_of(const fs::path& path, const fs::path& memo_folder) {
  const struct stat before = status_of(path);
  if (memo_folder.empty()) return sha256_of_file(path);
  // One memo a path: two processes never write into one another's.
  const fs::path memo =
      memo_folder / (sha256_of(fs::absolute(path).lexically_normal().string()).substr(0, 32) + ".hash");
  const std::string print = fingerprint(before);
  if (std::string known = recall(memo, print); !known.empty()) return known;
  std::string hash = sha256_of_file(path);
  const struct stat after = status_of(path);
  if (fingerprint(after) == print && is_settled(after)) {
    remember(memo, print + "\n" + hash + "\n");
  }
  return hash;
}

}  // namespace

std::string model_hash(const Model& model, const fs::path& memo_folder) {
  if (model.files.size() == 1) return hash_of(model.files[0], memo_folder);
  // Names beside the model are part of it: external data is found by them.
  const fs::path parent = model.files[0].parent_path();
  const fs::path folder = parent.empty() ? fs::path(".") : parent.lexically_normal();
  std::vector<std::string> lines;
  for (std::size_t i = 1; i < model.files.size(); ++i) {
    const fs::path relative = model.files[i].lexically_normal().lexically_relative(folder);
    lines.push_back(hash_of(model.files[i], memo_folder) + " " + relative.string() + "\n");
  }
  std::sort(lines.begin(), lines.end());
  Sha256 all;
  all.update(hash_of(model.files.at(0), memo_folder) + "\n");
  for (const std::string& line : lines) all.update(line);
  return all.finish();
}

}  // namespace assay::model
