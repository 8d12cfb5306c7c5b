#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "core/campaign.hpp"
#include "worker/protocol.hpp"

namespace assay::worker {

using EventSink = std::function<void(const Event&)>;

/// Says where a worker is. Progress is said at most four times a second. Thread-safe.
class Reporter {
 public:
  explicit Reporter(EventSink sink, Clock& clock = steady_clock()) : sink_(std::move(sink)), clock_(clock) {}
  void phase(const std::string& name);
  void progress(double share);
  void log(const std::string& message);
  void warn(const Warning& warning);  ///< the campaign keeps it
  [[nodiscard]] std::string current_phase() const;

 private:
  EventSink sink_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::string phase_ = "start";
  Nanoseconds last_{0};
};

}  // namespace assay::worker
