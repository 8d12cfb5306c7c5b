#pragma once
// Batches through a session: filled, computed and drained, one beside the other.

#include <functional>
#include <optional>
#include <span>

#include "engine/dispatcher.hpp"
#include "engine/lane.hpp"
#include "engine/layout.hpp"
#include "engine/short_batches.hpp"
#include "engine/unit.hpp"

namespace assay::engine {

/// What a session owns to run batches. `places`: batches in the backend at once.
class Pipeline {
 public:
  Pipeline(const Layout& layout, backend::BackendSession& session, int places);

  struct Run {
    std::int64_t samples = -1;          ///< -1: endless
    std::int64_t batch = 1;             ///< samples in a batch
    std::span<const TensorView> whole;  ///< the inputs, where their shapes are not the layout's
    bool overlap = true;                ///< false, or in a run of one batch: all on the caller's thread
    const std::function<bool(std::int64_t)>* stop = nullptr;
    const BatchObserver* observer = nullptr;
  };
  /// Throws the first failure of work or backend, in the order of the samples; what is under way is finished before,
  /// and the pipeline may be used on.
  PredictTiming run(Work& work, const Run& run);

  [[nodiscard]] int places() const { return places_; }
  /// Opens a unit, so that what is wrong shows early.
  void warm(std::int64_t count);

 private:
  class Batches;
  PredictTiming alone(Work& work, Batches& batches, const BatchObserver& observer);
  PredictTiming overlapped(Work& work, Batches& batches, const BatchObserver& observer);
  ShortBatches short_batches_;
  int places_;
  UnitPool units_;
  Dispatcher dispatcher_;
  LanePool lanes_;
};

}  // namespace assay::engine
