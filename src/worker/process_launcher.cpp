#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "engine/cache_filling.hpp"
#include "measure/environment.hpp"
#include "worker/child_process.hpp"
#include "worker/frames.hpp"
#include "worker/launcher.hpp"
#include "worker/shared_board.hpp"
#include "worker/supervisor.hpp"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;

/// What is left to the rest of the machine where no limit was given.
constexpr std::uint64_t kLeastReserve = UINT64_C(256) << 20;

fs::path file_of_this_code() {
  static const char anchor = 0;
  Dl_info info{};
  if (::dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const fs::path file = fs::canonical(info.dli_fname, error);
  return error ? fs::path(info.dli_fname) : file;
}

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{1'000'000'000} * now.tv_sec + now.tv_nsec;
}

/// A listener's mistake takes nothing down.
void tell_removed(const std::vector<std::string>& removed, const EventListener& listener) {
  std::string names;
  for (const std::string& v : removed) names += (names.empty() ? "" : ", ") + v;
  try {
    listener({.kind = Event::Kind::kLog,
              .phase = "start",
              .progress = 0,
              .message = "kept from the worker, so that the case alone decides: " + names,
              .values = {},
              .texts = {}});
  } catch (...) {  // as the supervisor does it
  }
}

class ProcessLauncher final : public Launcher {
 public:
  Exit run(const Request& request, const Limits& limits, const EventListener& listener,
           const std::atomic<bool>& stop) override {
    Exit failed;
    failed.phase = "start";
    try {
      Exit exit = run_process(request, limits, listener, stop);
      // It may have died while it made a graph: what is left of that, no other process would look for soon.
      if (!exit.ok && !request.cache_folder.empty()) engine::sweep_unfinished(request.cache_folder);
      return exit;
    } catch (const Error& e) {
      failed.code = e.code();
      failed.reason = e.what();
    } catch (const std::exception& e) {
      failed.code = ErrorCode::kInternal;
      failed.reason = e.what();
    }
    return failed;
  }

 private:
  static Exit run_process(const Request& request, const Limits& limits, const EventListener& listener,
                          const std::atomic<bool>& stop) {
    std::vector<std::string> removed;
    const std::vector<std::string> environment = worker_environment(removed);
    // Where the user set a limit, the kernel enforces it too if it lets us ask.
    std::unique_ptr<MemoryCgroup> group;
    if (limits.memory_bytes > 0) {
      static std::atomic<int> number{0};
      group = MemoryCgroup::create(limits.memory_bytes, fmt::format("assay-{}-{}", ::getpid(), number++));
    }
    Request stamped = request;
    stamped.exec_ns = monotonic_ns();
    const SharedBoard board;
    ChildProcess child(worker_program(), environment, board.descriptor());
    if (group && !group->add(child.pid())) group.reset();
    if (!removed.empty() && listener) tell_removed(removed, listener);
    Supervisor supervisor(child, with_default_memory(limits, measure::machine_memory()), listener, stop,
                          {group.get(), &board});
    return supervisor.run(
        encode_frame(to_json(stamped).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  }
};

}  // namespace

// Beside bin/assay, lib/libassay.so, lib/<multiarch>/libassay.so.
fs::path worker_program() {
  if (const char* given = std::getenv("ASSAY_WORKER"); given != nullptr && *given != '\0') return given;
  std::string tried;
  for (const fs::path& binary : {executable_path(), file_of_this_code()}) {
    for (const char* up : {"..", "../.."}) {
      const fs::path candidate = (binary.parent_path() / up / "libexec/assay/assay-worker").lexically_normal();
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
      if (tried.find(candidate.string()) == std::string::npos)
        tried += (tried.empty() ? "" : ", ") + candidate.string();
    }
  }
  throw Error(ErrorCode::kUnavailable, "the program assay-worker is not there; looked for " + tried +
                                           "; install it with Assay or set ASSAY_WORKER to it");
}

Limits with_default_memory(Limits limits, const measure::MachineMemory& machine) {
  if (limits.memory_bytes > 0) return limits;
  const std::uint64_t reserve = std::max(kLeastReserve, machine.total / 20);
  if (machine.available > 2 * reserve) limits.memory_bytes = machine.available - reserve;
  return limits;
}

std::unique_ptr<Launcher> process_launcher() { return std::make_unique<ProcessLauncher>(); }

}  // namespace assay::worker
