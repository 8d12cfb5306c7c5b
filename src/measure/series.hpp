#pragma once
// What one process's window says: throughput, Little's law, and whether a series is level. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/case.hpp"
#include "measure/statistics.hpp"

namespace assay::measure {

/// Throughput of one process. Each batch counts by the share of its time under way that lies inside the window: one
/// that is cut by an edge counts in part, so it does not matter at which of several near-simultaneous completions the
/// window begins or ends.
struct Throughput {
  double completions = 0;  ///< sum of the shares
  double seconds = 0;      ///< the window
  double per_second = 0;   ///< completions / seconds
  std::optional<Interval>
      interval;  ///< of per_second: t interval over segments of time, of few also over their batches; nothing below 4
};

/// Batches that touch the window [0, window_ns], each under way from finishes_ns[i] - latencies_ns[i] to finishes_ns[i]
/// and standing for `stride` ones (every stride-th was kept). The order does not matter.
Throughput throughput(std::span<const double> finishes_ns, std::span<const double> latencies_ns, double window_ns,
                      std::int64_t stride = 1);
/// The same from a process's observations: "finish_ns" and "latency_ns" of the batches done inside the window,
/// "open_finish_ns" and "open_latency_ns" of those that were under way at its end, "window", "stride".
Throughput throughput(const std::map<std::string, std::vector<double>>& values);

/// Samples a second in one process, whatever the case is set up for: throughput, or one batch after the other. From its
/// observations as above and "batch_size" (otherwise the case's); nothing where no batch was done.
std::optional<double> samples_per_second(const Case& c, const std::map<std::string, std::vector<double>>& values);

/// Little's law, N = X R (Little, A Proof for the Queuing Formula L = λW, 1961), with the throughput and the mean
/// latency that are reported.
struct LittleCheck {
  double stated = 0;    ///< N: batches outstanding, as the case says
  double observed = 0;  ///< X R
  bool ok = false;      ///< within 5 %, or what the scatter of few latencies explains
};

/// `x`: in batches; `latencies_ns`: of the batches done inside its window.
LittleCheck little_check(const Throughput& x, std::span<const double> latencies_ns, double stated);

/// Whether the end of a series has no trend and no step: the medians of the two halves of its last part (half of the
/// series, 8 to 64 values) differ by no more than 2 % or what its own scatter explains. False below 8 values.
bool is_level(std::span<const double> series);

/// Relative: what is believed of a machine of which too few pairs are known.
inline constexpr double kDefaultNoiseFloor = 0.03;
/// Fewer pairs than that say little of a spread: with one, Student's t alone is a factor of 12.7; with ten it is 2.23,
/// where that of any number of pairs is 1.96.
inline constexpr std::size_t kLeastPairs = 10;

/// Noise floor, relative, from pairs of undisturbed runs of identical cases (A/A): root-mean-square log ratio times the
/// 97.5 % point of Student's t with as many degrees of freedom as there are pairs (their mean is known to be 0), at
/// least 0.5 %. Nothing of fewer than kLeastPairs.
std::optional<double> noise_floor(std::span<const std::pair<double, double>> pairs);

/// Whether a curve over doublings of an axis (throughput at batch 1, 2, 4, …) has been flat for its last three
/// doublings: its last four values all lie within `floor`, relative to their largest. False below four values.
bool flat_for_three_doublings(std::span<const double> values, double floor);

}  // namespace assay::measure
