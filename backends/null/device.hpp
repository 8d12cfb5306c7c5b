#pragma once
// The pretended device. Pure: the time is the caller's.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "options.hpp"

namespace assay::null_backend {

using Clock = std::chrono::steady_clock;

/// An engine that copies in, one that computes and one that copies out: each does one batch at a time, in the order of
/// submission, beside the others. Thread-safe.
class Device {
 public:
  explicit Device(const Settings& settings) : settings_(settings) {}

  /// When a batch's steps begin, and its end; when the host has launched its computing, and when that is done.
  struct Turn {
    Clock::time_point copy_in, compute, copy_out, end;
    Clock::time_point launched, computed;
  };
  /// Each step begins when the one before and the engine's last batch have ended, by the deadlines and not by when
  /// somebody woke: nothing adds up. The host launches one batch after the other; what a batch computes begins with its
  /// launching and ends no sooner than that does.
  Turn reserve(Clock::time_point now, std::uint64_t bytes_in, std::uint64_t bytes_out);

  /// Its own memory. Throws kit::Failure(ASSAY_OUT_OF_MEMORY), saying what there is.
  void take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t taken() const;

 private:
  const Settings& settings_;
  mutable std::mutex mutex_;
  Clock::time_point copy_in_free_{}, compute_free_{}, copy_out_free_{}, launch_free_{};
  std::uint64_t count_ = 0, taken_ = 0;
};

/// Batches as they are handed over. One that is held is not done before others were: what runs beside what is seen by
/// events then, and not by times. Thread-safe.
class HandOvers {
 public:
  explicit HandOvers(const Settings& settings) : settings_(settings) {}

  /// The batch's number, from 0.
  std::uint64_t add();
  /// Until `held_by` later ones were handed over, or all `held_batches`. Throws kit::Failure(ASSAY_FRAMEWORK) where
  /// none comes for `patience`.
  void hold(std::uint64_t batch, std::chrono::milliseconds patience = std::chrono::seconds(20));

 private:
  const Settings& settings_;
  std::mutex mutex_;
  std::condition_variable added_;
  std::uint64_t count_ = 0;
};

}  // namespace assay::null_backend
