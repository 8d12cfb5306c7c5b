#include "device.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "io_rule.hpp"

namespace assay::null_backend {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr double kMiB = 1024.0 * 1024.0;

std::chrono::nanoseconds from_ms(double ms) { return std::chrono::nanoseconds(std::llround(ms * kNsPerMs)); }

/// 1 GB/s is a byte a nanosecond.
std::chrono::nanoseconds time_to_copy(std::uint64_t bytes, double gb_s) {
  return std::chrono::nanoseconds(gb_s > 0 ? std::llround(static_cast<double>(bytes) / gb_s) : 0);
}

}  // namespace

Device::Turn Device::reserve(Clock::time_point now, std::uint64_t bytes_in, std::uint64_t bytes_out) {
  const std::lock_guard lock(mutex_);
  const double noise =
      settings_.jitter * (static_cast<double>(mix(settings_.noise_seed + count_++) >> 11) * 0x1p-52 - 1);
  Turn turn;
  turn.copy_in = std::max(now, copy_in_free_);
  copy_in_free_ = turn.copy_in + time_to_copy(bytes_in, settings_.copy_in_gb_s);
  const Clock::time_point launching = std::max(now, launch_free_);
  turn.launched = launch_free_ = launching + from_ms(settings_.launch_ms);
  turn.compute = std::max({launching, copy_in_free_, compute_free_});
  turn.computed = std::max(turn.compute + from_ms(settings_.compute_ms * (1 + noise)), turn.launched);
  compute_free_ = turn.computed;
  turn.copy_out = std::max(compute_free_, copy_out_free_);
  copy_out_free_ = turn.end = turn.copy_out + time_to_copy(bytes_out, settings_.copy_out_gb_s);
  return turn;
}

void Device::take(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t all = settings_.device_memory_mb << 20U;
  if (all > 0 && taken_ + bytes > all) {
    throw kit::Failure(ASSAY_OUT_OF_MEMORY, "the device's memory is " + std::to_string(settings_.device_memory_mb) +
                                                " MiB, of which " +
                                                std::to_string(std::llround(static_cast<double>(taken_) / kMiB)) +
                                                " are taken; it cannot give " + std::to_string(bytes) +
                                                " bytes more: use a smaller batch, or fewer in flight");
  }
  taken_ += bytes;
}

void Device::give_back(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  taken_ -= bytes;
}

std::uint64_t Device::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

std::uint64_t HandOvers::add() {
  const std::lock_guard lock(mutex_);
  added_.notify_all();
  return count_++;
}

void HandOvers::hold(std::uint64_t batch, std::chrono::milliseconds patience) {
  if (settings_.held_by == 0) return;
  const std::uint64_t wanted = std::min(batch + 1 + settings_.held_by, settings_.held_batches);
  std::unique_lock lock(mutex_);
  if (added_.wait_for(lock, patience, [&] { return count_ >= wanted; })) return;
  throw kit::Failure(ASSAY_FRAMEWORK, "batch " + std::to_string(batch) + " is held until " + std::to_string(wanted) +
                                          " are handed over (held_by), and " + std::to_string(count_) +
                                          " were: have more in flight");
}

}  // namespace assay::null_backend
