#include "worker/worker_main.hpp"

#include <new>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "worker/frames.hpp"
#include "worker/tasks.hpp"

namespace assay::worker {
namespace {

/// Frameworks' messages need not be UTF-8: what is not is replaced.
std::string dumped(const Event& event) {
  return to_json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Event failure(const Reporter& reporter, ErrorCode code, std::string message) {
  return {.kind = Event::Kind::kFailure,
          .phase = reporter.current_phase(),
          .progress = 0,
          .message = std::move(message),
          .code = code,
          .values = {},
          .texts = {}};
}

Event outcome_of(const Request& request, Reporter& reporter) {
  try {
    TaskResult result = run_task(request, reporter);
    return {.kind = Event::Kind::kResult,
            .phase = "done",
            .progress = 1,
            .message = {},
            .values = std::move(result.values),
            .texts = std::move(result.texts)};
  } catch (const Error& e) {
    return failure(reporter, e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return failure(reporter, ErrorCode::kOutOfMemory, "memory could not be allocated");
  } catch (const std::exception& e) {
    return failure(reporter, ErrorCode::kInternal, e.what());
  }
}

}  // namespace

int worker_main(int channel) {
  Reporter reporter([channel](const Event& event) { write_frame(channel, dumped(event)); });
  try {
    FrameDecoder decoder;
    const std::optional<std::string> payload = read_frame(channel, decoder);
    if (!payload) return 2;
    const Request request = request_from_json(parse_json(*payload, "request"));
    return write_frame(channel, dumped(outcome_of(request, reporter))) ? 0 : 2;
  } catch (const Error& e) {
    return write_frame(channel, dumped(failure(reporter, e.code(), e.what()))) ? 0 : 2;
  }
}

}  // namespace assay::worker
