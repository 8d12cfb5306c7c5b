#pragma once
// The host's side of the plugin boundary: find plugins, ask them, open models, with C++ lifetimes and errors.

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "assay/backend_abi.h"

namespace assay::kit {
class Session;
}

namespace assay::backend {

/// One setting of a backend, as `assay backends -v` shows it.
struct Option {
  std::string name;
  assay_option_type type = ASSAY_OPTION_TEXT;
  bool shapes_graph = false;
  std::string default_value;
  double minimum = 0, maximum = 0;
  std::vector<std::string> choices;
  std::string meaning;
  bool signature = false;  ///< see ASSAY_OPTION_SIGNATURE
};

struct Device {
  std::string name, description, identity;
  std::uint64_t memory_bytes = 0;
};

struct Probe {
  bool available = false;
  std::string reason;   ///< why not, and what to do
  std::string version;  ///< of the framework met
  std::string library, origin;
  std::vector<Device> devices;
  std::string absent{};  ///< why devices that it can have elsewhere are not here
};

/// Everything that `open` takes; see assay_open_request.
struct OpenRequest {
  std::filesystem::path model;
  std::string device = "cpu";
  Goal goal = Goal::kThroughput;
  Precision precision = Precision::kFloat32;
  int threads = 1;
  int in_flight = 0;
  std::int64_t batch_size = 0;  ///< what the inputs' free axes will mostly be; 0: any
  bool profile = false;
  assay_core_use cores = ASSAY_CORES_OWN;
  std::map<std::string, std::string> options;
  std::map<std::string, Shape> shapes;
  std::filesystem::path cache_read, cache_fill;
  std::filesystem::path library;
  LogFunction log;
};

struct SessionInfo {
  bool from_cache = false;
  int useful_slots = 1;
  assay_short_batch short_batch = ASSAY_SHORT_BATCH_RESHAPE;
  std::chrono::nanoseconds slot_open{};  ///< see assay_session_info
  bool computes_in_wait = false;
  std::uint32_t alignment = 64;
  std::uint32_t memory_kinds = 1U << ASSAY_HOST;
  std::vector<TensorInfo> inputs, outputs;  ///< batch_axis not set here
  std::map<std::string, std::string> in_force;
};

class BackendSession;

/// One batch under way; used by one thread at a time. Thin: a call of the plugin's function and a check of the status.
class Slot {
 public:
  Slot(Slot&&) noexcept;
  Slot& operator=(Slot&&) noexcept;
  ~Slot();
  /// See assay_backend_table::submit. No allocation of ours. Throws Error.
  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user);
  void wait(std::span<assay_tensor> outputs, assay_timing* timing);

 private:
  friend class BackendSession;
  Slot(const assay_backend_table* table, assay_session* session, assay_slot* slot);
  const assay_backend_table* table_ = nullptr;
  assay_session* session_ = nullptr;
  assay_slot* slot_ = nullptr;
};

/// A model opened by a plugin. Its slots must go before it.
class BackendSession {
 public:
  BackendSession(BackendSession&&) noexcept;
  BackendSession& operator=(BackendSession&&) noexcept;
  ~BackendSession();
  [[nodiscard]] const SessionInfo& info() const { return info_; }
  /// Read back again: a plugin may know more after the first batch than info() has.
  [[nodiscard]] std::map<std::string, std::string> in_force() const;
  /// One full shape per input, in info().inputs' order.
  Slot open_slot(std::span<const Shape> shapes);
  std::string report(const std::string& kind);
  void* allocate(assay_memory kind, std::uint64_t bytes);
  void release(assay_memory kind, void* data) noexcept;

 private:
  friend class Backend;
  friend BackendSession adopt(std::unique_ptr<kit::Session> session, LogFunction log);
  struct Open;  // table, session, and the log function that must outlive it
  explicit BackendSession(std::unique_ptr<Open> open);
  static SessionInfo describe(const Open& open);
  std::unique_ptr<Open> open_;
  SessionInfo info_;
};

/// A plugin, loaded. Never unloaded. Copies are cheap. Thread-safe.
class Backend {
 public:
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::filesystem::path& plugin() const { return plugin_; }
  /// Where the framework is looked for: `library`, ASSAY_<NAME>_PATH, the active Python environment, the user's data
  /// folder, the build tree's .deps, the system. The first probe of a process opens the library: `options` are those of
  /// what will be opened next, of which a framework may take some only then. Throws as `open` for options that do not
  /// fit.
  [[nodiscard]] Probe probe(const std::filesystem::path& library = {},
                            const std::map<std::string, std::string>& options = {}) const;
  [[nodiscard]] const std::vector<Option>& options() const { return options_; }
  /// Kinds of model that it takes: bits of ASSAY_MODEL_….
  [[nodiscard]] std::uint32_t model_formats() const { return model_formats_; }
  /// What of a request its cached graph does not depend on: bits of ASSAY_GRAPH_IGNORES_….
  [[nodiscard]] std::uint32_t graph_ignores() const { return graph_ignores_; }
  /// Those options as the plugin gets them, see checked_value. Throws Error(kInvalidArgument) for a value that does not
  /// fit and for an unknown name, listing the near ones.
  [[nodiscard]] std::map<std::string, std::string> checked(const std::map<std::string, std::string>& options) const;
  /// Checks the options first, then opens.
  [[nodiscard]] BackendSession open(const OpenRequest& request) const;

 private:
  friend Backend load_backend(const std::string& name);
  friend Backend load_plugin(const std::filesystem::path& file);
  std::string name_;
  std::filesystem::path plugin_;
  const assay_backend_table* table_ = nullptr;
  std::vector<Option> options_;
  std::uint32_t model_formats_ = 0;
  std::uint32_t graph_ignores_ = 0;
};

/// Folders in which plugins are looked for, in order: ASSAY_BACKEND_PATH's, then the build tree's or the installed one.
std::vector<std::filesystem::path> plugin_folders();
/// Names of the plugins in those folders, sorted; the null backend last.
std::vector<std::string> backend_names();
/// Throws Error(kInvalidArgument) for an unknown name, listing those there are; Error(kUnavailable) for one whose
/// version of the boundary does not match, saying both.
Backend load_backend(const std::string& name);
Backend load_plugin(const std::filesystem::path& file);

/// `value` as the plugin gets it: of a list each element once and without blanks, in the order of the choices. Throws
/// Error(kInvalidArgument), naming what would do, where it does not fit `option`.
std::string checked_value(const std::string& backend, const Option& option, const std::string& value);

}  // namespace assay::backend
