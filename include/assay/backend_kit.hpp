#pragma once
// Turns a few C++ classes into a plugin's table (backend_abi.h). Header only; nothing of C++ crosses the boundary and
// no exception leaves a function of the table. Copy backends/null to begin; docs/backend-guide.md explains.
//
//   class MyBackend : public assay::kit::Backend { … };
//   ASSAY_BACKEND(MyBackend)

#include <dlfcn.h>
#include <glob.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "assay/backend_abi.h"

namespace assay::kit {

/// Thrown by a plugin's own code; becomes the status and message that the host sees.
class Failure : public std::runtime_error {
 public:
  Failure(assay_status code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] assay_status code() const noexcept { return code_; }

 private:
  assay_status code_;
};

/// A folder in which a framework's library may lie, and where it comes from in words.
using SearchRoot = std::pair<std::string, std::string>;

/// The host as a plugin sees it. Copyable; the copy's log may be used until the session is closed.
class Host {
 public:
  Host() = default;
  explicit Host(const assay_host* host) {
    for (std::size_t i = 0; i < host->root_count; ++i) {
      roots.emplace_back(host->roots[i].folder, host->roots[i].origin);
    }
    if (host->library != nullptr) library = host->library;
    log_ = host->log;
    user_ = host->log_user;
    if (host->struct_size < sizeof(assay_host)) return;  // of a host that knew no options
    for (std::size_t i = 0; i < host->option_count; ++i) options[host->options[i].key] = host->options[i].value;
  }
  void log(assay_log_level level, const std::string& message) const {
    if (log_ != nullptr) log_(user_, level, message.c_str());
  }
  std::vector<SearchRoot> roots;
  std::string library;                         ///< explicit path, or empty
  std::map<std::string, std::string> options;  ///< of what will be opened next, where that is known

 private:
  assay_log_fn log_ = nullptr;
  void* user_ = nullptr;
};

struct FoundLibrary {
  std::string path;
  std::string origin;
};

/// The newest file matching the first of `patterns` (globs relative to a root, "onnxruntime/capi/libonnxruntime.so*"),
/// looking through the host's roots in their order, at each for one pattern after the other; an explicit library is
/// taken as it is. Empty path: not found.
inline FoundLibrary find_library(const Host& host, std::span<const char* const> patterns) {
  if (!host.library.empty()) return {host.library, "explicit path"};
  for (const auto& [folder, origin] : host.roots) {
    for (const char* pattern : patterns) {
      std::string full;
      for (const char c : folder) {  // a folder's own name is no pattern
        if (std::strchr("*?[\\", c) != nullptr) full += '\\';
        full += c;
      }
      full += std::string("/") + pattern;
      glob_t found{};
      FoundLibrary result;
      if (::glob(full.c_str(), 0, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) {  // the newest: 1.32 is after 1.9
          if (::strverscmp(found.gl_pathv[i], result.path.c_str()) > 0) result = {found.gl_pathv[i], origin};
        }
      }
      ::globfree(&found);
      if (!result.path.empty()) return result;
    }
  }
  return {};
}

// The sanitizers' run time refuses RTLD_DEEPBIND by ending the process.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASSAY_KIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ASSAY_KIT_SANITIZED 1
#endif
#endif

/// How a framework's symbols are bound where the host has some of the same name.
enum class Binding {
  /// As the loader does it. With the other one, what the host's program has copied out of libstdc++ (a locale facet's
  /// id, of one that uses <regex>) would be there twice (docs/adr/0004).
  kHostFirst,
  /// RTLD_DEEPBIND: for a framework that exports a protobuf of its own and would take the host's instead.
  kOwnFirst,
};

/// Opens a framework's library as all are opened: now and local. Never closed again. Throws Failure(ASSAY_UNAVAILABLE).
inline void* open_library(const std::string& path, Binding binding = Binding::kHostFirst) {
  int flags = RTLD_NOW | RTLD_LOCAL;
#ifndef ASSAY_KIT_SANITIZED
  if (binding == Binding::kOwnFirst) flags |= RTLD_DEEPBIND;
#else
  (void)binding;
#endif
  void* handle = ::dlopen(path.c_str(), flags);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    throw Failure(ASSAY_UNAVAILABLE, "cannot open " + path + ": " + (why != nullptr ? why : "no reason given"));
  }
  return handle;
}

struct Device {
  std::string name, description, identity;
  std::uint64_t memory_bytes = 0;
};

struct Probe {
  bool available = false;
  std::string reason, version, library, origin;
  std::vector<Device> devices;
  std::string absent{};  ///< see assay_probe_result
};

struct TensorInfo {
  std::string name;
  assay_dtype dtype = ASSAY_FLOAT32;
  bool rank_known = true;
  std::vector<std::int64_t> shape;
  std::vector<std::string> axes;  ///< as long as shape, or empty
};

struct Description {
  std::vector<TensorInfo> inputs, outputs;
  std::vector<std::pair<std::string, std::string>> in_force;
  bool from_cache = false;
  int useful_slots = 1;
  assay_short_batch short_batch = ASSAY_SHORT_BATCH_RESHAPE;
  std::int64_t slot_open_ns = 0;  ///< with ASSAY_SHORT_BATCH_EITHER: see assay_session_info
  bool computes_in_wait = false;  ///< see assay_session_info
  std::uint32_t alignment = 64;
  std::uint32_t memory_kinds = 1U << ASSAY_HOST;
};

struct FixedShape {
  std::string input;
  std::vector<std::int64_t> shape;
};

struct OpenRequest {
  std::string model_path, device;
  assay_goal goal = ASSAY_GOAL_THROUGHPUT;
  assay_precision precision = ASSAY_PRECISION_F32;
  int threads = 1;
  int in_flight = 0;
  std::int64_t batch_size = 0;  ///< > 0: what free axes will mostly be; see assay_open_request
  bool shared_cores = false;    ///< neither spin nor pin unless the user says so; see assay_core_use
  bool cores_in_turn = false;   ///< do not spin beyond a batch's end; see assay_core_use
  bool profile = false;
  std::map<std::string, std::string> options;  ///< only those that the user set
  std::vector<FixedShape> shapes;
  std::string cache_read, cache_fill;  ///< empty: none
  Host host;

  /// The option's value, or `fallback` where it was not set.
  [[nodiscard]] std::string option(const std::string& name, const std::string& fallback) const {
    const auto it = options.find(name);
    return it == options.end() ? fallback : it->second;
  }
  /// The same of a list: its elements.
  [[nodiscard]] std::vector<std::string> elements(const std::string& name, const std::string& fallback) const {
    const std::string list = option(name, fallback);
    std::vector<std::string> all;
    for (std::size_t from = 0; from < list.size();) {
      const std::size_t comma = std::min(list.find(',', from), list.size());
      all.push_back(list.substr(from, comma - from));
      from = comma + 1;
    }
    return all;
  }
};

struct Timing {
  std::int64_t copy_in_ns = -1, compute_ns = -1, copy_out_ns = -1;
  std::int64_t ahead_ns = -1;  ///< of a device that work is launched on; see assay_timing
};

/// One batch under way. See assay_backend_table's 5 to 7 for the contract.
class Slot {
 public:
  Slot() = default;
  virtual ~Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  virtual void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                      void* user) = 0;
  /// Sets data, bytes, rank and shape of each output. Must not return before `done` has.
  virtual void wait(std::span<assay_tensor> outputs, Timing& timing) = 0;
  /// Called before the destructor, while all of a derived class is still there: to end threads that use it.
  virtual void quiesce() noexcept {}
};

/// A loaded model.
class Session {
 public:
  Session() = default;
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual Description describe() = 0;
  virtual std::unique_ptr<Slot> open_slot(std::span<const FixedShape> shapes) = 0;
  virtual std::string report(const std::string& kind) {
    throw Failure(ASSAY_UNSUPPORTED, "this backend has no report of kind '" + kind + "'");
  }
  /// Host memory is all that most backends have.
  virtual void* allocate(assay_memory kind, std::uint64_t bytes) {
    if (kind == ASSAY_DEVICE) throw Failure(ASSAY_UNSUPPORTED, "this backend's devices have no memory of their own");
    void* p = nullptr;
    if (::posix_memalign(&p, 64, bytes) != 0) throw std::bad_alloc();
    return p;
  }
  virtual void release(assay_memory /*kind*/, void* data) { ::free(data); }
};

/// The plugin itself: one static instance.
class Backend {
 public:
  Backend() = default;
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  [[nodiscard]] virtual const char* name() const = 0;
  virtual Probe probe(const Host& host) = 0;
  virtual std::span<const assay_option> options() = 0;
  virtual std::unique_ptr<Session> open(const OpenRequest& request) = 0;
  /// Kinds of model that `open` takes: bits of ASSAY_MODEL_….
  [[nodiscard]] virtual std::uint32_t model_formats() const { return ASSAY_MODEL_ONNX; }
  /// What of an OpenRequest changes nothing of what is left in `cache_fill`: bits of ASSAY_GRAPH_IGNORES_….
  [[nodiscard]] virtual std::uint32_t graph_ignores() const { return 0; }
};

}  // namespace assay::kit

#include "assay/backend_kit_slot.hpp"    // BlockingSlot
#include "assay/backend_kit_table.hpp"   // the table's functions, and ASSAY_BACKEND
#include "assay/backend_kit_tensor.hpp"  // sizes, and checks of what the host hands over
