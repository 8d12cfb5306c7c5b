#include "engine/lane.hpp"

#include <system_error>
#include <utility>

namespace assay::engine {

void finish_batch(Unit& unit, Work& work, const BatchObserver& observer, PredictTiming& sums) {
  BatchRecord& r = unit.record;
  r.drain_begin = now();
  work.drain(unit);
  r.drain_end = now();
  sums.fill += r.fill_end - r.fill_begin;
  sums.copy_in += r.copy_in;
  sums.compute += r.compute;
  sums.copy_out += r.copy_out;
  sums.drain += r.drain_end - r.drain_begin;
  sums.queue += r.queue;
  ++sums.batches;
  if (observer) observer(r);
}

Lane::Lane(UnitPool& pool) : pool_(pool) {
  try {
    thread_ = std::thread([this] { serve(); });
  } catch (const std::system_error& e) {
    throw Error(ErrorCode::kOutOfMemory, std::string("no thread could be started: ") + e.what());
  }
}

Lane::~Lane() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

void Lane::begin(Work& work, const BatchObserver& observer) {
  const std::lock_guard lock(mutex_);
  work_ = &work;
  observer_ = &observer;
  failure_ = nullptr;
  failed_.store(false, std::memory_order_relaxed);
  sums_ = {};
}

void Lane::push(Unit& unit) {
  const std::lock_guard lock(mutex_);
  unit.lane = this;
  unit.ready = false;
  unit.next_in_lane = nullptr;
  (tail_ == nullptr ? head_ : tail_->next_in_lane) = &unit;
  tail_ = &unit;
  ++outstanding_;
}

void Lane::completed(Unit& unit) {
  // Notified under the mutex: the session may go as soon as the batch has been drained.
  const std::lock_guard lock(mutex_);
  unit.ready = true;
  if (head_ == &unit) wake_.notify_one();
}

void Lane::fail(std::exception_ptr why) {
  const std::lock_guard lock(mutex_);
  if (failure_ == nullptr) failure_ = std::move(why);
  failed_.store(true, std::memory_order_relaxed);
}

PredictTiming Lane::finish() {
  std::unique_lock lock(mutex_);
  over_.wait(lock, [this] { return outstanding_ == 0; });
  if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
  return sums_;
}

void Lane::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return quit_ || (head_ != nullptr && head_->ready); });
    if (head_ == nullptr || !head_->ready) return;
    Unit& unit = *head_;
    head_ = unit.next_in_lane;
    if (head_ == nullptr) tail_ = nullptr;
    lock.unlock();
    finish_one(unit);
    lock.lock();
    if (--outstanding_ == 0) over_.notify_one();
  }
}

void Lane::finish_one(Unit& unit) {
  try {
    if (unit.failure != nullptr) std::rethrow_exception(unit.failure);
    if (unit.must_wait) unit.wait();  // even after a failure: the slot must be free again
    if (!failed()) finish_batch(unit, *work_, *observer_, sums_);
  } catch (...) {
    fail(std::current_exception());
  }
  pool_.release(unit);
}

LanePool::Lease::Lease(LanePool& pool) : pool_(pool), lane_(nullptr) {
  const std::lock_guard lock(pool_.mutex_);
  if (pool_.idle_.empty()) {
    pool_.idle_.reserve(pool_.all_.size() + 1);
    lane_ = pool_.all_.emplace_back(std::make_unique<Lane>(pool_.units_)).get();
  } else {
    lane_ = pool_.idle_.back();
    pool_.idle_.pop_back();
  }
}

LanePool::Lease::~Lease() {
  const std::lock_guard lock(pool_.mutex_);
  pool_.idle_.push_back(lane_);
}

}  // namespace assay::engine
