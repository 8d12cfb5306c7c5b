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

/// Opens the backend's library, so that loading a model is not charged with it. Throws Error(kUnavailable) with the
/// reason. Puts "library" (ns) and texts about the backend into `result`.
void open_library(const Request& request, TaskResult& result);

/// Reads the model's files once: from then on they are in the page cache. Nothing where our reader does not understand
/// the model: loading it then says what is wrong, or the backend knows better.
std::optional<model::Model> read_through(const Request& request);

Session load_session(const Request& request, const std::filesystem::path& cache, Reporter& reporter);

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
