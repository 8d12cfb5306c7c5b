#include "core/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "assay/error.hpp"

namespace assay {
namespace {

/// What is in force by that name; of a placement nothing: its engines are several.
std::string said_of_variant(const Outcome& outcome, const char* key) {
  const auto it = outcome.in_force.find(key);
  return it == outcome.in_force.end() || !outcome.test_case.placement.seats.empty() ? std::string() : it->second;
}

}  // namespace

std::string engine_name(const Outcome& outcome) {
  const std::string variant = said_of_variant(outcome, kVariant);
  return variant.empty() ? outcome.test_case.backend : fmt::format("{} ({})", outcome.test_case.backend, variant);
}

std::string variant_option(const Outcome& outcome) {
  const std::string option = said_of_variant(outcome, kVariantOption);
  return option.empty() ? option : fmt::format("{}.{}", outcome.test_case.backend, option);
}

Case without_variant(const Outcome& outcome) {
  Case c = outcome.test_case;
  const std::string option = said_of_variant(outcome, kVariantOption);
  c.options.erase(option.substr(0, option.find('=')));
  return c;
}

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
