#include "worker/reporter.hpp"

namespace assay::worker {
namespace {

constexpr Nanoseconds kBetween = std::chrono::milliseconds(250);

}  // namespace

void Reporter::phase(const std::string& name) {
  const std::lock_guard lock(mutex_);
  phase_ = name;
  last_ = clock_.now();
  sink_({.kind = Event::Kind::kPhase, .phase = name, .progress = 0, .message = {}, .values = {}, .texts = {}});
}

void Reporter::progress(double share) {
  const std::lock_guard lock(mutex_);
  const Nanoseconds now = clock_.now();
  if (now - last_ < kBetween) return;
  last_ = now;
  sink_({.kind = Event::Kind::kPhase, .phase = phase_, .progress = share, .message = {}, .values = {}, .texts = {}});
}

void Reporter::log(const std::string& message) { warn({.kind = {}, .message = message, .advice = {}}); }

void Reporter::warn(const Warning& warning) {
  const std::lock_guard lock(mutex_);
  sink_({.kind = Event::Kind::kLog,
         .phase = phase_,
         .progress = 0,
         .message = warning.message,
         .warning = warning.kind,
         .advice = warning.advice,
         .values = {},
         .texts = {}});
}

std::string Reporter::current_phase() const {
  const std::lock_guard lock(mutex_);
  return phase_;
}

}  // namespace assay::worker
