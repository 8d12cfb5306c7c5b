#pragma once
// Watches the batches of an endless stream: first warm-up, then the window. Fed with records, has no clock.

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/stream.hpp"
#include "measure/criteria.hpp"
#include "measure/series.hpp"

namespace assay::worker {

/// Records of bounded number: when full, every second one goes, and from then on one in `stride` is kept.
class BatchRecords {
 public:
  explicit BatchRecords(std::size_t capacity) : capacity_(capacity) { kept_.reserve(capacity); }
  void add(const engine::BatchRecord& record);
  [[nodiscard]] const std::vector<engine::BatchRecord>& kept() const { return kept_; }
  [[nodiscard]] std::int64_t stride() const { return stride_; }

 private:
  std::size_t capacity_;
  std::int64_t stride_ = 1, seen_ = 0;
  std::vector<engine::BatchRecord> kept_;
};

class WindowObserver {
 public:
  static constexpr std::size_t kCapacity = 16384;
  /// `window_begins` and `window_ends` are called by the observing thread, once each.
  WindowObserver(const measure::Effort& effort, std::function<void()> window_begins, std::function<void()> window_ends,
                 std::size_t capacity = kCapacity);
  /// As engine::BatchObserver.
  void observe(const engine::BatchRecord& record);
  /// True from the end of the window on. Any thread.
  [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] bool warm() const { return warm_.load(std::memory_order_acquire); }
  [[nodiscard]] double progress() const { return progress_.load(std::memory_order_relaxed); }

  // After the stream has ended:
  [[nodiscard]] const measure::WarmUpCriterion& warm_up() const { return warm_up_; }
  /// "finish_ns" (from the window's beginning, which is its first value), "latency_ns", the clocks, "stride".
  [[nodiscard]] std::map<std::string, std::vector<double>> values() const;
  /// Little's law for `stated` outstanding; `whole_way`: from filling to draining (no overlap), else from submission to
  /// done.
  [[nodiscard]] measure::LittleCheck little(double stated, bool whole_way) const;
  /// Completions in the window.
  [[nodiscard]] std::int64_t completions() const;
  [[nodiscard]] double window_ns() const { return end_ - begin_; }

 private:
  [[nodiscard]] std::vector<const engine::BatchRecord*> inside() const;

  measure::WarmUpCriterion warm_up_;
  measure::WindowCriterion window_;
  std::function<void()> window_begins_, window_ends_;
  BatchRecords records_;
  double first_ = -1, begin_ = 0, end_ = 0;
  std::atomic<bool> warm_{false}, finished_{false};
  std::atomic<double> progress_{0};
};

}  // namespace assay::worker
