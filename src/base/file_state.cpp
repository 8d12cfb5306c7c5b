#include "base/file_state.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>

namespace assay {
namespace {

/// Kernel ticks are at most 10 ms; file systems that keep whole seconds show no fractions.
bool is_settled(const struct stat& s) {
  struct timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  const std::int64_t age = (now.tv_sec - s.st_ctim.tv_sec) * INT64_C(1'000'000'000) + (now.tv_nsec - s.st_ctim.tv_nsec);
  const bool fine = s.st_ctim.tv_nsec != 0 || s.st_mtim.tv_nsec != 0;
  return age > (fine ? INT64_C(20'000'000) : INT64_C(2'000'000'000));
}

}  // namespace

std::optional<FileState> file_state(const std::filesystem::path& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  return FileState{fmt::format("{} {} {} {}.{:09} {}.{:09}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec,
                               s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec),
                   is_settled(s)};
}

}  // namespace assay
