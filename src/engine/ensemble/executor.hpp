#pragma once
// Runs the jobs of an ensemble's batches on lanes.

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "assay/backend_abi.h"
#include "engine/ensemble/member_meter.hpp"
#include "engine/strategies/job_board.hpp"

namespace assay::engine {

/// A batch of the ensemble on its way. Belongs to a slot; the executor touches it from submit to the return of wait.
class EnsembleBatch {
 public:
  virtual ~EnsembleBatch() = default;
  /// Member's part. Throws Error. Of several lanes at once, each another member.
  virtual void run(std::size_t member) = 0;
  /// All members have answered.
  virtual void combine() = 0;

 private:
  friend class Executor;
  std::size_t number_ = 0;
  assay_done_fn done_ = nullptr;
  void* user_ = nullptr;
  bool over_ = true;
  std::exception_ptr failure_;
  std::chrono::nanoseconds begun_{}, ended_{};
};

/// Lanes sleep while there is no work. Thread-safe.
class Executor {
 public:
  /// Throws Error(kOutOfMemory) where no thread can be had.
  explicit Executor(const Schedule& schedule);
  /// What was submitted is computed first: all batches are over by then.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// `done` (may be nullptr) is called from a lane.
  void submit(EnsembleBatch& batch, assay_done_fn done, void* user);
  /// Sleeps until the batch is over; answers the time from its first job's begin to its end. Throws the failure of the
  /// member that failed first.
  std::chrono::nanoseconds wait(EnsembleBatch& batch);

  [[nodiscard]] std::vector<MemberAccount> accounts() const;

 private:
  void serve(std::size_t lane);
  void run(std::unique_lock<std::mutex>& lock, const Job& job);
  void conclude(std::unique_lock<std::mutex>& lock, EnsembleBatch& batch);

  mutable std::mutex mutex_;
  std::condition_variable work_, over_;
  JobBoard board_;
  std::vector<EnsembleBatch*> batches_;  // by their number; nullptr: free
  std::vector<MemberMeter> meters_;
  bool quit_ = false;
  std::vector<std::thread> lanes_;
};

}  // namespace assay::engine
