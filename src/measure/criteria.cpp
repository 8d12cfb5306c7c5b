#include "measure/criteria.hpp"

#include <algorithm>
#include <chrono>

#include "measure/series.hpp"

namespace assay::measure {
namespace {

constexpr std::size_t kKept = 256;
constexpr std::int64_t kPatienceCalls = 16;
constexpr double kPatience = 5;

double nanoseconds(std::chrono::milliseconds t) { return std::chrono::duration<double, std::nano>(t).count(); }

double share(double part, double whole) { return whole > 0 ? std::min(1.0, part / whole) : 1.0; }

}  // namespace

bool WarmUpCriterion::add(double elapsed_ns, double value) {
  if (done_) return true;
  ++calls_;
  if (series_.size() == kKept) series_.erase(series_.begin(), series_.begin() + kKept / 2);
  series_.push_back(value);
  const double by_calls = share(static_cast<double>(calls_), effort_.warm_up_calls);
  const double by_time = share(elapsed_ns, nanoseconds(effort_.warm_up_time));
  progress_ = effort_.warm_up_needs_both ? std::min(by_calls, by_time) : std::max(by_calls, by_time);
  if (progress_ < 1) return false;
  level_ = is_level(series_);
  const bool patience_over = calls_ >= kPatienceCalls && elapsed_ns >= kPatience * nanoseconds(effort_.warm_up_time);
  done_ = !effort_.until_level || level_ || patience_over;
  return done_;
}

bool WindowCriterion::add(double elapsed_ns) {
  ++calls_;
  progress_ = std::min(share(elapsed_ns, nanoseconds(effort_.window)),
                       share(static_cast<double>(calls_), effort_.window_calls));
  done_ = done_ || progress_ >= 1;
  return done_;
}

}  // namespace assay::measure
