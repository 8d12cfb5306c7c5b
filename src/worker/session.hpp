#pragma once
// What the tasks share: a session as a request wants it, its inputs, and its first steps.

#include <chrono>
#include <memory>
#include <optional>

#include "engine/stream.hpp"
#include "input/source.hpp"
#include "measure/memory.hpp"
#include "model/model.hpp"
#include "worker/reporter.hpp"
#include "worker/tasks.hpp"

namespace assay::worker {

/// The case as load's parameters; `cache` empty: no graph cache.
Params params_of(const Request& request, const std::filesystem::path& cache, Reporter& reporter);

/// Of each member of a case on several devices, by its name, the one that it computes on; else none.
std::map<std::string, std::string> devices_of_members(const Case& c);

/// Opens the backend's library, so that loading a model is not charged with it. Throws Error(kUnavailable) with the
/// reason. Puts "library" (ns) and texts about the backend and its device ("device.uuid" of a GPU, of
/// several joined as devices are) into `result`.
void open_library(const Request& request, TaskResult& result);

/// Of the case's model, or of all its members.
struct ModelRead {
  std::optional<std::int64_t> flops;  ///< per sample; nothing where they are not known of each
  bool cacheable = true;              ///< all are ONNX files
  /// Per output, see model::Model; empty where outputs are combined.
  std::vector<std::optional<int>> softmax_axis;
};
/// Reads the files once: from then on they are in the page cache. What our reader does not understand it passes over:
/// loading it then says what is wrong, or the backend knows better.
ModelRead read_through(const Request& request);

/// Says each time that it loads: a second load is no silence of the first.
Session load_session(const Request& request, const std::filesystem::path& cache, Reporter& reporter,
                     const engine::LoadListener& members = {});

/// "in_force.<key>" and "batch_size", "in_flight".
void describe_session(const Session& session, TaskResult& result);

/// Inputs of a case, rotated endlessly. `distinct_bytes`: how much must differ (the last-level cache).
struct Inputs {
  std::shared_ptr<input::Source> source;
  FillFunction fill;
  std::uint64_t bytes = 0;  ///< held for generated samples
  std::string remark;
};
Inputs make_inputs(const Request& request, const Session& session, std::uint64_t distinct_bytes);
/// Seeded inputs that repeat after `samples`.
Inputs parity_inputs(const Request& request, const Session& session);

/// One full batch; nanoseconds.
double time_one_batch(Session& session, const Inputs& inputs);
/// `batches` full batches through the pipeline.
void run_batches(Session& session, const Inputs& inputs, std::int64_t batches, const DrainFunction& drain = {});

/// "memory.…" from the state at the start, after the library was opened, and now; generated inputs are not counted.
struct MemoryMarks {
  std::optional<measure::ProcessMemory> start, library, now;
  std::optional<measure::ProcessMemory> before_inputs;  ///< just before the generated inputs were made
};
void put_memory(const MemoryMarks& marks, std::uint64_t generated_bytes, TaskResult& result);

}  // namespace assay::worker
