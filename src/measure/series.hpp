#pragma once
// What one process's window says: throughput, Little's law, and whether a series is level. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "measure/statistics.hpp"

namespace assay::measure {

/// Throughput of one process over a window that begins at one completion (not counted) and ends at another: no batch is
/// cut, so a short window is not biased by what was under way at its edges.
struct Throughput {
  std::int64_t completions = 0;
  double seconds = 0;
  double per_second = 0;             ///< completions / seconds
  std::optional<Interval> interval;  ///< of per_second: t interval of batch means; nothing below 10 completions
};

/// `finishes_ns`: times of completion in order, the first one the window's beginning; each stands for `stride`
/// completions (every stride-th was kept). Fewer than two: zero completions.
Throughput throughput(std::span<const double> finishes_ns, std::int64_t stride = 1);

/// Little's law, N = X R (Little, A Proof for the Queuing Formula L = λW, 1961), over a window; responses count as far
/// as they lie inside it.
struct LittleCheck {
  double stated = 0;    ///< N: batches outstanding, as the case says
  double observed = 0;  ///< X R
  bool ok = false;      ///< within 5 %
};

/// `finishes_ns[i] - latencies_ns[i]` is when batch i was taken up. `begin`, `end`: the window. All batches that touch
/// the window must be there; each stands for `stride` ones.
LittleCheck little_check(std::span<const double> finishes_ns, std::span<const double> latencies_ns, double begin,
                         double end, std::int64_t stride, double stated);

/// Whether the end of a series has no trend and no step: the medians of the two halves of its last part (half of the
/// series, 8 to 64 values) differ by no more than 2 % or what its own scatter explains. False below 8 values.
bool is_level(std::span<const double> series);

/// Noise floor, relative, from pairs of runs of identical cases (A/A): 1.96 root-mean-square log ratio, at least 0.5 %.
/// Nothing without pairs.
std::optional<double> noise_floor(std::span<const std::pair<double, double>> pairs);

/// Whether a curve over doublings of an axis (throughput at batch 1, 2, 4, …) has been flat for its last three
/// doublings: its last four values all lie within `floor`, relative to their largest. False below four values.
bool flat_for_three_doublings(std::span<const double> values, double floor);

}  // namespace assay::measure
