#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/case.hpp"
#include "core/metric.hpp"

namespace assay {

enum class OutcomeState { kMeasured, kSkipped, kFailed };
const char* to_string(OutcomeState state);  ///< "measured", "skipped", "failed"
OutcomeState outcome_state_from_string(const std::string& text);

/// Observations of one process: numbers by name ("latency_ns": one per batch, "load.cold": one), and what was noisy.
struct ProcessSamples {
  int process = 0;                                    ///< 0, 1, … within the case
  bool kept = true;                                   ///< false: noisy, re-run by rule; stored all the same
  std::string noise;                                  ///< why not kept, or what was odd; "" when quiet
  std::map<std::string, std::vector<double>> values;  ///< base units: ns, bytes, 1
};

/// What became of a case: always a row, never a lost run.
struct Outcome {
  Case test_case;
  OutcomeState state = OutcomeState::kFailed;
  std::string phase;   ///< where it ended: "open", "parity", "warm-up", "window" …; "" when measured, or kNotStored
  std::string reason;  ///< why skipped, failed or not stored; "" when measured and stored
  std::string backend_version;
  std::map<std::string, std::string> in_force;  ///< read back from the framework
  std::vector<Metric> metrics;
  std::vector<ProcessSamples> samples;
};

/// Phase of a case that was measured and is in no results file, since that could not be written.
inline constexpr const char* kNotStored = "record";

/// Among what is in force an engine may say which variant of itself it ran as, and the option that makes it so
/// (KEY=VALUE, of its own): one engine at two settings is then two rows of a table, each with a name.
inline constexpr const char* kVariant = "variant";
inline constexpr const char* kVariantOption = "variant.option";

/// The engine as tables and sentences name it: "mlir (winograd)" where it said its variant, else "mlir".
std::string engine_name(const Outcome& outcome);
/// "mlir.math=fast": what --option takes to get that variant; "" where there is none.
std::string variant_option(const Outcome& outcome);
/// The case without the option that engine_name says already.
Case without_variant(const Outcome& outcome);

/// The metric with that tag, or nullptr.
const Metric* find_metric(const Outcome& outcome, const std::string& tag);
/// The same of a measured outcome, where the metric has a value; else nullptr, and nothing.
const Metric* measured_metric(const Outcome& outcome, const std::string& tag);
std::optional<double> measured_value(const Outcome& outcome, const std::string& tag);

}  // namespace assay
