#include "measure/fma_peak.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay::measure {
namespace {

// Latency 4 or 5, two units: ten independent chains hide it, and fit the 16 registers of AVX2.
constexpr int kChains = 10;
constexpr std::int64_t kRounds = 20'000;

using Kernel = float (*)(float seed);
struct Choice {
  Kernel run;
  int lanes;
  const char* name;
};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float run_avx512(float seed) {
  __m512 sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = _mm512_set1_ps(seed + static_cast<float>(c));
  const __m512 a = _mm512_set1_ps(0.999F);
  const __m512 b = _mm512_set1_ps(0.001F);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) sums[c] = _mm512_fmadd_ps(sums[c], a, b);
  }
  __m512 total = sums[0];
  for (int c = 1; c < kChains; ++c) total = _mm512_add_ps(total, sums[c]);
  // Not _mm512_reduce_add_ps: g++ 12's own header warns there.
  float lanes[16];
  _mm512_storeu_ps(lanes, total);
  return lanes[0] + lanes[15];
}

__attribute__((target("avx2,fma"))) float run_avx2(float seed) {
  __m256 sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = _mm256_set1_ps(seed + static_cast<float>(c));
  const __m256 a = _mm256_set1_ps(0.999F);
  const __m256 b = _mm256_set1_ps(0.001F);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) sums[c] = _mm256_fmadd_ps(sums[c], a, b);
  }
  __m256 total = sums[0];
  for (int c = 1; c < kChains; ++c) total = _mm256_add_ps(total, sums[c]);
  return _mm256_cvtss_f32(total);
}

float run_sse2(float seed) {
  __m128 sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = _mm_set1_ps(seed + static_cast<float>(c));
  const __m128 a = _mm_set1_ps(0.999F);
  const __m128 b = _mm_set1_ps(0.001F);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) sums[c] = _mm_add_ps(_mm_mul_ps(sums[c], a), b);
  }
  __m128 total = sums[0];
  for (int c = 1; c < kChains; ++c) total = _mm_add_ps(total, sums[c]);
  return _mm_cvtss_f32(total);
}

Choice choose() {
  if (__builtin_cpu_supports("avx512f")) return {run_avx512, 16, "avx512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {run_avx2, 8, "avx2"};
  return {run_sse2, 4, "sse2"};
}
#else
float run_scalar(float seed) {
  float sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = seed + static_cast<float>(c);
  for (std::int64_t i = 0; i < kRounds; ++i) {
    for (float& s : sums) s = s * 0.999F + 0.001F;
  }
  float total = 0;
  for (const float s : sums) total += s;
  return total;
}

Choice choose() { return {run_scalar, 1, "scalar"}; }
#endif

/// The best of the rounds that fit in `duration`: a peak, not a mean.
double one_thread(const Choice& choice, std::chrono::nanoseconds duration) {
  using Clock = std::chrono::steady_clock;
  static std::atomic<float> sink;  // keeps the arithmetic from being removed
  const auto end = Clock::now() + duration;
  const double flops = 2.0 * kChains * kRounds * choice.lanes;
  double best = 0;
  do {
    const auto begin = Clock::now();
    sink.store(choice.run(1.0F), std::memory_order_relaxed);
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    if (took > 0) best = std::max(best, flops / took);
  } while (Clock::now() < end);
  return best;
}

}  // namespace

FmaPeak measure_fma_peak(int threads, std::chrono::nanoseconds duration) {
  const Choice choice = choose();
  std::vector<double> rates(static_cast<std::size_t>(std::max(threads, 1)));
  std::vector<std::thread> others;
  for (std::size_t t = 1; t < rates.size(); ++t) {
    others.emplace_back([&rates, &choice, duration, t] { rates[t] = one_thread(choice, duration); });
  }
  rates[0] = one_thread(choice, duration);
  for (std::thread& other : others) other.join();
  FmaPeak peak{.flops_per_second = 0, .kernel = choice.name};
  for (const double rate : rates) peak.flops_per_second += rate;
  return peak;
}

}  // namespace assay::measure
