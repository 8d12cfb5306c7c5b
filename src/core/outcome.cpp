#include "core/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "assay/error.hpp"

namespace assay {

const char* to_string(OutcomeState state) {
  switch (state) {
    case OutcomeState::kMeasured:
      return "measured";
    case OutcomeState::kSkipped:
      return "skipped";
    case OutcomeState::kFailed:
      return "failed";
  }
  return "failed";
}

OutcomeState outcome_state_from_string(const std::string& text) {
  for (const OutcomeState s : {OutcomeState::kMeasured, OutcomeState::kSkipped, OutcomeState::kFailed}) {
    if (text == to_string(s)) return s;
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is no state of an outcome; there are measured, skipped, failed", text));
}

const Metric* find_metric(const Outcome& outcome, const std::string& tag) {
  const auto it =
      std::find_if(outcome.metrics.begin(), outcome.metrics.end(), [&](const Metric& m) { return m.tag == tag; });
  return it == outcome.metrics.end() ? nullptr : &*it;
}

const Metric* measured_metric(const Outcome& outcome, const std::string& tag) {
  const Metric* metric = outcome.state == OutcomeState::kMeasured ? find_metric(outcome, tag) : nullptr;
  return metric != nullptr && metric->value ? metric : nullptr;
}

std::optional<double> measured_value(const Outcome& outcome, const std::string& tag) {
  const Metric* metric = measured_metric(outcome, tag);
  return metric != nullptr ? metric->value : std::nullopt;
}

}  // namespace assay
