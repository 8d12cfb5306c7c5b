#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "assay/error.hpp"
#include "core/json.hpp"
#include "report/exporters.hpp"

namespace assay::report {
namespace {

constexpr const char* kFormat = "assay-bundle";

}  // namespace

/// Hashes of models and libraries are in the environment: "model.sha256.<model>", "library.sha256.<backend>".
void write_bundle(const Document& d, std::ostream& out) {
  nlohmann::json j = to_json(*d.campaign, true);
  j["format"] = kFormat;
  j["schema"] = kJsonSchema;
  out << j.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

Campaign read_bundle(const std::string& text, const std::string& context) {
  const nlohmann::json j = parse_json(text, context);
  if (!j.is_object() || j.value("format", nlohmann::json()) != kFormat) {
    throw Error(ErrorCode::kInvalidArgument,
                "this is no bundle; write one with `assay results export ID --format bundle`", context);
  }
  const nlohmann::json schema = j.value("schema", nlohmann::json());
  if (!schema.is_number_integer() || schema.get<std::int64_t>() < 1 || schema.get<std::int64_t>() > kJsonSchema) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("this bundle has schema {}, and this version of Assay knows up to {}; use a newer Assay",
                            schema.dump(), kJsonSchema),
                context);
  }
  try {
    return campaign_from_json(j);
  } catch (const Error& e) {
    throw Error(e.code(), e.message(), context);
  }
}

}  // namespace assay::report
