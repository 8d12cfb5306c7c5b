#include "child.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

#include "worker/child_process.hpp"

namespace assay::bench {
namespace {

using std::chrono::milliseconds;

/// What a child writes begins with one of these.
constexpr char kAnswered = '+', kFailed = '-';

[[noreturn]] void work_and_leave(const std::function<std::string()>& work, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing goes on measuring when this program was stopped
  std::string text;
  try {
    text = kAnswered + work();
  } catch (const std::exception& e) {
    text = std::string(1, kFailed) + e.what();
  }
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(out, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) ::_exit(1);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

/// Waits in slices, of which each counts as one however long it was: a clock would go on while this process is stopped.
bool readable_within(int file, milliseconds& left) {
  constexpr milliseconds kSlice{500};
  while (left.count() > 0) {
    const milliseconds slice = std::min(left, kSlice);
    pollfd news{file, POLLIN, 0};
    if (::poll(&news, 1, static_cast<int>(slice.count())) > 0) return true;
    left -= slice;
  }
  return false;
}

/// False where the end does not come within `left`.
bool read_to_end(int file, milliseconds left, std::string& text) {
  char part[512];
  for (;;) {
    if (!readable_within(file, left)) return false;
    const ssize_t n = ::read(file, part, sizeof part);
    if (n == 0 || (n < 0 && errno != EINTR)) return true;
    if (n > 0) text.append(part, static_cast<std::size_t>(n));
  }
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "the process died of " + worker::signal_name(WTERMSIG(status));
  return "the process ended without an answer";
}

}  // namespace

Reply in_a_child(const std::function<std::string()>& work, milliseconds most) {
  int ends[2];
  if (::pipe(ends) != 0) return {false, std::strerror(errno)};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    work_and_leave(work, ends[1]);
  }
  const int fork_error = errno;
  ::close(ends[1]);
  std::string text;
  const bool ended = child > 0 && read_to_end(ends[0], most, text);
  ::close(ends[0]);
  if (child < 0) return {false, std::strerror(fork_error)};
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return {false, fmt::format("no answer within {:.3g} s", static_cast<double>(most.count()) * 1e-3)};
  if (text.empty()) return {false, how_it_ended(status)};
  return {text[0] == kAnswered, text.substr(1)};
}

}  // namespace assay::bench
