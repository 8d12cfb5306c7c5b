#pragma once
// One collector a kind of metric; registry.cpp lists them.

#include "measure/collectors/collectors.hpp"

namespace assay::measure {

std::vector<Metric> collect_throughput(const Observations& o);
std::vector<Metric> collect_latency(const Observations& o);
std::vector<Metric> collect_times(const Observations& o);
std::vector<Metric> collect_load(const Observations& o);
std::vector<Metric> collect_start(const Observations& o);
std::vector<Metric> collect_members(const Observations& o);
std::vector<Metric> collect_memory(const Observations& o);
std::vector<Metric> collect_energy(const Observations& o);
std::vector<Metric> collect_cpu(const Observations& o);
std::vector<Metric> collect_parity(const Observations& o);
std::vector<Metric> collect_peak(const Observations& o);

}  // namespace assay::measure
