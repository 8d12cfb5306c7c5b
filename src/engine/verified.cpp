#include "engine/verified.hpp"

#include <fmt/format.h>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/file_state.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLongest = 1U << 20U;

fs::path memo_of(const fs::path& entry) { return entry.parent_path().parent_path() / "verified" / entry.filename(); }

struct EntryState {
  std::string text;
  bool settled = true;
};

/// Nothing where it cannot be told.
std::optional<EntryState> state_of(const fs::path& entry, const Manifest& manifest) {
  EntryState state;
  try {
    state.text = "assay-verified 1 " + read_file("/proc/sys/kernel/random/boot_id", kLongest);
  } catch (const Error&) {
    return std::nullopt;
  }
  for (const Manifest::File& f : manifest.files) {
    const auto file = file_state(entry / f.name);
    if (!file) return std::nullopt;
    state.text += fmt::format("{} {} {}\n", f.checksum, file->text, f.name);
    state.settled = state.settled && file->settled;
  }
  return state;
}

bool is_known(const fs::path& entry, const std::string& text) {
  try {
    return read_file(memo_of(entry), kLongest) == text;
  } catch (const Error&) {
    return false;  // not there, or not readable: the entry is read instead
  }
}

}  // namespace

std::optional<std::string> find_new_damage(const fs::path& entry, const Manifest& manifest) {
  const std::optional<EntryState> before = state_of(entry, manifest);
  if (before && is_known(entry, before->text)) return find_damage(entry, manifest, Depth::kNamesAndSizes);
  std::optional<std::string> damage = find_damage(entry, manifest, Depth::kContent);
  if (damage || !before || !before->settled) return damage;
  const std::optional<EntryState> after = state_of(entry, manifest);
  if (!after || after->text != before->text) return damage;
  try {
    fs::create_directories(memo_of(entry).parent_path());
    write_file_atomically(memo_of(entry), before->text);
  } catch (const std::exception& e) {
    forget_verified(entry);  // read-only or full: it is read again the next time
  }
  return damage;
}

void forget_verified(const fs::path& entry) {
  std::error_code ignored;
  fs::remove(memo_of(entry), ignored);
}

}  // namespace assay::engine
