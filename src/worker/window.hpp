#pragma once
// Watches the batches of an endless stream: first warm-up, then the window. Fed with records, has no clock.

#include <atomic>
#include <deque>
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
  /// `outstanding`: batches under way together. `window_begins` and `window_ends` are called by the observing thread,
  /// once each.
  WindowObserver(const measure::Effort& effort, int outstanding, std::function<void()> window_begins,
                 std::function<void()> window_ends, std::size_t capacity = kCapacity);
  /// As engine::BatchObserver.
  void observe(const engine::BatchRecord& record);
  /// True once the window has ended, and with several outstanding also those batches that were under way then: they
  /// must not run faster for having the machine to themselves. Any thread.
  [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] bool warm() const { return warm_.load(std::memory_order_acquire); }
  [[nodiscard]] double progress() const { return progress_.load(std::memory_order_relaxed); }

  // After the stream has ended:
  [[nodiscard]] const measure::WarmUpCriterion& warm_up() const { return warm_up_; }
  /// "finish_ns" (from the window's beginning on), "latency_ns" and the clocks of the batches done inside the window,
  /// of which "ahead_ns" is of those alone whose backend knows it; "open_finish_ns" and "open_latency_ns" of those cut
  /// by its end; "window", "stride".
  [[nodiscard]] std::map<std::string, std::vector<double>> values() const;
  /// Little's law for `stated` outstanding; `whole_way`: from filling to draining (no overlap), else from submission to
  /// done.
  [[nodiscard]] measure::LittleCheck little(double stated, bool whole_way) const;
  [[nodiscard]] measure::Throughput throughput() const { return throughput(false); }
  [[nodiscard]] double window_ns() const { return end_ - begin_; }

 private:
  [[nodiscard]] measure::Throughput throughput(bool whole_way) const;
  void begin_window(double done);
  /// Done inside the window; or, `open`, cut by its end. In the order of their completion.
  [[nodiscard]] std::vector<const engine::BatchRecord*> records(bool open) const;

  measure::WarmUpCriterion warm_up_;
  measure::WindowCriterion window_;
  std::function<void()> window_begins_, window_ends_;
  std::size_t outstanding_;
  std::deque<engine::BatchRecord> last_;  ///< of the warm-up: those that may be done inside the window
  BatchRecords records_;
  double first_ = -1, begin_ = 0, end_ = 0;
  std::atomic<bool> warm_{false}, finished_{false};
  std::atomic<double> progress_{0};
};

}  // namespace assay::worker
