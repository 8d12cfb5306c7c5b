#include "worker/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>
#include <string_view>

#include "assay/error.hpp"
#include "worker/worker_main.hpp"

namespace assay::worker {
namespace {

[[noreturn]] void refused(const char* what) {
  throw Error(ErrorCode::kIo, fmt::format("cannot start a worker process: {}: {}", what, std::strerror(errno)));
}

constexpr int kLeastMoved = 10;

/// Above the numbers that the child's standard ones get, and closed by exec.
Descriptor moved_up(int fd) {
  const Descriptor low(fd);
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, kLeastMoved);
  if (high < 0) refused("fcntl");
  return Descriptor(high);
}

std::pair<Descriptor, Descriptor> new_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) refused("pipe");
  Descriptor first = moved_up(ends[0]);
  return {std::move(first), moved_up(ends[1])};
}

std::pair<Descriptor, Descriptor> new_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) refused("socketpair");
  Descriptor first = moved_up(ends[0]);
  return {std::move(first), moved_up(ends[1])};
}

void set_nonblocking(const Descriptor& d) { ::fcntl(d.get(), F_SETFL, ::fcntl(d.get(), F_GETFL) | O_NONBLOCK); }

/// All that the child needs between fork and exec, made beforehand: only async-signal-safe calls are allowed there.
struct ChildPlan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  int channel, output, null, status, board;
  pid_t parent;
};

[[noreturn]] void become(const ChildPlan& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);  // it ended before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGCHLD, SIG_DFL);
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0 && ::write(score, "1000", 4) < 0) {
    // Only a preference: without it the kernel chooses by size, which is mostly the worker as well.
  }
  ::dup2(plan.null, 0);
  ::dup2(plan.output, 1);
  ::dup2(plan.output, 2);
  ::dup2(plan.channel, kChannel);
  if (plan.board >= 0) ::dup2(plan.board, kBoard);
  ::syscall(SYS_close_range, plan.board >= 0 ? kBoard + 1 : kBoard, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execve(plan.program, plan.arguments, plan.environment);
  const int why = errno;
  if (::write(plan.status, &why, sizeof why) < 0) ::_exit(126);
  ::_exit(127);
}

bool begins_with_any(std::string_view name, std::span<const std::string_view> prefixes) {
  for (const std::string_view p : prefixes) {
    if (name.starts_with(p)) return true;
  }
  return false;
}

}  // namespace

void Descriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

ChildProcess::ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& environment,
                           int board) {
  auto [ours, theirs] = new_socket_pair();
  auto [out_read, out_write] = new_pipe();
  auto [status_read, status_write] = new_pipe();
  const int opened = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (opened < 0) refused("/dev/null");
  const Descriptor null = moved_up(opened);
  const Descriptor shared(board < 0 ? -1 : ::fcntl(board, F_DUPFD_CLOEXEC, kLeastMoved));
  if (board >= 0 && shared.get() < 0) refused("fcntl");
  std::string name = program.string();
  std::array<char*, 2> arguments = {name.data(), nullptr};
  std::vector<char*> variables;
  variables.reserve(environment.size() + 1);
  for (const std::string& v : environment) variables.push_back(const_cast<char*>(v.c_str()));
  variables.push_back(nullptr);
  const ChildPlan plan{name.c_str(), arguments.data(),   variables.data(), theirs.get(), out_write.get(),
                       null.get(),   status_write.get(), shared.get(),     ::getpid()};
  pid_ = ::fork();
  if (pid_ < 0) refused("fork");
  if (pid_ == 0) become(plan);
  ::setpgid(pid_, pid_);  // as the child does: whoever is first
  theirs.reset();
  out_write.reset();
  status_write.reset();
  int why = 0;
  ssize_t n = 0;
  while ((n = ::read(status_read.get(), &why, sizeof why)) < 0 && errno == EINTR) {
  }
  if (n > 0) {
    reap();
    throw Error(ErrorCode::kUnavailable,
                fmt::format("the worker program cannot be run: {}; set ASSAY_WORKER to it", std::strerror(why)), name);
  }
  channel_ = std::move(ours);
  output_ = std::move(out_read);
  set_nonblocking(channel_);
  set_nonblocking(output_);
  pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) reap();
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

bool ChildProcess::ended() const {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0) return info.si_pid == pid_;
  // Where SIGCHLD is ignored, as some programs that start us leave it, the kernel reaps at once.
  return errno == ECHILD;
}

Ending ChildProcess::reap() {
  // While the leader is not reaped, its number cannot be another group's.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return {.by_signal = true, .number = WTERMSIG(status)};
  return {.by_signal = false, .number = WEXITSTATUS(status)};
}

std::vector<std::string> worker_environment(std::vector<std::string>& removed) {
  // Not all of TF_: TF_CPP_ says how much is said, and others have that beginning, too.
  static constexpr std::array<std::string_view, 19> kSteering = {
      "OMP_", "KMP_", "GOMP_", "MKL_",    "OPENBLAS_",  "BLIS_",       "VECLIB_",    "NUMEXPR_", "DNNL_",  "ONEDNN_",
      "TBB_", "OV_",  "XLA_",  "TF_XLA_", "TF_ENABLE_", "TF_DISABLE_", "TF_ONEDNN_", "TF_NUM_",  "TF_MKL_"};
  std::vector<std::string> kept;
  for (char** v = ::environ; v != nullptr && *v != nullptr; ++v) {
    if (begins_with_any(*v, kSteering)) {
      removed.emplace_back(*v);
    } else {
      kept.emplace_back(*v);
    }
  }
  return kept;
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  const char* const meaning = ::sigdescr_np(number);
  if (name == nullptr) return fmt::format("signal {}", number);
  return fmt::format("SIG{} ({})", name, meaning == nullptr ? "" : meaning);
}

}  // namespace assay::worker
