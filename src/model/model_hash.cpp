// SHA-256 of a file and of a model, remembered from one run to the next.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/file_state.hpp"
#include "base/sha256.hpp"
#include "model/model.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

FileState state_of(const fs::path& path) {
  std::optional<FileState> state = file_state(path);
  if (!state) throw Error(ErrorCode::kIo, fmt::format("cannot be read: {}", std::strerror(errno)), path.string());
  return *state;
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

}  // namespace

std::string file_hash(const fs::path& path, const fs::path& memo_folder) {
  const FileState before = state_of(path);
  if (memo_folder.empty()) return sha256_of_file(path);
  // One memo a path: two processes never write into one another's.
  const fs::path memo =
      memo_folder / (sha256_of(fs::absolute(path).lexically_normal().string()).substr(0, 32) + ".hash");
  const std::string print = "assay-hash 1 " + before.text;
  if (std::string known = recall(memo, print); !known.empty()) return known;
  std::string hash = sha256_of_file(path);
  const FileState after = state_of(path);
  if (after.text == before.text && after.settled) remember(memo, print + "\n" + hash + "\n");
  return hash;
}

std::string model_hash(const Model& model, const fs::path& memo_folder) {
  if (model.files.size() == 1) return file_hash(model.files[0], memo_folder);
  // Names beside the model are part of it: external data is found by them.
  const fs::path parent = model.files[0].parent_path();
  const fs::path folder = parent.empty() ? fs::path(".") : parent.lexically_normal();
  std::vector<std::string> lines;
  for (std::size_t i = 1; i < model.files.size(); ++i) {
    const fs::path relative = model.files[i].lexically_normal().lexically_relative(folder);
    lines.push_back(file_hash(model.files[i], memo_folder) + " " + relative.string() + "\n");
  }
  std::sort(lines.begin(), lines.end());
  Sha256 all;
  all.update(file_hash(model.files.at(0), memo_folder) + "\n");
  for (const std::string& line : lines) all.update(line);
  return all.finish();
}

}  // namespace assay::model
