#include "base/clock.hpp"

#include <ctime>

namespace assay {
namespace {

class SteadyClock final : public Clock {
 public:
  Nanoseconds now() override {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
  }
  void sleep_until(Nanoseconds when) override {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(when);
    const timespec t{static_cast<time_t>(seconds.count()), static_cast<long>((when - seconds).count())};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) != 0) {
      if (now() >= when) return;  // interrupted by a signal
    }
  }
};

}  // namespace

Clock& steady_clock() {
  static SteadyClock clock;
  return clock;
}

}  // namespace assay
