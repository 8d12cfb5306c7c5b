#include "faults.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>

namespace assay::null_backend {
namespace {

constexpr std::array<const char*, 8> kPhases = {"open", "cache_read", "cache_fill", "describe",
                                                "slot", "submit",     "run",        "copy"};

// Whether the `count`-th time of `phase` is the one that `when` names.
bool due(const std::string& when, const std::string& phase, long count) {
  if (when.empty()) return false;
  const std::size_t colon = std::min(when.find(':'), when.size());
  const std::string named = when.substr(0, colon);
  long n = 1;
  const char* end = when.data() + when.size();
  const bool number =
      colon == when.size() || (std::from_chars(when.data() + colon + 1, end, n).ptr == end && colon + 1 < when.size());
  if (!number || n < 1 || std::find(kPhases.begin(), kPhases.end(), named) == kPhases.end()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       "'" + when +
                           "' is no time to fail; it reads phase or phase:n with a phase of open, "
                           "cache_read, cache_fill, describe, slot, submit, run, copy and n from 1");
  }
  return named == phase && n == count;
}

// As a framework does that dies: with words, and by a signal that no handler of the host keeps back.
[[noreturn]] void crash(int signal) {
  constexpr std::string_view kWords = "null backend: crashing, as told\n";
  (void)!::write(STDERR_FILENO, kWords.data(), kWords.size());
  (void)std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
  ::_exit(128 + signal);  // a signal that kills nobody
}

}  // namespace

void Faults::strike(const std::string& phase) {
  if (settings_.fail_at.empty() && settings_.hang_at.empty() && settings_.crash_at.empty()) return;
  long count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = ++counts_[phase];
  }
  if (due(settings_.crash_at, phase, count)) crash(settings_.crash_signal);
  if (due(settings_.hang_at, phase, count)) {
    for (;;) ::pause();
  }
  if (due(settings_.fail_at, phase, count)) {
    throw kit::Failure(settings_.fail_as,
                       "the null backend was told to fail at " + phase + " number " + std::to_string(count));
  }
}

}  // namespace assay::null_backend
