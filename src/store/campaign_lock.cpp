#include "store/campaign_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "assay/error.hpp"

namespace assay::store {
namespace {

/// False where the file was removed by its last holder between our opening and locking it.
bool still_there(int fd, const std::filesystem::path& path) {
  struct stat ours{};
  struct stat named{};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino;
}

}  // namespace

CampaignLock::CampaignLock(const std::filesystem::path& results_file, const std::string& campaign_id)
    : path_(results_file.string() + "." + campaign_id + ".lock") {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) {
      throw Error(ErrorCode::kIo,
                  fmt::format("the file that marks a campaign as running cannot be made: {}; give a results file "
                              "elsewhere with --db FILE or ASSAY_DB",
                              std::strerror(errno)),
                  path_.string());
    }
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      ::close(fd_);
      if (why == EINTR) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("campaign {} is being run by another process; wait for its end, or interrupt it there",
                              campaign_id),
                  results_file.string());
    }
    if (still_there(fd_, path_)) return;
    ::close(fd_);
  }
}

CampaignLock::~CampaignLock() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace assay::store
