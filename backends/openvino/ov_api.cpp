#include "ov_api.hpp"

#include <string>

#include "assay/backend_kit_framework.hpp"

namespace assay::openvino {
namespace {

/// ", version 2022.3.0", where the library can tell.
std::string version_met(const Api& api) {
  ov_version version{};
  if (api.get_openvino_version == nullptr || api.version_free == nullptr) return "";
  if (api.get_openvino_version(&version) != kOk || version.build_number == nullptr) return "";
  std::string text = std::string(", version ") + version.build_number;
  api.version_free(&version);
  return text;
}

}  // namespace

Api resolve(void* handle, const char* library) {
  Api api{};
  kit::Symbols symbols(handle);
  for_each_symbol(api,
                  [&](const char* symbol, auto& function, bool required) { symbols.find(symbol, function, required); });
  if (!symbols.missing().empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, std::string(library) + version_met(api) +
                                              " is not a usable OpenVINO C library: it lacks " + symbols.missing() +
                                              ". Install OpenVINO 2026.0 or later (assay setup openvino).");
  }
  return api;
}

}  // namespace assay::openvino
