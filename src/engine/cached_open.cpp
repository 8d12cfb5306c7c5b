#include "engine/cached_open.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/case.hpp"

namespace assay::engine {
namespace {

void warn(const Params& params, const std::string& message) {
  if (params.log) params.log(LogLevel::kWarning, message);
}

/// A failure of the framework or of a file may be the cache's fault; what the model or the caller did wrong is not.
bool may_be_the_caches(const Error& e) { return e.code() == ErrorCode::kFramework || e.code() == ErrorCode::kIo; }

std::optional<backend::BackendSession> open_found(GraphCache& cache, const GraphCache::Found& found,
                                                  const backend::Backend& backend, backend::OpenRequest request) {
  request.cache_read = found.folder;
  try {
    backend::BackendSession session = backend.open(request);
    if (!session.info().from_cache) cache.discard(found.folder, "the backend passed over it");
    return session;
  } catch (const Error& e) {
    if (!may_be_the_caches(e)) throw;
    cache.discard(found.folder, e.what());
    return std::nullopt;
  }
}

Opened open_and_keep(GraphCache& cache, const Params& params, const backend::Backend& backend,
                     backend::OpenRequest request, const KeyParts& parts, const std::string& why_none) {
  const std::filesystem::path filling = cache.begin_filling();
  if (filling.empty()) return {backend.open(request), {}, why_none + "; the cache cannot be written"};
  request.cache_fill = filling;
  try {
    backend::BackendSession session = backend.open(request);
    const std::string kept = cache.keep(filling, parts);
    return {std::move(session), {}, why_none + "; " + kept};
  } catch (const Error& e) {
    cache.drop(filling);
    if (!may_be_the_caches(e)) throw;
    request.cache_fill.clear();
    backend::BackendSession session = backend.open(request);  // its own failure, if it was not the cache's
    warn(params, fmt::format("the graph cache could not be filled; the model is loaded without it: {}", e.what()));
    return {std::move(session), {}, why_none + "; it could not be filled"};
  } catch (...) {
    cache.drop(filling);
    throw;
  }
}

}  // namespace

KeyParts key_parts(const std::string& model_hash, const backend::Backend& backend, const backend::Probe& probe,
                   const backend::Device& device, const backend::OpenRequest& request) {
  KeyParts parts = {{"model", model_hash},
                    {"assay", version()},
                    {"backend", backend.name()},
                    {"version", probe.version},
                    {"device", device.name},
                    {"device identity", device.identity},
                    {"for", to_string(request.goal)},
                    {"precision", to_string(request.precision)},
                    {"threads", std::to_string(request.threads)},
                    {"in flight", std::to_string(request.in_flight)},
                    {"batch size", std::to_string(request.batch_size)}};
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
  const std::string hash = model::model_hash(model, params.cache / "hashes");
  const KeyParts parts = key_parts(hash, backend, probe, device, request);
  GraphCache::Found found = cache.find(parts);
  if (!found.folder.empty()) {
    if (std::optional<backend::BackendSession> session = open_found(cache, found, backend, request)) {
      const bool used = session->info().from_cache;
      return {std::move(*session), std::move(found.lock), used ? found.remark : "the backend passed over the entry"};
    }
    found.remark = "the cached graph was of no use to the backend and was thrown away";
  }
  return open_and_keep(cache, params, backend, std::move(request), parts, found.remark);
}

}  // namespace assay::engine
