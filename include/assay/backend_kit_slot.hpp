#pragma once
// BlockingSlot: part of backend_kit.hpp, which includes it; not for direct use.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "assay/backend_kit.hpp"

namespace assay::kit {

/// For frameworks whose run call blocks: write `run`, and get a slot that runs on the caller's thread without `done`,
/// and on a thread of its own (made when first needed, asleep when idle) with it.
class BlockingSlot : public Slot {
 public:
  ~BlockingSlot() override { stop(); }

  /// May be extended by a class that must act on the caller's thread first; it calls require_idle before, and this one
  /// after.
  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override {
    require_idle();
    const std::lock_guard lock(mutex_);
    inputs_.assign(inputs.begin(), inputs.end());
    outputs_.assign(outputs.begin(), outputs.end());
    deferred_ = done == nullptr;
    done_ = done;
    user_ = user;
    if (!deferred_ && !thread_.joinable()) thread_ = std::thread([this] { serve(); });
    state_ = State::kSubmitted;
    if (!deferred_) wake_.notify_one();
  }

  void wait(std::span<assay_tensor> outputs, Timing& timing) final {
    {
      std::unique_lock lock(mutex_);
      if (state_ == State::kIdle) throw Failure(ASSAY_INVALID_ARGUMENT, "wait was called with no batch submitted");
      if (!deferred_) over_.wait(lock, [this] { return state_ == State::kFinished; });
    }
    if (deferred_) run_caught();
    {
      const std::lock_guard lock(mutex_);
      state_ = State::kIdle;
    }
    if (failure_code_ != ASSAY_OK) throw Failure(failure_code_, failure_);
    std::copy_n(outputs_.begin(), std::min(outputs_.size(), outputs.size()), outputs.begin());
    timing = timing_;
  }

  void quiesce() noexcept final { stop(); }

 protected:
  /// Computes one batch; sets data, bytes, rank and shape of each output whose data came as nullptr.
  virtual void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, Timing& timing) = 0;
  /// Throws Failure(ASSAY_INVALID_ARGUMENT) where a batch has been submitted that was not waited for.
  void require_idle() {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kIdle) {
      throw Failure(ASSAY_INVALID_ARGUMENT, "submit was called on a slot whose batch has not been waited for");
    }
  }
  /// Ends the thread, after a batch under way. A host that closes a slot does it through `quiesce`; only a class that
  /// lives outside a plugin's table (in a test) calls it itself, first in its destructor.
  void stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      quit_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  enum class State { kIdle, kSubmitted, kRunning, kFinished };

  [[nodiscard]] bool begun() const { return state_ == State::kSubmitted && !deferred_; }
  void run_caught() noexcept {
    failure_code_ = ASSAY_OK;
    timing_ = {};
    try {
      run(inputs_, outputs_, timing_);
    } catch (const Failure& e) {
      fail(e.code(), e.what());
    } catch (const std::bad_alloc&) {
      fail(ASSAY_OUT_OF_MEMORY, "out of memory while running a batch");
    } catch (const std::exception& e) {
      fail(ASSAY_FRAMEWORK, e.what());
    } catch (...) {
      fail(ASSAY_INTERNAL, "an exception of unknown type while running a batch");
    }
  }
  void fail(assay_status code, const char* message) noexcept {
    failure_code_ = code;
    try {
      failure_ = message;
    } catch (...) {
      failure_.clear();
    }
  }
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return quit_ || begun(); });
      if (!begun()) return;  // a batch that was submitted is run before quitting: `done` is owed
      state_ = State::kRunning;
      lock.unlock();
      run_caught();
      lock.lock();
      state_ = State::kFinished;
      // Under the lock, so that `wait` does not return, and the host does not free `user`, while `done` runs.
      done_(user_);
      over_.notify_one();
    }
  }

  std::vector<assay_tensor> inputs_, outputs_;
  Timing timing_;
  assay_status failure_code_ = ASSAY_OK;
  std::string failure_;
  std::mutex mutex_;  // guards what follows; the rest belongs to whoever runs the batch
  std::condition_variable wake_, over_;
  State state_ = State::kIdle;
  bool deferred_ = false, quit_ = false;
  assay_done_fn done_ = nullptr;
  void* user_ = nullptr;
  std::thread thread_;
};

}  // namespace assay::kit
