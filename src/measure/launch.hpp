#pragma once
// Whether a device waits for what the host launches on it. Pure.

#include <optional>
#include <span>
#include <string>

#include "core/campaign.hpp"

namespace assay::measure {

/// Medians over a window's batches, ns.
struct LaunchBound {
  double compute_ns = 0;  ///< from the first thing that was computed to the last
  double ahead_ns = 0;    ///< of that, after the host had launched all of the batch
};

/// Of each batch how long it computed and how long the device went on after the last launch. A device that computes is
/// behind the host: it has work in its queue when the host has launched all. One that is done as soon as the host is,
/// within a tenth of the time that the batch took, had to wait for each launch, and its compute time is the time that
/// launching takes. Nothing where that is not so of the median batch, or not known of every batch.
std::optional<LaunchBound> launch_bound(std::span<const double> compute_ns, std::span<const double> ahead_ns);

/// The figures, for the remark of "time.compute".
std::string launch_remark(const LaunchBound& bound);

/// The same words for every process of a case. `graph`: what is computed was launched as one graph.
Warning launch_warning(const Case& c, bool graph);

}  // namespace assay::measure
