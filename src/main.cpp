// The program `assay`: streams, signals and processes around assay::cli::run.
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>

#include "base/clock.hpp"
#include "cli/cli.hpp"
#include "worker/launcher.hpp"

extern char** environ;

namespace {

std::atomic<bool> g_stop{false};

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{1000} * now.tv_sec + now.tv_nsec / 1'000'000;
}

/// The first asks to stop; a later one, by the default action, ends. make, timeout and others pass on a Ctrl-C that the
/// terminal has sent to all of us: what comes at once is the same one again.
void on_signal(int signal) {
  constexpr std::int64_t kSameMs = 500;
  static std::atomic<std::int64_t> first{0};
  static_assert(std::atomic<std::int64_t>::is_always_lock_free);
  std::int64_t none = 0;
  const std::int64_t now = now_ms();
  g_stop = true;
  if (first.compare_exchange_strong(none, now) || now - none < kSameMs) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void install(int signal) {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(signal, &action, nullptr);
}

int run_program(const std::vector<std::string>& arguments) {
  constexpr int kNotThere = 127;
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  // Its output is not what was asked of us: standard output stays clean.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return kNotThere;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kNotThere + 1;
}

/// Of the terminal that standard output is; 0: it is none, or does not say.
std::size_t columns_of_output() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGCHLD, SIG_DFL);  // whoever started us may ignore it: how children ended would be lost
  install(SIGINT);
  install(SIGTERM);
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const auto launcher = assay::worker::process_launcher();
  assay::cli::Context context;
  context.in = &std::cin;
  context.out = &std::cout;
  context.err = &std::cerr;
  context.live = isatty(STDERR_FILENO) != 0 && (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
  context.interactive = isatty(STDIN_FILENO) != 0;
  context.color = context.live && (no_color == nullptr || *no_color == '\0');
  context.columns = columns_of_output();
  context.launcher = launcher.get();
  context.clock = &assay::steady_clock();
  context.stop = &g_stop;
  context.leave = [](int status) { std::_Exit(status); };  // no destructors: an engine's threads still run
  context.run_program = run_program;
  return assay::cli::run({argv + 1, argv + argc}, context);
}
