#pragma once
// A fake library as a test holds it. For tests of libs/nvidia and of the plugins that use it.

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace assay::nvidia::fake {

/// Opens the library by its path, as whoever is tested will: it is then the same one. Never closed.
class FakeLibrary {
 public:
  explicit FakeLibrary(const std::string& path) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(::dlerror());
    set_ = reinterpret_cast<void (*)(const char*)>(::dlsym(handle, "assay_fake_set"));
    log_ = reinterpret_cast<const char* (*)()>(::dlsym(handle, "assay_fake_log"));
    held_ = reinterpret_cast<long (*)()>(::dlsym(handle, "assay_fake_held"));
    if (set_ == nullptr || log_ == nullptr || held_ == nullptr) throw std::runtime_error(path + " is no fake of ours");
  }
  /// See fake::Script; what was set and noted before is forgotten, what is held stays held.
  void set(const std::string& settings) const { set_(settings.c_str()); }
  /// Calls since `set`, one a line.
  [[nodiscard]] std::string log() const { return log_(); }
  /// Objects that were made and not given back.
  [[nodiscard]] long held() const { return held_(); }

 private:
  void (*set_)(const char*) = nullptr;
  const char* (*log_)() = nullptr;
  long (*held_)() = nullptr;
};

}  // namespace assay::nvidia::fake
