#include "session.hpp"

#include "build.hpp"
#include "nvidia/cuda_objects.hpp"
#include "slot.hpp"

namespace assay::tensorrt {

TrtSession::TrtSession(const Runtime& runtime, const nvidia::CudaRuntime& cuda, const kit::OpenRequest& request)
    : cuda_(cuda),
      log_scope_(request.host),
      settings_(read_settings(request)),
      useful_slots_(useful_slots(request)),
      device_(cuda.index_of(request.device)) {
  cuda_.set_device(device_);
  if (request.profile) times_ = std::make_unique<LayerTimes>();
  open_engine(runtime, {cuda_, device_, request.threads}, request);
}

void TrtSession::open_engine(const Runtime& runtime, const Place& place, const kit::OpenRequest& request) {
  from_cache_ = !request.cache_read.empty() && open_cached(runtime, place, request);
  if (!from_cache_) build(runtime, place, request);
}

bool TrtSession::open_cached(const Runtime& runtime, const Place& place, const kit::OpenRequest& request) {
  try {
    const CachedEngine cached = read_engine(request.cache_read);
    engine_ = std::make_unique<Engine>(runtime, place, cached.engine.bytes(), cached.facts);
    return true;
  } catch (const kit::Failure& e) {
    if (e.code() == ASSAY_OUT_OF_MEMORY || e.code() == ASSAY_DEVICE_LOST) throw;
    request.host.log(ASSAY_LOG_WARNING,
                     std::string("the cached engine is of no use, and it is built instead: ") + e.what());
    return false;
  }
}

void TrtSession::build(const Runtime& runtime, const Place& place, const kit::OpenRequest& request) {
  const int major = cuda_.facts(device_).major;
  const BuiltEngine built =
      build_engine(runtime, request, settings_, major, read_timing(settings_.timing_cache, request.cache_read));
  if (!settings_.timing_cache.empty() && built.timing != nullptr) {
    write_timing(settings_.timing_cache, bytes_of(built.timing.get()));
  }
  engine_ = std::make_unique<Engine>(runtime, place, bytes_of(built.bytes.get()), built.facts);
  if (request.cache_fill.empty()) return;
  fill_folder(request.cache_fill, bytes_of(built.bytes.get()), built.facts, bytes_of(built.timing.get()));
}

kit::Description TrtSession::describe() {
  kit::Description d;
  for (const Port& port : engine_->inputs()) d.inputs.push_back(port.info);
  for (const Port& port : engine_->outputs()) d.outputs.push_back(port.info);
  d.in_force = engine_->in_force();
  d.in_force.emplace_back("streams", std::to_string(useful_slots_));
  d.in_force.emplace_back("cuda_graph", settings_.cuda_graph ? engine_->graphs_in_force() : "false");
  d.from_cache = from_cache_;
  d.useful_slots = useful_slots_;
  d.computes_in_wait = true;
  d.short_batch = engine_->fixed() ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
  d.memory_kinds |= 1U << ASSAY_PINNED;
  return d;
}

std::unique_ptr<kit::Slot> TrtSession::open_slot(std::span<const kit::FixedShape> shapes) {
  return std::make_unique<TrtSlot>(*engine_, SlotSettings{settings_.cuda_graph, times_.get()}, shapes);
}

std::string TrtSession::report(const std::string& kind) {
  if (kind == "plan") return engine_->plan();
  if (kind == "placement") return engine_->placement();
  if (kind == "memory") return engine_->memory();
  if (kind == "profile") {
    if (times_ != nullptr) return times_->json();
    throw kit::Failure(ASSAY_UNSUPPORTED, "no profile was collected: ask for it when the model is opened");
  }
  return Session::report(kind);
}

void* TrtSession::allocate(assay_memory kind, std::uint64_t bytes) {
  if (kind != ASSAY_PINNED) return Session::allocate(kind, bytes);
  cuda_.set_device(device_);
  return nvidia::allocate_pinned(cuda_, bytes);
}

void TrtSession::release(assay_memory kind, void* data) {
  if (kind != ASSAY_PINNED) return Session::release(kind, data);
  cuda_.set_device(device_);
  nvidia::free_pinned(cuda_, data);
}

}  // namespace assay::tensorrt
