#pragma once
// Mishaps on order, for tests of what stands above a plugin.

#include <map>
#include <mutex>
#include <string>

#include "options.hpp"

namespace assay::null_backend {

/// Reads fail_at, hang_at and crash_at, "phase[:n]". Throws Failure(ASSAY_INVALID_ARGUMENT) for a phase there is not.
class Faults {
 public:
  explicit Faults(const Settings& settings) : settings_(settings) {}
  /// Called at each phase, every time; thread-safe. Throws Failure, never returns, or dies, when it is due.
  void strike(const std::string& phase);

 private:
  const Settings& settings_;
  std::mutex mutex_;
  std::map<std::string, long> counts_;
};

}  // namespace assay::null_backend
