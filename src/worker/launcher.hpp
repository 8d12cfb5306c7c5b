#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "measure/environment.hpp"
#include "worker/protocol.hpp"

namespace assay::worker {

/// What a worker may use before it is stopped.
struct Limits {
  std::chrono::milliseconds timeout{600'000};  ///< whole process
  std::chrono::milliseconds silence{120'000};  ///< between two events: a hang
  std::uint64_t memory_bytes = 0;              ///< resident; 0: what the machine has, less a reserve
  /// The same as `silence` in the phases "open" and "load" alone, where it is longer: a GPU's engine is built without
  /// a word.
  std::chrono::milliseconds opening{0};
};

/// Where no memory was asked for: what is available, less a reserve for the rest of the machine; none where too little
/// is known or left.
Limits with_default_memory(Limits limits, const measure::MachineMemory& machine);

/// How a worker ended. Exactly one of a result and a failure is there.
struct Exit {
  bool ok = false;
  Event result;       ///< kResult when ok
  std::string phase;  ///< where it was
  ErrorCode code = ErrorCode::kInternal;
  std::string reason;            ///< signal, exit status, limit, and the framework's last words
  std::uint64_t peak_bytes = 0;  ///< as polled by the launcher
};

using EventListener = std::function<void(const Event&)>;

/// Starts worker processes. The runner sees nothing else of them; tests give it a double.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Runs one worker to its end. `stop` becoming true ends it (SIGTERM, then SIGKILL): Exit with kCancelled.
  virtual Exit run(const Request& request, const Limits& limits, const EventListener& listener,
                   const std::atomic<bool>& stop) = 0;
};

/// Real processes, of worker_program().
std::unique_ptr<Launcher> process_launcher();

/// $ASSAY_WORKER, or the program `assay-worker` beside the running program or the library that this is in. Throws
/// Error(kUnavailable).
std::filesystem::path worker_program();

}  // namespace assay::worker
