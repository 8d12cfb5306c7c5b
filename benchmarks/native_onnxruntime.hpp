#pragma once
// ONNX Runtime's C interface without Assay, for the plain loops over it.

#include <dlfcn.h>

#include "native.hpp"
#include "onnxruntime/ort_api.hpp"

namespace assay::bench {

/// Its table of functions. Ends the program on an error.
class OrtTable {
 public:
  explicit OrtTable(const std::string& library) {
    auto* base = reinterpret_cast<ort::GetApiBase*>(::dlsym(open_native(library), "OrtGetApiBase"));
    if (base == nullptr) native_failure(library + " has no OrtGetApiBase");
    functions_ = base()->get_api(ort::kApiRequired);
  }
  template <class E, class... Arguments>
  auto raw(Arguments... arguments) const {
    auto* function = reinterpret_cast<typename E::Signature*>(const_cast<void*>(functions_[E::kIndex]));  // NOLINT
    return function(arguments...);
  }
  template <class E, class... Arguments>
  void call(Arguments... arguments) const {
    if (ort::OrtStatus* status = raw<E>(arguments...)) native_failure(raw<ort::GetErrorMessage>(status));
  }
  /// One per process, never freed. Says nothing.
  ort::OrtEnv* make_env() const {
    ort::OrtEnv* env = nullptr;
    ort::LogFunction* const ignore = [](void*, ort::LogLevel, const char*, const char*, const char*, const char*) {};
    call<ort::CreateEnvWithCustomLogger>(ignore, nullptr, ort::LogLevel::kError, "native", &env);
    return env;
  }
  /// A tensor of floats in memory that is there already.
  ort::OrtValue* wrap(const ort::OrtMemoryInfo* memory, float* data, const Shape& shape) const {
    ort::OrtValue* value = nullptr;
    call<ort::CreateTensorWithDataAsOrtValue>(memory, static_cast<void*>(data),
                                              static_cast<std::size_t>(element_count(shape)) * sizeof(float),
                                              shape.data(), shape.size(), static_cast<int>(DType::kFloat32), &value);
    return value;
  }

 private:
  const void* const* functions_ = nullptr;
};

}  // namespace assay::bench
