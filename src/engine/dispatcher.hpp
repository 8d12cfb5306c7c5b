#pragma once
// Who may be in the backend: at most so many batches of a session at once, in the order in which they came.

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/unit.hpp"

namespace assay::engine {

/// Thread-safe; waiting threads sleep. Callers that compute on their own thread enter and leave; filled batches are
/// queued and handed over when there is a place, by the caller or by a thread of the dispatcher's own: the one that
/// fills may be busy filling, the one that drains draining, and a callback of the backend must not call it. Where the
/// backend computes in `wait`, or there is one place, the dispatcher has a thread for each place, which computes one
/// batch after another: between two, no thread waits for another to wake up.
class Dispatcher {
 public:
  Dispatcher(int places, bool computes_in_wait) : places_(places), computes_(computes_in_wait || places == 1) {}
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Waits for a place.
  void enter();
  void leave();
  /// Before the first enqueue. Throws Error(kOutOfMemory) where no thread can be had.
  void start();
  /// The unit's lane is told when it is done, has failed, or was passed over because the lane had failed.
  void enqueue(Unit& unit);

 private:
  struct Waiter {
    std::condition_variable granted_signal;
    bool granted = false;
    Waiter* next = nullptr;
  };
  static void on_done(void* unit);
  void serve();
  void pump(std::unique_lock<std::mutex>& lock);
  void grant_or_wake();
  void hand_over(Unit& unit);
  [[nodiscard]] bool unit_may_enter() const { return taken_ < places_ && unit_head_ != nullptr && !pumping_; }

  const int places_;
  const bool computes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int taken_ = 0;
  bool pumping_ = false, quit_ = false;
  // Two queues, served in turn where both wait: each is first in, first out.
  Unit* unit_head_ = nullptr;
  Unit* unit_tail_ = nullptr;
  Waiter* waiter_head_ = nullptr;
  Waiter* waiter_tail_ = nullptr;
  bool waiters_turn_ = true;
  std::vector<std::thread> threads_;
};

}  // namespace assay::engine
