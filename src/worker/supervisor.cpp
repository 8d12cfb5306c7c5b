#include "worker/supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "measure/memory.hpp"

namespace assay::worker {
namespace {

constexpr int kTickMilliseconds = 50;
constexpr Nanoseconds kGrace = std::chrono::seconds(2);
constexpr double kMebibyte = 1024.0 * 1024.0;

double seconds(Nanoseconds t) { return std::chrono::duration<double>(t).count(); }

}  // namespace

void BoundedLog::add(const char* data, std::size_t size) {
  text_.append(data, size);
  if (text_.size() > 2 * limit_) text_.erase(0, text_.size() - limit_);
}

std::string BoundedLog::last_words() const {
  std::string words = text_.substr(text_.size() > 1500 ? text_.size() - 1500 : 0);
  std::erase_if(words, [](unsigned char c) { return c != '\n' && std::iscntrl(c) != 0; });
  while (!words.empty() && words.back() == '\n') words.pop_back();
  std::size_t lines = 0;
  for (std::size_t at = words.size(); at-- > 0;) {
    if (words[at] == '\n' && ++lines == 10) return words.substr(at + 1);
  }
  return words;
}

Supervisor::Supervisor(ChildProcess& child, const Limits& limits, const EventListener& listener,
                       const std::atomic<bool>& stop, Witnesses witnesses)
    : child_(child), limits_(limits), listener_(listener), stop_(stop), witnesses_(witnesses), clock_(steady_clock()) {
  exit_.phase = "start";
}

Exit Supervisor::run(const std::string& request_frame) {
  to_send_ = request_frame;
  started_ = last_news_ = clock_.now();
  while (!child_.ended()) {
    wait_for_news();
    check_limits();
  }
  if (channel_open_) read_channel();
  if (output_open_) read_output();
  return conclude(child_.reap());
}

void Supervisor::wait_for_news() {
  const auto channel_events = static_cast<short>(POLLIN | (sent_ < to_send_.size() ? POLLOUT : 0));
  std::array<pollfd, 3> fds = {{{channel_open_ ? child_.channel() : -1, channel_events, 0},
                                {output_open_ ? child_.output() : -1, POLLIN, 0},
                                {child_.ended_signal(), POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), kTickMilliseconds) <= 0) return;
  if ((fds[0].revents & POLLOUT) != 0) send_request();
  if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_channel();
  if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_output();
}

void Supervisor::send_request() {
  const ssize_t n = ::send(child_.channel(), to_send_.data() + sent_, to_send_.size() - sent_, MSG_NOSIGNAL);
  // A worker that is gone already says why by how it ended.
  sent_ = n >= 0 ? sent_ + static_cast<std::size_t>(n) : errno == EAGAIN || errno == EINTR ? sent_ : to_send_.size();
}

void Supervisor::read_channel() {
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t n = ::read(child_.channel(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || (n < 0 && errno != EAGAIN)) channel_open_ = false;
    if (n <= 0) return;
    last_news_ = clock_.now();
    try {
      decoder_.feed(chunk.data(), static_cast<std::size_t>(n));
      while (const std::optional<std::string> payload = decoder_.next()) {
        take(event_from_json(parse_json(*payload, "a worker's frame")));
      }
    } catch (const Error& e) {
      channel_open_ = false;
      end(ErrorCode::kInternal, fmt::format("the worker said something that is no event: {}", e.what()), false);
      return;
    }
  }
}

void Supervisor::read_output() {
  std::array<char, 16384> chunk;
  for (;;) {
    const ssize_t n = ::read(child_.output(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || (n < 0 && errno != EAGAIN)) output_open_ = false;
    if (n <= 0) return;
    log_.add(chunk.data(), static_cast<std::size_t>(n));
  }
}

void Supervisor::take(const Event& event) {
  if (event.kind == Event::Kind::kResult) {
    result_ = event;
  } else if (event.kind == Event::Kind::kFailure) {
    failure_ = event;
  } else if (!event.phase.empty()) {
    exit_.phase = event.phase;
  }
  tell(event);
}

void Supervisor::tell(const Event& event) {
  if (!listening_ || !listener_) return;
  try {
    listener_(event);
  } catch (const std::exception& e) {
    // Whoever watches must not take the case down with it.
    listening_ = false;
    const std::string note = fmt::format("assay: progress could not be shown: {}\n", e.what());
    log_.add(note.data(), note.size());
  }
}

void Supervisor::check_limits() {
  const Nanoseconds now = clock_.now();
  const std::uint64_t resident = measure::resident_bytes(child_.pid());
  exit_.peak_bytes = std::max(exit_.peak_bytes, resident);
  if (ending_) {
    if (!killed_ && now - ending_since_ >= kGrace) {
      child_.signal(SIGKILL);
      killed_ = true;
    }
    return;
  }
  if (stop_.load()) return end(ErrorCode::kCancelled, "cancelled", true);
  if (result_ || failure_) {  // all is said; only its end is missing
    if (now - last_news_ >= kGrace) end(ErrorCode::kTimeout, "the worker did not end after its result", false);
    return;
  }
  if (limits_.memory_bytes > 0 && resident > limits_.memory_bytes) {
    return end(
        ErrorCode::kOutOfMemory,
        fmt::format("the worker used {:.0f} MiB, the limit is {:.0f} MiB; a smaller batch or fewer in flight need "
                    "less, --memory-limit allows more",
                    static_cast<double>(resident) / kMebibyte, static_cast<double>(limits_.memory_bytes) / kMebibyte),
        false);
  }
  if (now - started_ >= limits_.timeout) {
    return end(ErrorCode::kTimeout,
               fmt::format("not done after {:.1f} s, the limit (--timeout)", seconds(limits_.timeout)), true);
  }
  if (now - last_news_ >= silence()) {
    end(ErrorCode::kTimeout, fmt::format("hangs: no sign of life for {:.1f} s", seconds(silence())), true);
  }
}

std::chrono::milliseconds Supervisor::silence() const {
  const bool opens = exit_.phase == kOpenPhase || exit_.phase == kLoadPhase;
  return opens ? std::max(limits_.silence, limits_.opening) : limits_.silence;
}

void Supervisor::end(ErrorCode code, std::string reason, bool politely) {
  if (ending_) return;
  ending_ = true;
  ending_since_ = clock_.now();
  exit_.code = code;
  exit_.reason = std::move(reason);
  child_.signal(politely ? SIGTERM : SIGKILL);
  killed_ = !politely;
}

Exit Supervisor::conclude(const Ending& ending) {
  const bool cancelled = ending_ && exit_.code == ErrorCode::kCancelled;
  if (result_ && !cancelled) {
    exit_.ok = true;
    exit_.result = std::move(*result_);
    exit_.reason.clear();
    return exit_;
  }
  if (failure_ && !cancelled) {
    if (!failure_->phase.empty()) exit_.phase = failure_->phase;
    exit_.code = failure_->code;
    exit_.reason = failure_->message;
    return exit_;
  }
  if (!ending_) {
    explain_crash(ending);
  } else if (killed_ && !cancelled && exit_.code == ErrorCode::kTimeout) {
    exit_.reason += "; it ignored SIGTERM and was killed";
  }
  if (cancelled) return exit_;
  if (witnesses_.board != nullptr) {
    if (const std::string members = witnesses_.board->under_way(); !members.empty()) exit_.reason += "; " + members;
  }
  if (const std::string words = log_.last_words(); !words.empty()) exit_.reason += "; its last words: " + words;
  return exit_;
}

void Supervisor::explain_crash(const Ending& ending) {
  exit_.code = ErrorCode::kCrashed;
  exit_.reason = ending.by_signal ? fmt::format("the worker was killed by {}", signal_name(ending.number))
                                  : fmt::format("the worker ended with status {} and no result", ending.number);
  if (witnesses_.group != nullptr && witnesses_.group->out_of_memory()) {
    exit_.code = ErrorCode::kOutOfMemory;
    exit_.reason += ": its control group was out of memory";
  } else if (ending.by_signal && ending.number == SIGKILL) {
    exit_.reason += fmt::format(", not by Assay: perhaps the kernel, out of memory ({:.0f} MiB were in use)",
                                static_cast<double>(exit_.peak_bytes) / kMebibyte);
  }
}

}  // namespace assay::worker
