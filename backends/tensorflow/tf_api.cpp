#include "tf_api.hpp"

#include <dlfcn.h>

#include <string>
#include <type_traits>

#include "assay/backend_kit.hpp"

namespace assay::tensorflow {

Api resolve(void* handle, const char* library) {
  Api api{};
  std::string missing;
  for_each_symbol(api, [&](const char* symbol, auto& function) {
    void* address = ::dlsym(handle, symbol);
    if (address == nullptr) missing += (missing.empty() ? "" : ", ") + std::string(symbol);
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  });
  if (!missing.empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, std::string(library) + " is not a usable TensorFlow library: it lacks " +
                                              missing + ". Install TensorFlow (assay setup tensorflow).");
  }
  return api;
}

}  // namespace assay::tensorflow
