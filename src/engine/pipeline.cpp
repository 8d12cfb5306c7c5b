#include "engine/pipeline.hpp"

#include <utility>

namespace assay::engine {
/// The batches of one run, one after another, and the groups of units that carry them.
class Pipeline::Batches {
 public:
  Batches(Pipeline& pipeline, const Run& run)
      : pipeline_(pipeline), run_(run), main_(pipeline.units_.claim(run.batch, run.whole)) {}

  [[nodiscard]] bool single() const { return run_.samples >= 0 && run_.samples <= run_.batch; }

  /// Nothing: the run is over.
  std::optional<BatchRecord> next() {
    const bool all = run_.samples >= 0 && first_ >= run_.samples;
    if (all || (run_.stop != nullptr && *run_.stop && (*run_.stop)(index_))) return std::nullopt;
    BatchRecord record;
    record.index = index_++;
    record.first = first_;
    record.count = run_.samples < 0 ? run_.batch : std::min(run_.batch, run_.samples - first_);
    first_ += record.count;
    return record;
  }

  Unit& unit_for(const BatchRecord& record) {
    Unit& unit = record.count != run_.batch ? short_unit(record.count) : pipeline_.units_.acquire(main_.group());
    unit.record = record;
    return unit;
  }

 private:
  Unit& short_unit(std::int64_t count) {
    ShortBatches& policy = pipeline_.short_batches_;
    Group& main = main_.group();
    if (!policy.fills_up(count, run_.batch, main.compute.load(std::memory_order_relaxed))) {
      short_.emplace(pipeline_.units_.claim(count));
      try {
        return pipeline_.units_.acquire(short_->group());
      } catch (const Error&) {
        if (!policy.refused(count)) throw;
      }
    }
    return pipeline_.units_.acquire(main);
  }

  Pipeline& pipeline_;
  const Run& run_;
  UnitPool::Claim main_;
  std::optional<UnitPool::Claim> short_;
  std::int64_t index_ = 0, first_ = 0;
};

// Two more units than places: one that is filled and one that is drained while the backend has the others.
Pipeline::Pipeline(const Layout& layout, backend::BackendSession& session, int places)
    : short_batches_(short_batch_policy(layout, session.info().short_batch), session.info().slot_open),
      places_(places),
      units_(layout, session, static_cast<std::size_t>(places) + 2),
      dispatcher_(places, session.info().computes_in_wait),
      lanes_(units_) {}

void Pipeline::warm(std::int64_t count) {
  const UnitPool::Claim claim = units_.claim(count);
  units_.release(units_.acquire(claim.group()));
}

PredictTiming Pipeline::run(Work& work, const Run& run) {
  static const BatchObserver nobody;
  const BatchObserver& observer = run.observer != nullptr ? *run.observer : nobody;
  const std::chrono::nanoseconds begin = now();
  Batches batches(*this, run);
  PredictTiming timing =
      run.overlap && !batches.single() ? overlapped(work, batches, observer) : alone(work, batches, observer);
  timing.total = now() - begin;
  return timing;
}

PredictTiming Pipeline::alone(Work& work, Batches& batches, const BatchObserver& observer) {
  struct Back {  // on every way out
    UnitPool& pool;
    Unit& unit;
    ~Back() { pool.release(unit); }
  };
  struct Place {
    Dispatcher& dispatcher;
    explicit Place(Dispatcher& d) : dispatcher(d) { d.enter(); }
    ~Place() { dispatcher.leave(); }
  };
  PredictTiming sums;
  while (const std::optional<BatchRecord> record = batches.next()) {
    Unit& unit = batches.unit_for(*record);
    const Back back{units_, unit};
    unit.record.fill_begin = now();
    work.fill(unit);
    unit.record.fill_end = now();
    {
      const Place place(dispatcher_);
      unit.submit(nullptr);
      unit.wait();
    }
    finish_batch(unit, work, observer, sums);
  }
  return sums;
}

PredictTiming Pipeline::overlapped(Work& work, Batches& batches, const BatchObserver& observer) {
  const LanePool::Lease lease(lanes_);
  Lane& lane = *lease;
  dispatcher_.start();
  lane.begin(work, observer);
  std::exception_ptr failure;  // of filling: what was filled before is still computed and drained
  try {
    while (!lane.failed()) {
      const std::optional<BatchRecord> record = batches.next();
      if (!record) break;
      Unit& unit = batches.unit_for(*record);
      unit.record.fill_begin = now();
      try {
        work.fill(unit);
      } catch (...) {
        units_.release(unit);
        throw;
      }
      unit.record.fill_end = now();
      lane.push(unit);
      dispatcher_.enqueue(unit);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  const PredictTiming timing = lane.finish();
  if (failure != nullptr) std::rethrow_exception(failure);
  return timing;
}

}  // namespace assay::engine
