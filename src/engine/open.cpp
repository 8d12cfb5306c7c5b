#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/cpu.hpp"
#include "core/case.hpp"
#include "engine/cached_open.hpp"
#include "engine/session_impl.hpp"

namespace assay {
namespace engine {
namespace {

const backend::Device& find_device(const backend::Probe& probe, const std::string& backend, const std::string& name) {
  std::string known;
  for (const backend::Device& d : probe.devices) {
    if (d.name == name) return d;
    known += (known.empty() ? "" : ", ") + d.name;
  }
  throw Error(ErrorCode::kUnavailable,
              fmt::format("the device '{}' was asked, but {} {} has {} here{}", name, backend, probe.version,
                          known.empty() ? "none" : known, probe.absent.empty() ? "" : "; " + probe.absent));
}

/// Explicit path of the framework; "": it is searched for.
std::filesystem::path library_of(const Params& params) {
  const auto it = params.libraries.find(params.backend);
  return params.library.empty() && it != params.libraries.end() ? it->second : params.library;
}

/// `layout`: nullptr where only the session will tell what the model takes.
backend::OpenRequest request_of(const model::Model& model, const Layout* layout, const Params& params,
                                const LoadSettings& settings) {
  if (params.threads < 0 || params.in_flight < 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} threads and {} batches in flight were asked: neither may be negative (0: automatic)",
                            params.threads, params.in_flight));
  }
  backend::OpenRequest request;
  request.model = model.path;
  request.device = device_name(params);
  request.goal = params.goal;
  request.precision = params.precision;
  request.threads = params.threads > 0 ? params.threads : allowed_cores();
  request.in_flight = params.in_flight > 0 ? params.in_flight : params.goal == Goal::kLatency ? 1 : 0;
  if (layout != nullptr) {
    request.batch_size = layout->batched && !layout->fixed_batch ? layout->batch_size : 0;
    request.shapes = layout->open_shapes();
  }
  request.profile = settings.profile;
  request.cores = settings.cores;
  request.options = params.options;
  request.library = library_of(params);
  request.log = params.log;
  return request;
}

std::string signature_of(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string> all;
  for (const TensorInfo& t : tensors) {
    const std::string shape = t.rank_known ? fmt::format("{}", fmt::join(t.shape, "x")) : "?";
    all.push_back(fmt::format("{}:{}:{}", t.name, to_string(t.dtype), shape));
  }
  return fmt::format("{}", fmt::join(all, ","));
}

/// The host knows the model's tensors; a plugin that reads no model is told them, unless the user said others.
void give_signature(const model::Model& model, const backend::Backend& backend, backend::OpenRequest& request) {
  for (const backend::Option& option : backend.options()) {
    if (!option.signature || request.options.contains(option.name)) continue;
    request.options[option.name] = signature_of(model.inputs) + "->" + signature_of(model.outputs);
  }
}

void say_batch(const Layout& layout, const Params& params) {
  if (!params.log || !layout.fixed_batch || params.batch_size == layout.batch_size) return;
  params.log(LogLevel::kInfo, fmt::format("the model's batch is fixed: {} samples go through at once, and a last batch "
                                          "that is shorter is filled up",
                                          layout.batch_size));
}

Layout onnx_layout(const model::Model& model, const Params& params) {
  Layout layout(model.inputs, model.outputs, params);
  say_batch(layout, params);
  return layout;
}

/// Of a model that the session alone understands: the batch is the first axis of an input where that is free.
Layout session_layout(const backend::SessionInfo& session, const Params& params) {
  std::vector<TensorInfo> inputs = session.inputs;
  for (TensorInfo& input : inputs) input.batch_axis = !input.shape.empty() && input.shape[0] < 0 ? 0 : -1;
  Layout layout(inputs, session.outputs, params);
  say_batch(layout, params);
  return layout;
}

static_assert(static_cast<unsigned>(model::Format::kOnnx) == ASSAY_MODEL_ONNX);
static_assert(static_cast<unsigned>(model::Format::kSavedModel) == ASSAY_MODEL_SAVED_MODEL);
static_assert(static_cast<unsigned>(model::Format::kGraphDef) == ASSAY_MODEL_GRAPH_DEF);

void require_format(const backend::Backend& backend, const model::Model& model) {
  const std::string why = model::why_not_read(backend.name(), backend.model_formats(), model.format);
  if (!why.empty()) throw Error(ErrorCode::kUnsupported, why, model.path.string());
}

/// As it lies: what a cache would save is its translation, and there is none.
Opened open_foreign(const model::Model& model, const backend::Backend& backend, const backend::OpenRequest& request) {
  return {backend.open(request), {}, fmt::format("{} is loaded as it is, and not cached", describe(model.format))};
}

}  // namespace

std::string device_name(const Params& params) {
  if (params.gpuid < -1) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a gpuid of {}: it is -1 for the CPU, or a GPU's number", params.gpuid));
  }
  const std::string named = params.device == "gpu" ? "gpu:0" : params.device;
  if (params.gpuid < 0) return named;
  const std::string by_id = fmt::format("gpu:{}", params.gpuid);
  if (params.device != kCpu && named != by_id) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("the device '{}' and gpuid {} were both asked: leave one out",
                                                         params.device, params.gpuid));
  }
  return by_id;
}

std::unique_ptr<Session::Impl> make_impl(Layout layout, backend::BackendSession opened, int places) {
  layout.adopt(opened.info());
  auto impl = std::make_unique<Session::Impl>(std::move(layout), std::move(opened), places);
  for (const TensorLayout& t : impl->layout.inputs) impl->inputs.push_back(t.info);
  for (const TensorLayout& t : impl->layout.outputs) impl->outputs.push_back(t.info);
  if (impl->layout.batch_size > 0) impl->pipeline.warm(impl->layout.batch_size);
  return impl;
}

CheckedRequest checked_request(const model::Model& model, const Params& params, const LoadSettings& settings) {
  std::optional<Layout> layout;
  if (model.format == model::Format::kOnnx) layout = onnx_layout(model, params);
  const backend::Backend backend = backend::load_backend(params.backend);
  require_format(backend, model);
  backend::Probe probe = backend.probe(library_of(params), params.options);
  if (!probe.available) {
    throw Error(ErrorCode::kUnavailable, fmt::format("{} is not available: {}", params.backend, probe.reason));
  }
  backend::OpenRequest request = request_of(model, layout ? &*layout : nullptr, params, settings);
  request.options = backend.checked(request.options);  // the cache's key tells texts apart
  give_signature(model, backend, request);
  backend::Device device = find_device(probe, params.backend, request.device);
  return {backend, std::move(probe), std::move(device), std::move(request), std::move(layout)};
}

Session open_graph(const model::Model& model, const Params& params, CheckedRequest asked) {
  const bool foreign = !asked.layout;
  Opened opened = foreign ? open_foreign(model, asked.backend, asked.request)
                          : open_cached(model, params, asked.backend, asked.probe, asked.device, asked.request);
  if (foreign) asked.layout = session_layout(opened.session.info(), params);
  const int useful = std::max(opened.session.info().useful_slots, 1);
  const int places = asked.request.in_flight > 0 ? asked.request.in_flight : useful;
  auto impl = make_impl(std::move(*asked.layout), std::move(opened.session), places);
  impl->cache_lock = std::move(opened.lock);
  impl->cache_remark = std::move(opened.remark);
  return Session(std::move(impl));
}

Session open_model(const model::Model& model, const Params& params, const LoadSettings& settings) {
  const auto begin = std::chrono::steady_clock::now();
  Session session = open_graph(model, params, checked_request(model, params, settings));
  session.impl().load_time = std::chrono::steady_clock::now() - begin;
  return session;
}

}  // namespace engine
}  // namespace assay
