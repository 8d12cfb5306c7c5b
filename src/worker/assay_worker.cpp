// assay-worker: one process per measurement. Started by a launcher with a socket as descriptor 3; of no use by hand.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "worker/shared_board.hpp"
#include "worker/worker_main.hpp"

int main() {
  using assay::worker::kChannel;
  struct stat channel{};
  if (::fstat(kChannel, &channel) != 0 || !S_ISSOCK(channel.st_mode)) {
    std::fputs("assay-worker is started by assay and by libassay, with a socket to talk through; run `assay bench`\n",
               stderr);
    return 2;
  }
  ::fcntl(kChannel, F_SETFD, FD_CLOEXEC);
  assay::worker::join_board(assay::worker::kBoard);
  const int status = assay::worker::worker_main(kChannel);
  // What frameworks do at exit is nobody's measurement, and some crash there.
  std::fflush(nullptr);
  ::_exit(status);
}
