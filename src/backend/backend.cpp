#include "backend/backend.hpp"

#include <map>

#include <fmt/format.h>

#include "backend/open.hpp"
#include "backend/search.hpp"
#include "base/suggest.hpp"

namespace assay::backend {
namespace {

// A plugin keeps the answer of `probe` until the next, so calls take turns until it is copied.
std::mutex& probe_mutex() {
  static std::mutex mutex;
  return mutex;
}

// The host as the boundary has it; it points into the search, which must stay.
struct HostView {
  HostView(const Search& search, const std::map<std::string, std::string>& settings, LogFunction* log_function) {
    for (const auto& [key, value] : settings) options.push_back({key.c_str(), value.c_str()});
    c.options = options.data();
    c.option_count = options.size();
    for (const SearchRoot& root : search.roots) roots.push_back({root.folder.c_str(), root.origin.c_str()});
    c.struct_size = sizeof c;
    c.abi_version = ASSAY_ABI_VERSION;
    c.roots = roots.data();
    c.root_count = roots.size();
    c.library = search.library.empty() ? nullptr : search.library.c_str();
    if (log_function != nullptr && *log_function) {
      c.log = &say;
      c.log_user = log_function;
    }
  }
  static void say(void* user, assay_log_level level, const char* message) {
    try {
      const int known = std::clamp<int>(level, ASSAY_LOG_DEBUG, ASSAY_LOG_ERROR);
      (*static_cast<LogFunction*>(user))(static_cast<LogLevel>(known), message == nullptr ? "" : message);
    } catch (...) {  // a listener's mistake must not run through a framework's frames
    }
  }
  std::vector<assay_search_root> roots;
  std::vector<assay_setting> options;
  assay_host c{};
};

// The request as the boundary has it; it points into `request` and `settings`, its checked options: they must stay.
struct RequestView {
  RequestView(const OpenRequest& request, const std::map<std::string, std::string>& settings)
      : model(request.model.string()), read(request.cache_read.string()), fill(request.cache_fill.string()) {
    for (const auto& [key, value] : settings) options.push_back({key.c_str(), value.c_str()});
    for (const auto& [input, shape] : request.shapes) {
      shapes.push_back({input.c_str(), static_cast<std::int32_t>(shape.size()), 0, shape.data()});
    }
    c.struct_size = sizeof c;
    c.goal = request.goal == Goal::kLatency ? ASSAY_GOAL_LATENCY : ASSAY_GOAL_THROUGHPUT;
    c.precision = static_cast<assay_precision>(request.precision);
    c.threads = request.threads;
    c.in_flight = request.in_flight;
    c.profile = request.profile ? 1 : 0;
    c.batch_size = request.batch_size;
    c.shared_cores = request.cores;
    c.model_path = model.c_str();
    c.device = request.device.c_str();
    c.options = options.data();
    c.option_count = options.size();
    c.shapes = shapes.data();
    c.shape_count = shapes.size();
    c.cache_read = read.empty() ? nullptr : read.c_str();
    c.cache_fill = fill.empty() ? nullptr : fill.c_str();
  }
  std::string model, read, fill;
  std::vector<assay_setting> options;
  std::vector<assay_fixed_shape> shapes;
  assay_open_request c{};
};

void check_request(const std::string& backend, const OpenRequest& request) {
  if (request.threads < 1) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("{} threads were asked for; 1 is the least", request.threads),
                backend);
  }
  if (request.in_flight < 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} batches in flight were asked for; 1 is the least, 0 leaves it to the backend",
                            request.in_flight),
                backend);
  }
}

// A plugin fixes the axes of inputs that it finds; a name that is none would be passed over without a word.
void check_shapes(const std::vector<TensorInfo>& inputs, const OpenRequest& request) {
  for (const auto& [name, shape] : request.shapes) {
    const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const TensorInfo& i) { return i.name == name; });
    if (it == inputs.end()) {
      std::vector<std::string> names;
      for (const TensorInfo& input : inputs) names.push_back(input.name);
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("a shape was given for '{}', which is no input of the model; {}", name, name_advice(name, names)),
          request.model.string());
    }
    if (it->rank_known && it->shape.size() != shape.size()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("the shape {} was given for '{}', which has {} axes", to_string(shape), name, it->shape.size()),
          request.model.string());
    }
  }
}

std::string text(const char* c) { return c == nullptr ? "" : c; }

}  // namespace

std::map<std::string, std::string> Backend::checked(const std::map<std::string, std::string>& options) const {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : options) {
    const auto it =
        std::find_if(options_.begin(), options_.end(), [&, &n = name](const Option& o) { return o.name == n; });
    if (it == options_.end()) {
      std::vector<std::string> names;
      for (const Option& option : options_) names.push_back(option.name);
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("backend '{}' has no option '{}'; {}", name_, name, name_advice(name, names)),
                  name_ + "." + name);
    }
    values[name] = checked_value(name_, *it, value);
  }
  return values;
}

Probe Backend::probe(const std::filesystem::path& library, const std::map<std::string, std::string>& options) const {
  const std::map<std::string, std::string> settings = checked(options);
  const Search search = framework_search(name_, library);
  const HostView host(search, settings, nullptr);
  const std::lock_guard lock(probe_mutex());
  ErrorSlot error;
  assay_probe_result c{};
  c.struct_size = sizeof c;
  check(table_->probe(&host.c, &c, &error.error), error, "probe", name_.c_str());
  Probe probe{c.available != 0, text(c.reason), text(c.version), text(c.library), text(c.origin), {}, text(c.absent)};
  for (std::size_t i = 0; i < c.device_count; ++i) {
    const assay_device& d = c.devices[i];
    probe.devices.push_back({text(d.name), text(d.description), text(d.identity), d.memory_bytes});
  }
  return probe;
}

BackendSession Backend::open(const OpenRequest& request) const {
  const std::map<std::string, std::string> settings = checked(request.options);
  check_request(name_, request);
  auto open = std::make_unique<BackendSession::Open>();
  open->table = table_;
  open->log = request.log;
  const Search search = framework_search(name_, request.library);
  const HostView host(search, settings, &open->log);
  const RequestView view(request, settings);
  ErrorSlot error;
  check(table_->open(&host.c, &view.c, &open->session, &error.error), error, "open", view.c.model_path);
  if (open->session == nullptr) {
    throw Error(ErrorCode::kInternal, "the plugin's open answered success and no session", name_);
  }
  BackendSession session(std::move(open));
  check_shapes(session.info().inputs, request);
  return session;
}

}  // namespace assay::backend
