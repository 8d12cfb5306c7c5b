#pragma once
// For whoever measures (worker, measure): `engine::run_stream` is predict_stream with a record of every batch, a stop
// condition for endless streams, and the choice of no overlap; `engine::load` is assay::load with settings that users
// do not have.

#include <cstdint>
#include <functional>

#include "assay/assay.hpp"
#include "assay/backend_abi.h"

namespace assay::engine {

/// The clock of everything below.
inline std::chrono::nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

/// One batch's way through the pipeline. Moments are of std::chrono::steady_clock since its epoch.
struct BatchRecord {
  std::int64_t index = 0;             ///< of the batch, from 0, in the order of the samples
  std::int64_t first = 0, count = 0;  ///< its samples
  std::chrono::nanoseconds fill_begin{}, fill_end{};
  std::chrono::nanoseconds submitted{};  ///< just before it was handed to the backend
  std::chrono::nanoseconds done{};       ///< the backend said so; done - submitted is the request's latency
  std::chrono::nanoseconds drain_begin{}, drain_end{};
  /// The backend's own account; where it knows nothing, the copies are 0 and compute is done - submitted.
  std::chrono::nanoseconds copy_in{}, compute{}, copy_out{};
  /// Time between fill_end and done in which the batch was neither computed nor copied: waiting for a place.
  std::chrono::nanoseconds queue{};
  /// How long the device went on computing after its last launch (assay_timing::ahead_ns); negative: not known.
  std::chrono::nanoseconds ahead{-1};
};

/// Called once a batch, in order, after its drain, by the thread that drained it. Must not throw.
using BatchObserver = std::function<void(const BatchRecord&)>;

struct StreamSettings {
  std::int64_t samples = -1;  ///< -1: endless, until `stop`
  /// Asked before every fill, on the caller's thread, with the number of batches begun so far; true ends the stream:
  /// what is under way is finished and drained. Empty: never.
  std::function<bool(std::int64_t begun)> stop;
  BatchObserver observer;
  /// False: fill, compute and drain one after another on the caller's thread, one batch outstanding: what a single
  /// request costs. True: the pipeline, in_flight() batches outstanding.
  bool overlap = true;
};

/// As Session::predict_stream. Every batch holds batch_size samples (with batch_size 0: the batch axis of
/// Params::shapes, else 1) but the last. `drain` may be empty.
PredictTiming run_stream(Session& session, const StreamSettings& settings, const FillFunction& fill,
                         const DrainFunction& drain);

/// As Session::predict into memory of the caller's, on the caller's thread alone, one batch after the other: what a
/// lane of an ensemble does, whose neighbours compute on the other cores.
void predict_alone(Session& session, std::span<const TensorView> x, std::span<const MutableTensorView> y);

/// Samples in a batch of run_stream: throughput counts these.
std::int64_t samples_per_batch(const Session& session);

/// Called with the name of an ensemble's member before it is loaded, and after. Where a strategy goes by measured
/// costs, members may be loaded a second time, with other threads, after those of the first time are gone.
struct LoadListener {
  std::function<void(const std::string& member)> begin, end;
};

struct LoadSettings {
  bool profile = false;  ///< collect what report("profile") gives
  assay_core_use cores = ASSAY_CORES_OWN;
  LoadListener members;  ///< where it listens, members load one after the other
};

/// As assay::load.
Session load(const std::filesystem::path& path, const Params& params, const LoadSettings& settings);

}  // namespace assay::engine
