#include "tf_api.hpp"

#include <string>

#include "assay/backend_kit_framework.hpp"

namespace assay::tensorflow {

Api resolve(void* handle, const char* library) {
  Api api{};
  kit::Symbols symbols(handle);
  for_each_symbol(api, [&](const char* symbol, auto& function) { symbols.find(symbol, function); });
  if (!symbols.missing().empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, std::string(library) + " is not a usable TensorFlow library: it lacks " +
                                              symbols.missing() + ". Install TensorFlow (assay setup tensorflow).");
  }
  return api;
}

}  // namespace assay::tensorflow
