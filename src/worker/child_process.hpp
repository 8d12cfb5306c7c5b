#pragma once
// A child process that cannot outlive us, with a socket and its captured output.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace assay::worker {

/// Closes it.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  void reset();

 private:
  int fd_ = -1;
};

/// How a process ended, as waitpid tells it.
struct Ending {
  bool by_signal = false;
  int number = 0;  ///< signal or exit status
};

/// A program in a process group of its own: killed by the kernel when the thread that started it ends, first in line
/// for the out-of-memory killer. Its descriptor 3 is our `channel`, its standard output and error our `output`, both
/// non-blocking here; its descriptor 4 is `board`, where one is given. The destructor kills the group and reaps.
class ChildProcess {
 public:
  /// Throws Error(kUnavailable) where the program cannot be run, Error(kIo) where the system refuses.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& environment, int board = -1);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int channel() const { return channel_.get(); }
  [[nodiscard]] int output() const { return output_.get(); }
  /// Readable when the process has ended; -1 where the kernel has none.
  [[nodiscard]] int ended_signal() const { return pidfd_.get(); }
  /// To the whole group.
  void signal(int number) const;
  /// True once it has ended; it stays a zombie until reap().
  [[nodiscard]] bool ended() const;
  /// Kills what is left of the group, and waits.
  Ending reap();

 private:
  pid_t pid_ = -1;
  Descriptor channel_, output_, pidfd_;
};

/// This process's environment without what would steer a framework behind Assay's back (OMP_NUM_THREADS …); what was
/// left out goes to `removed`.
std::vector<std::string> worker_environment(std::vector<std::string>& removed);

/// "SIGSEGV (Segmentation fault)".
std::string signal_name(int number);

}  // namespace assay::worker
