#pragma once

#include <chrono>

namespace assay {

using Nanoseconds = std::chrono::nanoseconds;

/// Monotonic time and sleeping, behind an interface so that what waits can be tested without waiting. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanoseconds now() = 0;  ///< since an arbitrary start; never goes back
  virtual void sleep_until(Nanoseconds when) = 0;
  void sleep_for(Nanoseconds duration) { sleep_until(now() + duration); }
};

/// CLOCK_MONOTONIC.
Clock& steady_clock();

/// For tests: time moves when told to, or when somebody sleeps.
class FakeClock final : public Clock {
 public:
  Nanoseconds now() override { return now_; }
  void sleep_until(Nanoseconds when) override {
    if (when > now_) now_ = when;
  }
  void advance(Nanoseconds by) { now_ += by; }

 private:
  Nanoseconds now_{0};
};

}  // namespace assay
