#pragma once
// What the collectors share.

#include <optional>
#include <string>
#include <vector>

#include "measure/collectors/collectors.hpp"
#include "measure/series.hpp"

namespace assay::measure {

inline constexpr double kMillisecond = 1e6;  ///< in ns
inline constexpr double kMebibyte = 1024.0 * 1024.0;

// Why a value is not there, where several collectors say it.
inline constexpr const char* kNotForThroughput = "this case is for latency; throughput is an experiment of its own";
inline constexpr const char* kNotRead = "it was not read (smaps_rollup)";
std::string why_not_cached(const Case& c);

/// The processes that count.
std::vector<const ProcessSamples*> kept(const Observations& o);
/// A process's series, or an empty one.
const std::vector<double>& series(const ProcessSamples& p, const std::string& name);
/// The first value of a process's series.
std::optional<double> scalar(const ProcessSamples& p, const std::string& name);
/// One value from each kept process that has it.
std::vector<double> scalars(const Observations& o, const std::string& name);
/// All values of all kept processes.
std::vector<double> pooled(const Observations& o, const std::string& name);

/// A metric that could not be measured.
Metric missing(std::string tag, std::string unit, std::string why);
/// "a; b"
void add_remark(Metric& metric, const std::string& remark);

/// Says it where the effort asks for a level series and a process's warm-up never became one.
void add_level_remark(Metric& metric, const Observations& o);

/// Interval of the mean of one value per process: Student's t below ten processes, BCa bootstrap from ten on.
std::optional<Interval> interval_over_processes(const std::vector<double>& values);

/// Mean over processes of values[name] / divisor, with the interval over processes; `why` when no process has it. The
/// remark of the workers ("remark.<tag>") is added.
Metric over_processes(const Observations& o, const std::string& tag, const std::string& unit, const std::string& name,
                      double divisor, const std::string& why);

/// What one process cannot see: its interval is widened by the noise floor; from two on, by how they differ.
/// `by_process`: one value each of those that have enough for one, of `processes` in all; where fewer than two have,
/// the noise floor stands in.
void widen(Metric& metric, const Observations& o, const std::vector<double>& by_process, std::size_t processes);

}  // namespace assay::measure
