#pragma once
// How long a member computes, on however many lanes at once. Pure: times are the caller's.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace assay::engine {

/// What a member did so far.
struct MemberAccount {
  std::int64_t batches = 0;
  std::chrono::nanoseconds busy{};     ///< over all lanes
  std::chrono::nanoseconds active{};   ///< in which one lane or more computed it: at most as much
  std::chrono::nanoseconds longest{};  ///< batch
};

class MemberMeter {
 public:
  void begin(std::chrono::nanoseconds now) {
    if (under_way_++ == 0) active_since_ = now;
  }
  /// A batch that began at `begun`.
  void end(std::chrono::nanoseconds begun, std::chrono::nanoseconds now) {
    ++account_.batches;
    account_.busy += now - begun;
    account_.longest = std::max(account_.longest, now - begun);
    if (--under_way_ == 0) account_.active += now - active_since_;
  }
  /// Of what is under way only `active` has a part.
  [[nodiscard]] MemberAccount account(std::chrono::nanoseconds now) const {
    MemberAccount so_far = account_;
    if (under_way_ > 0) so_far.active += now - active_since_;
    return so_far;
  }

 private:
  MemberAccount account_;
  int under_way_ = 0;
  std::chrono::nanoseconds active_since_{};
};

}  // namespace assay::engine
