#pragma once
// A lane: the thread that ends and drains the batches of one call of predict, in their order.

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/unit.hpp"

namespace assay::engine {

/// What a call of predict does with its batches.
class Work {
 public:
  Work() = default;
  virtual ~Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  /// Binds the unit's inputs and outputs and fills what must be filled, for the samples in its record.
  virtual void fill(Unit& unit) = 0;
  /// Takes the outputs.
  virtual void drain(Unit& unit) = 0;
};

/// Waits for a batch, drains it, keeps its times. Throws what the backend or the draining throws.
void finish_batch(Unit& unit, Work& work, const BatchObserver& observer, PredictTiming& sums);

/// Asleep between batches and between calls. Used by one call at a time.
class Lane {
 public:
  explicit Lane(UnitPool& pool);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void begin(Work& work, const BatchObserver& observer);
  /// In the order of the samples, before the unit is queued. The lane gives it back to the pool.
  void push(Unit& unit);
  /// The backend is done with the unit, or never had it. From any thread.
  void completed(Unit& unit);
  /// Whether a batch has failed: what comes after it is not computed.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
  void fail(std::exception_ptr why);
  /// Waits until all that was pushed is drained. Throws the first failure.
  PredictTiming finish();

 private:
  void serve();
  void finish_one(Unit& unit);
  UnitPool& pool_;
  std::mutex mutex_;
  std::condition_variable wake_, over_;
  Unit* head_ = nullptr;
  Unit* tail_ = nullptr;
  int outstanding_ = 0;
  bool quit_ = false;
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  Work* work_ = nullptr;
  const BatchObserver* observer_ = nullptr;
  PredictTiming sums_;
  std::thread thread_;
};

/// The lanes of a session: as many as calls went on at once.
class LanePool {
 public:
  explicit LanePool(UnitPool& units) : units_(units) {}
  class Lease {
   public:
    explicit Lease(LanePool& pool);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lane& operator*() const { return *lane_; }

   private:
    LanePool& pool_;
    Lane* lane_;
  };

 private:
  UnitPool& units_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> all_;
  std::vector<Lane*> idle_;
};

}  // namespace assay::engine
