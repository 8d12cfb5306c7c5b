#pragma once
// JSON forms of core's values, as docs/cli.md gives them. Unknown members are ignored, missing ones keep their default;
// a member of the wrong type throws Error(kInvalidArgument).

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/search.hpp"

namespace assay {

nlohmann::json to_json(const Case& c);
nlohmann::json to_json(const Placement& p);
nlohmann::json to_json(const Metric& m);
nlohmann::json to_json(const Outcome& o, bool with_samples);
nlohmann::json to_json(const Campaign& c, bool with_samples);
nlohmann::json to_json(const PlacedSearch& search);
Case case_from_json(const nlohmann::json& j);
Placement placement_from_json(const nlohmann::json& j);
Metric metric_from_json(const nlohmann::json& j);
Outcome outcome_from_json(const nlohmann::json& j);
Campaign campaign_from_json(const nlohmann::json& j);

/// nlohmann's parse with its exceptions turned into Error(kInvalidArgument, …, context).
nlohmann::json parse_json(const std::string& text, const std::string& context);

}  // namespace assay
