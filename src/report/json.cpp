#include <nlohmann/json.hpp>
#include <ostream>

#include "core/json.hpp"
#include "report/exporters.hpp"

namespace assay::report {

void write_json(const Document& d, std::ostream& out) {
  nlohmann::json j = to_json(*d.campaign, false);
  j.erase("plan");
  if (const auto search = search_of(*d.campaign)) {
    j["search"] = to_json(*search);
    j["campaign"]["environment"].erase(kSearchKey);  // as text it would be there twice
  }
  j["schema"] = kJsonSchema;
  j["comparisons"] = nlohmann::json::array();
  j["noise_floor"] = d.noise_floor;
  j["recommendation"] = {{"set", d.recommendation.set},
                         {"because", d.recommendation.because},
                         {"binding_constraint", d.recommendation.binding_constraint}};
  // What a framework said is not always UTF-8.
  out << j.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace assay::report
