#include "engine/dispatcher.hpp"

#include <system_error>

#include "engine/lane.hpp"

namespace assay::engine {

Dispatcher::~Dispatcher() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void Dispatcher::enter() {
  std::unique_lock lock(mutex_);
  if (taken_ < places_ && unit_head_ == nullptr && waiter_head_ == nullptr) {
    ++taken_;
    return;
  }
  Waiter self;
  (waiter_tail_ == nullptr ? waiter_head_ : waiter_tail_->next) = &self;
  waiter_tail_ = &self;
  grant_or_wake();
  self.granted_signal.wait(lock, [&] { return self.granted; });
}

void Dispatcher::leave() {
  const std::lock_guard lock(mutex_);
  --taken_;
  grant_or_wake();
}

/// With the mutex held: places that are free go to whoever is next. Units need a thread that may call the backend.
void Dispatcher::grant_or_wake() {
  while (taken_ < places_ && waiter_head_ != nullptr && (waiters_turn_ || unit_head_ == nullptr)) {
    Waiter& next = *waiter_head_;
    waiter_head_ = next.next;
    if (waiter_head_ == nullptr) waiter_tail_ = nullptr;
    ++taken_;
    waiters_turn_ = false;
    next.granted = true;
    next.granted_signal.notify_one();
  }
  if (unit_may_enter()) wake_.notify_one();
}

void Dispatcher::start() {
  const std::lock_guard lock(mutex_);
  const std::size_t wanted = computes_ ? static_cast<std::size_t>(places_) : 1;
  try {
    while (threads_.size() < wanted) threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error& e) {
    throw Error(ErrorCode::kOutOfMemory, std::string("no thread could be started: ") + e.what());
  }
}

void Dispatcher::enqueue(Unit& unit) {
  unit.dispatcher = this;
  unit.next_in_queue = nullptr;
  unit.must_wait = false;
  std::unique_lock lock(mutex_);
  (unit_tail_ == nullptr ? unit_head_ : unit_tail_->next_in_queue) = &unit;
  unit_tail_ = &unit;
  if (!computes_) {
    pump(lock);
  } else if (unit_may_enter()) {
    wake_.notify_one();
  }
}

void Dispatcher::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return quit_ || unit_may_enter(); });
    if (quit_) return;
    pump(lock);
  }
}

/// Hands over units while there are places: one thread at a time, which sees what others free meanwhile; those that
/// compute, side by side.
void Dispatcher::pump(std::unique_lock<std::mutex>& lock) {
  if (pumping_) return;
  pumping_ = !computes_;
  while (taken_ < places_ && unit_head_ != nullptr) {
    if (waiter_head_ != nullptr && waiters_turn_) {
      grant_or_wake();
      continue;
    }
    Unit& unit = *unit_head_;
    unit_head_ = unit.next_in_queue;
    if (unit_head_ == nullptr) unit_tail_ = nullptr;
    ++taken_;
    waiters_turn_ = true;
    lock.unlock();
    hand_over(unit);
    lock.lock();
  }
  pumping_ = false;
  grant_or_wake();  // with no unit left, a waiter need not wait for its turn
}

void Dispatcher::hand_over(Unit& unit) {
  if (!unit.lane->failed()) {
    try {
      if (!computes_) {
        unit.submit(&Dispatcher::on_done);
        return;  // from here on the unit may be anybody's
      }
      unit.submit(nullptr);
      unit.wait();
    } catch (...) {
      unit.failure = std::current_exception();
    }
  }
  leave();
  unit.lane->completed(unit);
}

void Dispatcher::on_done(void* user) {
  Unit& unit = *static_cast<Unit*>(user);
  unit.record.done = now();
  unit.dispatcher->leave();
  unit.lane->completed(unit);
}

}  // namespace assay::engine
