#include "engine/cached_open.hpp"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <utility>

#include "assay/backend_abi.h"
#include "base/file_state.hpp"
#include "core/case.hpp"

namespace assay::engine {
namespace {

void warn(const Params& params, const std::string& message) {
  if (params.log) params.log(LogLevel::kWarning, message);
}

/// A framework says of a bad cached graph what it says of a bad model: all but a want of means may be the cache's
/// fault.
bool may_be_the_caches(const Error& e) {
  return e.code() != ErrorCode::kOutOfMemory && e.code() != ErrorCode::kUnavailable;
}

/// Changes when a file of the model does.
std::string state_of(const model::Model& model) {
  std::string state;
  for (const std::filesystem::path& file : model.files) {
    if (const auto one = file_state(file)) state += one->text + "\n";  // else opening it will say so
  }
  return state;
}

/// Opens and keeps the graph. `settle` is called once it is open: it answers whether the key is still the model's.
Opened open_and_keep(GraphCache& cache, const Params& params, const backend::Backend& backend,
                     backend::OpenRequest request, const KeyParts& parts, const std::string& why_none,
                     const std::function<bool()>& settle) {
  std::optional<Filling> filling = cache.begin_filling(parts);
  if (filling) request.cache_fill = filling->graph();
  try {
    backend::BackendSession session = backend.open(request);
    const bool same_model = settle();
    if (!filling) return {std::move(session), {}, why_none + "; the cache cannot be written"};
    if (same_model) return {std::move(session), {}, why_none + "; " + cache.keep(std::move(*filling), parts)};
    return {std::move(session), {}, why_none + "; the model changed while it was loaded, so its graph is not kept"};
  } catch (const Error& e) {
    if (!filling || !may_be_the_caches(e)) throw;
    filling.reset();
    request.cache_fill.clear();
    backend::BackendSession session = backend.open(request);  // its own failure, if it was not the cache's
    settle();
    warn(params, fmt::format("the graph cache could not be filled; the model is loaded without it: {}", e.what()));
    return {std::move(session), {}, why_none + "; it could not be filled"};
  }
}

/// Changes when the plugin is built anew: what it makes of a model may, too.
std::string plugin_state(const backend::Backend& backend) {
  std::error_code error;
  const auto size = std::filesystem::file_size(backend.plugin(), error);
  const auto written = std::filesystem::last_write_time(backend.plugin(), error);
  return error ? std::string() : fmt::format("{} bytes of {}", size, written.time_since_epoch().count());
}

}  // namespace

KeyParts key_parts(const std::string& model_hash, const backend::Backend& backend, const backend::Probe& probe,
                   const backend::Device& device, const backend::OpenRequest& request) {
  KeyParts parts = {{"model", model_hash},
                    {"assay", version()},
                    {"backend", backend.name()},
                    {"plugin", plugin_state(backend)},
                    {"version", probe.version},
                    {"device", device.name},
                    {"device identity", device.identity},
                    {"precision", to_string(request.precision)},
                    {"threads", std::to_string(request.threads)},
                    {"batch size", std::to_string(request.batch_size)}};
  const std::uint32_t ignored = backend.graph_ignores();
  if ((ignored & ASSAY_GRAPH_IGNORES_GOAL) == 0) parts["for"] = to_string(request.goal);
  if ((ignored & ASSAY_GRAPH_IGNORES_IN_FLIGHT) == 0) parts["in flight"] = std::to_string(request.in_flight);
  if (request.profile) parts["profile"] = "true";
  for (const auto& [name, shape] : request.shapes) parts["shape " + name] = to_string(shape);
  for (const backend::Option& option : backend.options()) {
    if (!option.shapes_graph) continue;
    const auto set = request.options.find(option.name);
    parts["option " + option.name] = set != request.options.end() ? set->second : option.default_value;
  }
  return parts;
}

Opened open_cached(const model::Model& model, const Params& params, const backend::Backend& backend,
                   const backend::Probe& probe, const backend::Device& device, backend::OpenRequest request) {
  if (params.cache.empty()) return {backend.open(request), {}, "no cache folder was given"};
  GraphCache cache(params.cache, cache_limit(), params.log);
  const std::string state = state_of(model);
  const std::string hash = model::model_hash(model, params.cache / "hashes");
  const KeyParts parts = key_parts(hash, backend, probe, device, request);
  GraphCache::Found found = cache.find(parts);
  std::string trouble;  // with the entry that was found
  if (!found.folder.empty()) {
    backend::OpenRequest reading = request;
    reading.cache_read = found.folder;
    try {
      backend::BackendSession session = backend.open(reading);
      if (session.info().from_cache) return {std::move(session), std::move(found.lock), found.remark};
      cache.discard(found, "the backend passed over it");
      return {std::move(session), {}, "the backend passed over the entry"};
    } catch (const Error& e) {
      if (!may_be_the_caches(e)) throw;
      trouble = e.what();
      found.remark = "the cached graph was of no use to the backend and was thrown away";
    }
  }
  const auto settle = [&] {  // a request that fails without the cache too was none of the entry's doing
    if (!trouble.empty()) cache.discard(found, trouble);
    return state_of(model) == state;
  };
  return open_and_keep(cache, params, backend, std::move(request), parts, found.remark, settle);
}

}  // namespace assay::engine
