#include "core/search.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "core/json.hpp"

namespace assay {

nlohmann::json to_json(const PlacedSearch& search) {
  nlohmann::json predicted = nlohmann::json::array();
  for (const PlacedSearch::Prediction& p : search.predicted) {
    nlohmann::json plan = to_json(p.placement);
    plan["throughput"] = p.rate;
    predicted.push_back(std::move(plan));
  }
  nlohmann::json j = {{"members", search.members}, {"slowdown", search.slowdown}, {"predicted", std::move(predicted)}};
  if (!search.slowdown_devices.empty()) j["slowdown_devices"] = search.slowdown_devices;
  for (const Case& c : search.failed) j["failed"].push_back(to_json(c));
  return j;
}

std::string to_text(const PlacedSearch& search) {
  return to_json(search).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<PlacedSearch> search_of(const Campaign& campaign) {
  const auto it = campaign.environment.find(kSearchKey);
  if (it == campaign.environment.end()) return std::nullopt;
  const nlohmann::json j = parse_json(it->second, kSearchKey);
  PlacedSearch search;
  try {
    j.at("members").get_to(search.members);
    for (const nlohmann::json& row : j.at("slowdown")) {
      std::vector<double>& slower = search.slowdown.emplace_back();
      for (const nlohmann::json& cell : row) slower.push_back(cell.is_null() ? std::nan("") : cell.get<double>());
    }
    if (j.contains("slowdown_devices")) j.at("slowdown_devices").get_to(search.slowdown_devices);
    for (const nlohmann::json& plan : j.at("predicted")) {
      search.predicted.push_back({plan.at("throughput").get<double>(), placement_from_json(plan)});
    }
    if (j.contains("failed")) {
      for (const nlohmann::json& c : j.at("failed")) search.failed.push_back(case_from_json(c));
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorCode::kInvalidArgument, std::string("this is not what a search found: ") + e.what(), kSearchKey);
  }
  return search;
}

}  // namespace assay
