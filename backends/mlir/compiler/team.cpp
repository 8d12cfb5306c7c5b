#include "team.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay::compiler {
namespace {

constexpr int kSpins = 4000;  // some tens of microseconds: what lies between two steps

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

Team::Team(int size, bool spin) : size_(size), spin_(spin) {
  for (int i = 1; i < size; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Team::~Team() {
  quit_ = true;
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Team::wait_for(std::atomic<std::uint32_t>& value, std::uint32_t old) const {
  for (int i = 0; spin_ && i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

void Team::part(int number) const {
  const std::int64_t begin = units_ * number / size_, end = units_ * (number + 1) / size_;
  if (begin < end) (*work_)(begin, end, number);
}

void Team::serve(int number) {
  for (std::uint32_t seen = 0;;) {
    wait_for(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (quit_) return;
    part(number);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

void Team::run(std::int64_t units, const Work& work) {
  if (size_ == 1 || units <= 1) {
    if (units > 0) work(0, units, 0);
    return;
  }
  work_ = &work;
  units_ = units;
  busy_.store(static_cast<std::uint32_t>(size_ - 1), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  part(0);
  for (std::uint32_t left = busy_.load(std::memory_order_acquire); left != 0;
       left = busy_.load(std::memory_order_acquire)) {
    wait_for(busy_, left);
  }
}

}  // namespace assay::compiler
