#pragma once
// The ONNX Runtime library that was met: opened once per path, never closed, one OrtEnv, errors as kit::Failure.

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "assay/backend_kit.hpp"
#include "ort_api.hpp"

namespace assay::ort {

/// The version of the C interface that a library of this version string speaks: "1.32.0" -> 32. 0: not such a string.
std::uint32_t api_version_of(std::string_view version_string);

/// What the host is told for an error of the library.
assay_status status_of(ErrorCode code, std::string_view message);

/// A LogFunction; `user` is the kit::Host that gets the message, or nullptr for the latest kit::LogScope's.
void forward_log(void* user, LogLevel level, const char* category, const char* log_id, const char* location,
                 const char* message);

class Library {
 public:
  /// Finds and opens it. Throws ASSAY_UNAVAILABLE with what was looked for and where.
  static Library& get(const kit::Host& host);
  /// From an opened table, for tests of the version check. `path` is for messages.
  Library(const ApiBase& base, kit::FoundLibrary found);

  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::string& path() const { return found_.path; }
  [[nodiscard]] const std::string& origin() const { return found_.origin; }
  /// May entries of this version of the interface be called?
  [[nodiscard]] bool has(std::uint32_t api_version) const { return api_version_ >= api_version; }
  /// Made when first asked for, one per process and library, never freed.
  [[nodiscard]] OrtEnv* env();

  /// Calls an entry that answers no status.
  template <class E, class... Arguments>
  auto raw(Arguments&&... arguments) const {
    auto* function = reinterpret_cast<typename E::Signature*>(const_cast<void*>(table_[E::kIndex]));  // NOLINT
    return function(std::forward<Arguments>(arguments)...);  // NOLINT: pointers to pointers, as C has them
  }
  /// Calls an entry that answers a status; `what` was being done, for the message.
  template <class E, class... Arguments>
  void call(const char* what, Arguments&&... arguments) const {
    static_assert(std::is_invocable_r_v<OrtStatus*, typename E::Signature, Arguments...>);
    if (OrtStatus* status = raw<E>(std::forward<Arguments>(arguments)...)) fail(status, what);
  }

 private:
  [[noreturn]] void fail(OrtStatus* status, const char* what) const;

  const void* const* table_ = nullptr;
  std::uint32_t api_version_ = 0;
  kit::FoundLibrary found_;
  std::string version_;
  std::once_flag env_once_;
  OrtEnv* env_ = nullptr;
};

/// Owns an object of the library; ReleaseEntry frees it.
template <class T, class ReleaseEntry>
class Owned {
 public:
  Owned() = default;
  Owned(const Library& library, T* object) : library_(&library), object_(object) {}
  Owned(Owned&& other) noexcept : library_(other.library_), object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(library_, other.library_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() { reset(); }
  void reset() {
    if (object_ != nullptr) library_->raw<ReleaseEntry>(std::exchange(object_, nullptr));
  }
  [[nodiscard]] T* get() const { return object_; }

 private:
  const Library* library_ = nullptr;
  T* object_ = nullptr;
};

using OwnedOptions = Owned<OrtSessionOptions, ReleaseSessionOptions>;
using OwnedSession = Owned<OrtSession, ReleaseSession>;
using OwnedTypeInfo = Owned<OrtTypeInfo, ReleaseTypeInfo>;
using OwnedShapeInfo = Owned<OrtTensorTypeAndShapeInfo, ReleaseTensorTypeAndShapeInfo>;
using OwnedMemoryInfo = Owned<OrtMemoryInfo, ReleaseMemoryInfo>;
using OwnedRunOptions = Owned<OrtRunOptions, ReleaseRunOptions>;
using OwnedValue = Owned<OrtValue, ReleaseValue>;
using OwnedBinding = Owned<OrtIoBinding, ReleaseIoBinding>;
using OwnedAllocator = Owned<OrtAllocator, ReleaseAllocator>;
using OwnedPairs = Owned<OrtKeyValuePairs, ReleaseKeyValuePairs>;
using OwnedCudaOptions = Owned<OrtCUDAProviderOptionsV2, ReleaseCudaOptions>;

}  // namespace assay::ort
