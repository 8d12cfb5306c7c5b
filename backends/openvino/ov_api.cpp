#include "ov_api.hpp"

#include <dlfcn.h>

#include <string>

#include "assay/backend_kit.hpp"

namespace assay::openvino {

Api resolve(void* handle, const char* library) {
  Api api{};
  std::string missing;
  for_each_symbol(api, [&](const char* symbol, auto& function, bool required) {
    void* address = ::dlsym(handle, symbol);
    if (address == nullptr && required) {
      missing += missing.empty() ? "" : ", ";
      missing += symbol;
    }
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  });
  if (!missing.empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, std::string(library) + " is not a usable OpenVINO C library: it lacks " +
                                              missing + ". Install OpenVINO 2026.0 or later (assay setup openvino).");
  }
  return api;
}

}  // namespace assay::openvino
