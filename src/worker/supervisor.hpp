#pragma once
// Watches one worker from its start to its end.

#include <atomic>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "worker/child_process.hpp"
#include "worker/frames.hpp"
#include "worker/launcher.hpp"
#include "worker/memory_cgroup.hpp"
#include "worker/shared_board.hpp"

namespace assay::worker {

/// The last bytes of a stream.
class BoundedLog {
 public:
  explicit BoundedLog(std::size_t limit = 16384) : limit_(limit) {}
  void add(const char* data, std::size_t size);
  /// At most the last ten lines and 1500 bytes, control characters left out.
  [[nodiscard]] std::string last_words() const;

 private:
  std::size_t limit_;
  std::string text_;
};

/// What tells, after a worker's end, how it came about; each may be nullptr.
struct Witnesses {
  const MemoryCgroup* group = nullptr;
  const SharedBoard* board = nullptr;
};

class Supervisor {
 public:
  Supervisor(ChildProcess& child, const Limits& limits, const EventListener& listener, const std::atomic<bool>& stop,
             Witnesses witnesses);
  /// Sends the request, and sees the worker to its end.
  Exit run(const std::string& request_frame);

 private:
  void wait_for_news();
  void send_request();
  void read_channel();
  void read_output();
  void take(const Event& event);
  void tell(const Event& event);
  void check_limits();
  /// How long the worker may say nothing where it is.
  [[nodiscard]] std::chrono::milliseconds silence() const;
  /// From here on the worker is being ended; the first reason counts.
  void end(ErrorCode code, std::string reason, bool politely);
  Exit conclude(const Ending& ending);
  /// Of a worker that ended on its own, without a result.
  void explain_crash(const Ending& ending);

  ChildProcess& child_;
  Limits limits_;
  const EventListener& listener_;
  const std::atomic<bool>& stop_;
  Witnesses witnesses_;
  Clock& clock_;
  Nanoseconds started_{0}, last_news_{0}, ending_since_{0};
  std::string to_send_;
  std::size_t sent_ = 0;
  FrameDecoder decoder_;
  BoundedLog log_;
  bool channel_open_ = true, output_open_ = true, listening_ = true;
  bool ending_ = false, killed_ = false;
  std::optional<Event> result_, failure_;
  Exit exit_;
};

}  // namespace assay::worker
