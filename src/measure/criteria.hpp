#pragma once
// When warming up and measuring are done: objects fed one sample at a time, with no clock of their own.

#include <cstdint>
#include <vector>

#include "measure/effort.hpp"

namespace assay::measure {

/// Fed with every completion of the warm-up.
class WarmUpCriterion {
 public:
  explicit WarmUpCriterion(const Effort& effort) : effort_(effort) {}
  /// `elapsed_ns` since the warm-up began, `value` what must become level (time per batch). True: warm.
  bool add(double elapsed_ns, double value);
  [[nodiscard]] std::int64_t calls() const { return calls_; }
  [[nodiscard]] bool done() const { return done_; }
  /// False where the series never became level within five times its time (and at least 16 calls), or nobody looked.
  [[nodiscard]] bool level() const { return level_; }
  /// 0 to 1, for people.
  [[nodiscard]] double progress() const { return progress_; }

 private:
  Effort effort_;
  std::vector<double> series_;  // the last kKept values
  std::int64_t calls_ = 0;
  bool done_ = false, level_ = false;
  double progress_ = 0;
};

/// Fed with every completion inside the window.
class WindowCriterion {
 public:
  explicit WindowCriterion(const Effort& effort) : effort_(effort) {}
  /// `elapsed_ns` since the window began. True: long enough, in time and in calls.
  bool add(double elapsed_ns);
  [[nodiscard]] std::int64_t calls() const { return calls_; }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] double progress() const { return progress_; }

 private:
  Effort effort_;
  std::int64_t calls_ = 0;
  bool done_ = false;
  double progress_ = 0;
};

}  // namespace assay::measure
