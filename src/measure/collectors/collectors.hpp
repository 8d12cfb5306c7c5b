#pragma once
// From what processes observed to metrics. One file a kind of metric, one line in registry.cpp; tags and units are
// those of docs/results-schema.md.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/outcome.hpp"
#include "measure/effort.hpp"

namespace assay::measure {

/// Everything known about a case. The names of values are those of worker/measure_case.cpp:
/// per batch "finish_ns", "latency_ns", "open_finish_ns", "open_latency_ns" (measure::throughput), "queue_ns",
/// "fill_ns", "copy_in_ns", "compute_ns", "copy_out_ns", "drain_ns", "ahead_ns"; per process "window", "stride",
/// "batch_size", "in_flight", "cpu.time", "load.cold", … in ns, bytes, 1.
struct Observations {
  const Case* test_case = nullptr;
  Effort effort;
  std::vector<ProcessSamples> processes;     ///< those not kept are passed over
  std::map<std::string, std::string> texts;  ///< of the workers' results; "remark.<tag>" goes into that metric's remark
  double noise_floor = 0.03;                 ///< relative; widens what a single process says
};

using Collector = std::vector<Metric> (*)(const Observations&);
struct CollectorEntry {
  const char* name;
  Collector collect;
};

/// The table of collectors.
std::span<const CollectorEntry> collectors();

/// All metrics of a case, in the order of the table. What was not measured is there with an empty value and the reason.
std::vector<Metric> collect(const Observations& observations);

}  // namespace assay::measure
