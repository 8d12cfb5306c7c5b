#pragma once
// For plugins whose framework is one shared library, opened once in a process. Not part of backend_kit.hpp.

#include <dlfcn.h>

#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::kit {

/// For a framework that has one log for the whole process: while one of these lives, what is said there goes to its
/// host; the latest wins. Thread-safe.
class LogScope {
 public:
  explicit LogScope(const Host& host) : host_(host) {
    const std::lock_guard lock(all().mutex);
    all().hosts.push_back(&host_);
  }
  ~LogScope() {
    const std::lock_guard lock(all().mutex);
    std::erase(all().hosts, &host_);
  }
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

  static void log_to_latest(assay_log_level level, const std::string& text) {
    const std::lock_guard lock(all().mutex);
    if (!all().hosts.empty()) all().hosts.back()->log(level, text);
  }

 private:
  struct All {
    std::mutex mutex;
    std::vector<const Host*> hosts;
  };
  static All& all() {
    static auto* const kAll = new All;  // a framework may log while the process ends
    return *kAll;
  }
  const Host host_;
};

/// Functions of an opened library, by name.
class Symbols {
 public:
  explicit Symbols(void* handle) : handle_(handle) {}
  /// Null where it is not there; a required one is then among the missing.
  template <class Function>
  void find(const char* symbol, Function& function, bool required = true) {
    void* address = ::dlsym(handle_, symbol);
    if (address == nullptr && required) missing_ += (missing_.empty() ? "" : ", ") + std::string(symbol);
    function = reinterpret_cast<Function>(address);
  }
  /// "TF_Version, TF_NewGraph"; empty: all are there.
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  void* handle_;
  std::string missing_;
};

/// The one library of a framework that this process has opened: two would share and spoil each other's state. `Runtime`
/// has its path as `library`. Thread-safe.
template <class Runtime>
class OneLibrary {
 public:
  /// What `open` makes of it the first time. Throws what `open` does, and Failure(ASSAY_UNAVAILABLE) where another is
  /// open.
  template <class Open>
  const Runtime& get(const char* framework, const FoundLibrary& found, Open open) {
    const std::lock_guard lock(mutex_);
    if (!opened_) opened_ = open();
    if (!is_same_file(opened_->library, found.path)) {
      throw Failure(ASSAY_UNAVAILABLE, std::string("asked for ") + framework + " in " + found.path +
                                           ", but this process has opened " + opened_->library +
                                           " already; use one of them per process");
    }
    return *opened_;
  }

 private:
  /// Links and other ways of writing a path lead to the same library; a bare name that the loader looks up is itself
  /// alone.
  static bool is_same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    return a == b || std::filesystem::equivalent(a, b, error);
  }

  std::mutex mutex_;
  std::optional<Runtime> opened_;
};

/// Throws Failure(ASSAY_UNAVAILABLE) unless `version` ("2.21.0") is that of the oldest or later. `backend`: what `assay
/// setup` calls the framework.
inline void require_version(const char* framework, const char* backend, const std::string& version,
                            const std::string& library, std::pair<int, int> oldest) {
  std::pair<int, int> met;
  if (std::sscanf(version.c_str(), "%d.%d", &met.first, &met.second) == 2 && met >= oldest) return;
  throw Failure(ASSAY_UNAVAILABLE, library + " is " + framework + " " +
                                       (version.empty() ? "of unknown version" : version) + ", and " +
                                       std::to_string(oldest.first) + "." + std::to_string(oldest.second) +
                                       " or later is needed: run `assay setup " + backend + "`");
}

/// Available with `device` if `open` (of a runtime with version, library and origin) does not throw that it is not.
template <class Open>
Probe probe_by_opening(Device device, Open open) {
  Probe probe;
  try {
    const auto& runtime = open();
    probe.available = true;
    probe.version = runtime.version;
    probe.library = runtime.library;
    probe.origin = runtime.origin;
    probe.devices.push_back(std::move(device));
  } catch (const Failure& e) {
    if (e.code() != ASSAY_UNAVAILABLE) throw;
    probe.reason = e.what();
  }
  return probe;
}

}  // namespace assay::kit
