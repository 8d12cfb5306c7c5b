#include "worker/tasks.hpp"

#include <fmt/format.h>

#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "backend/backend.hpp"
#include "base/file.hpp"
#include "worker/gpu_watch.hpp"
#include "worker/parity_gate.hpp"
#include "worker/reference.hpp"
#include "worker/rounded_models.hpp"
#include "worker/session.hpp"

namespace assay::worker {
namespace {

double now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

/// What loading each member of an ensemble adds: its own. One whose session another has already adds nothing. Of
/// members that are loaded twice the second load counts, which is what stays.
engine::LoadListener member_memory(TaskResult& result) {
  const auto before = std::make_shared<std::optional<measure::ProcessMemory>>();
  return {.begin = [before](const std::string& /*member*/) { *before = measure::read_process_memory(); },
          .end =
              [before, &result](const std::string& member) {
                const std::optional<measure::ProcessMemory> now = measure::read_process_memory();
                if (!*before || !now) return;
                const auto added = static_cast<double>(now->pss) - static_cast<double>((*before)->pss);
                result.values["member." + member + ".memory"] = {std::max(0.0, added)};
              }};
}

}  // namespace

TaskResult read_memory(const Request& request, Reporter& reporter) {
  TaskResult result;
  MemoryMarks marks;
  reporter.phase(kOpenPhase);
  marks.start = measure::read_process_memory();
  open_library(request, result);
  marks.library = measure::read_process_memory();
  GpuAccount gpu(request, result, reporter);
  // A cold load: its peak does not depend on what the cache happens to hold. Nobody listens, so that members load side
  // by side, as a user's do.
  Session session = load_session(request, {}, reporter);
  reporter.phase("memory");
  describe_session(session, result);
  gpu.loaded(session.in_force());
  marks.before_inputs = measure::read_process_memory();
  const Inputs inputs = make_inputs(request, session, 0);
  // Every place in flight once, and one that comes back.
  run_batches(session, inputs, std::max(1, session.in_flight()) + 1);
  marks.now = measure::read_process_memory();
  put_memory(marks, inputs.bytes, result);
  gpu.put_memory(result);
  result.texts["remark.memory.peak"] = std::string("in a process of its own, cold load") +
                                       (has_members(request.test_case) ? ", all members side by side" : "");
  return result;
}

TaskResult read_member_memory(const Request& request, Reporter& reporter) {
  TaskResult result;
  TaskResult told;  // by the processes that measure
  reporter.phase(kOpenPhase);
  open_library(request, told);
  (void)load_session(request, {}, reporter, member_memory(result));
  return result;
}

TaskResult make_reference(const Request& asked, Reporter& reporter) {
  TaskResult result;
  reporter.phase(kOpenPhase);
  const TemporaryFolder folder;
  const Request request = with_rounded_weights(asked, folder.path());
  open_library(request, result);
  const std::vector<std::optional<int>> axes = read_through(request).softmax_axis;
  Session session = load_session(request, {}, reporter);
  describe_session(session, result);
  reporter.phase("reference");
  const Case& c = request.test_case;
  Reference reference;
  reference.identity = fmt::format("{} {}", c.backend, result.texts["backend.version"]);
  for (const auto& [key, value] : c.options) reference.identity += fmt::format(", {} {}", key, value);
  reference.identity += fmt::format(", {}", to_string(c.precision));
  if (is_reduced(request.weights_rounded_to)) {
    reference.identity += fmt::format(", weights rounded to {}", to_string(request.weights_rounded_to));
  }
  reference.data_key = parity_data_key(request);
  for (std::size_t o = 0; o < session.outputs().size(); ++o) {
    reference.outputs.push_back({session.outputs()[o].name, o < axes.size() ? axes[o] : std::nullopt, {}});
  }
  const ParityBatches batches = parity_batches(request, session);
  const std::int64_t samples = batches.samples;
  run_batches(session, parity_inputs(request, session), batches.count,
              [&](std::int64_t first, std::int64_t count, std::span<const TensorView> views) {
                for_each_sample(session.outputs(), first, count, views,
                                [&](std::size_t output, std::int64_t sample, const TensorView& view) {
                                  if (sample >= samples) return;
                                  Tensor kept(view.dtype, view.shape);
                                  if (kept.bytes() > 0) std::memcpy(kept.data(), view.data, kept.bytes());
                                  reference.outputs[output].samples.push_back(std::move(kept));
                                });
              });
  write_reference(request.reference_file, reference);
  result.texts["reference"] = reference.identity;
  result.values["parity.samples"] = {static_cast<double>(samples)};
  return result;
}

TaskResult answer_once(const Request& request, Reporter& reporter) {
  TaskResult result;
  const std::filesystem::path cache = request.test_case.cache ? request.cache_folder : std::filesystem::path();
  Session session = load_session(request, cache, reporter);
  // Whoever asks brings the inputs along: making them up is not charged.
  const double loaded = now_ns();
  const Inputs inputs = parity_inputs(request, session);
  const double made = now_ns() - loaded;
  reporter.phase("first");
  time_one_batch(session, inputs);
  if (request.exec_ns > 0) result.values["start"] = {now_ns() - made - static_cast<double>(request.exec_ns)};
  describe_session(session, result);
  result.texts["remark.start"] = session.from_cache() ? "graph from the cache" : "graph not from the cache";
  result.texts["cache"] = session.cache_remark();
  return result;
}

TaskResult probe_backend(const Request& request, Reporter& reporter) {
  reporter.phase(kOpenPhase);
  const backend::Backend backend = backend::load_backend(request.test_case.backend);
  const backend::Probe probe = backend.probe(request.library);
  nlohmann::json devices = nlohmann::json::array();
  for (const backend::Device& d : probe.devices) {
    devices.push_back({{"name", d.name}, {"description", d.description}, {"memory_bytes", d.memory_bytes}});
  }
  TaskResult result;
  result.values["available"] = {probe.available ? 1.0 : 0.0};
  result.values["model_formats"] = {static_cast<double>(backend.model_formats())};
  result.texts = {{"reason", probe.reason}, {"version", probe.version},  {"library", probe.library},
                  {"origin", probe.origin}, {"devices", devices.dump()}, {"absent", probe.absent}};
  return result;
}

TaskResult run_task(const Request& request, Reporter& reporter) {
  switch (request.kind) {
    case Request::Kind::kMeasure:
      return measure_case(request, reporter);
    case Request::Kind::kMemory:
      return read_memory(request, reporter);
    case Request::Kind::kMemberMemory:
      return read_member_memory(request, reporter);
    case Request::Kind::kReference:
      return make_reference(request, reporter);
    case Request::Kind::kStart:
      return answer_once(request, reporter);
    case Request::Kind::kProbe:
      return probe_backend(request, reporter);
  }
  throw Error(ErrorCode::kInternal, "no task for this kind of request");
}

}  // namespace assay::worker
