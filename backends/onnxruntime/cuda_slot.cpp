#include "cuda_slot.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <shared_mutex>
#include <utility>

#include "ort_session.hpp"

namespace assay::ort {
namespace {

constexpr const char* kNoGraph = "-1";  // the library captures nothing in such a run

/// A name for a graph, never used before in this process.
std::string new_graph() {
  static std::atomic<int> last{0};
  return std::to_string(++last);
}

}  // namespace

CudaSlot::CudaSlot(const OrtBackendSession& session, std::span<const kit::FixedShape> shapes)
    : OrtSlot(session, shapes),
      session_(session),
      device_(session.cuda()),
      stream_(device_.make<nvidia::Stream>()),
      begun_(device_.make<nvidia::Event>()),
      copied_in_(device_.make<nvidia::Event>()),
      launched_(device_.make<nvidia::Event>()),
      computed_(device_.make<nvidia::Event>()),
      copying_out_(device_.make<nvidia::Event>()),
      copied_out_(device_.make<nvidia::Event>()),
      inputs_(session.inputs().size()),
      outputs_(session.outputs().size()) {
  const std::shared_lock gate(CudaDevice::capture_gate());
  try {
    allocate_inputs();
  } catch (...) {
    give_back();  // the gate is open again when the members go
    throw;
  }
}

CudaSlot::~CudaSlot() {
  stop();
  const std::shared_lock gate(CudaDevice::capture_gate());
  give_back();
}

void CudaSlot::allocate_inputs() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!session_.input_on_gpu(i)) continue;
    const auto count = static_cast<std::uint64_t>(kit::element_count(input_shapes()[i]));
    inputs_[i] =
        nvidia::DeviceBuffer(device_.cuda(), device_.index(), count * kit::element_bytes(session_.inputs()[i].dtype));
  }
}

/// All of CUDA's that the slot has; the caller holds the gate.
void CudaSlot::give_back() noexcept {
  inputs_.clear();
  outputs_.clear();
  for (nvidia::Event* event : {&begun_, &copied_in_, &launched_, &computed_, &copying_out_, &copied_out_}) {
    const nvidia::Event gone = std::move(*event);
  }
  const nvidia::Stream gone = std::move(stream_);
}

OrtSlot::Place CudaSlot::on_device(nvidia::DeviceBuffer& buffer, const assay_tensor& tensor) const {
  const std::uint64_t bytes = std::max<std::uint64_t>(tensor.bytes, 1);  // a tensor of no elements has an address, too
  if (buffer.bytes() < bytes) {
    const std::shared_lock gate(CudaDevice::capture_gate());
    buffer = {};  // first: two at once may be more than there is
    buffer = nvidia::DeviceBuffer(device_.cuda(), device_.index(), bytes);
  }
  Place place = {tensor, device_.memory()};
  place.tensor.data = buffer.data();
  place.tensor.memory = ASSAY_DEVICE;
  return place;
}

OrtSlot::Place CudaSlot::place_of_input(std::size_t i, const assay_tensor& input) {
  if (session_.input_on_gpu(i)) return on_device(inputs_[i], input);
  Place place = OrtSlot::place_of_input(i, input);
  place.follows = false;  // should the library want it elsewhere all the same, binding is when it copies
  return place;
}

OrtSlot::Place CudaSlot::place_of_output(std::size_t i, const assay_tensor& output) {
  return session_.output_on_gpu(i) ? on_device(outputs_[i], output) : OrtSlot::place_of_output(i, output);
}

OwnedRunOptions CudaSlot::run_options(bool waits, const std::string& graph) const {
  const Library& library = session_.library();
  OrtRunOptions* options = nullptr;
  library.call<CreateRunOptions>("making run options", &options);
  OwnedRunOptions owned(library, options);
  const auto set = [&](const char* key, const std::string& value) {
    library.call<AddRunConfigEntry>("setting a run's options", options, key, value.c_str());
  };
  if (!waits) set("disable_synchronize_execution_providers", "1");
  if (!graph.empty()) set("gpu_graph_id", graph);
  if (session_.setup().arena_shrink) {
    set("memory.enable_memory_arena_shrinkage", "cpu:0;gpu:" + std::to_string(device_.index()));
  }
  return owned;
}

/// What is bound decides how the library is to run it: a graph is captured of addresses, and results in the host's
/// memory, or nodes there, have to be waited for.
void CudaSlot::choose_run(std::span<const assay_tensor> outputs) {
  bool places_all = true, on_gpu = session_.all_on_gpu();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    places_all = places_all && (is_placed(i, outputs[i]) || is_passed(i));
    on_gpu = on_gpu && session_.output_on_gpu(i);
  }
  if (run_.get() != nullptr && run_of_ == bindings() && run_places_all_ == places_all) return;
  const bool graph = session_.setup().cuda.graph;
  run_captures_ = graph && places_all;
  run_waits_ = !on_gpu || !places_all;
  run_ = run_options(run_waits_, !graph ? "" : run_captures_ ? new_graph() : kNoGraph);
  run_of_ = bindings();
  run_places_all_ = places_all;
  captured_ = false;
}

void CudaSlot::compute(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs,
                       kit::Timing& timing) {
  device_.cuda().set_device(device_.index());
  choose_run(outputs);
  if (run_captures_ && !captured_) {
    const std::unique_lock alone(CudaDevice::capture_gate());
    step(inputs, outputs, timing);
    captured_ = true;
    device_.note_run(run_captures_);
    return;
  }
  const std::shared_lock gate(CudaDevice::capture_gate());
  step(inputs, outputs, timing);
  device_.note_run(run_captures_);
}

void CudaSlot::step(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, kit::Timing& timing) {
  std::chrono::nanoseconds launching{};
  try {
    const auto begin = std::chrono::steady_clock::now();
    copy_in(inputs);
    launch();
    launching = std::chrono::steady_clock::now() - begin;
    look_whether_graphs_go_on();
    copy_out(outputs);
    copied_out_.synchronize();
  } catch (const std::exception& failure) {
    // The caller's memory is free to go when this returns. Of a lost device the library's words need not tell.
    const std::string lost = drain();
    if (lost.empty()) throw;
    throw kit::Failure(ASSAY_DEVICE_LOST, lost + " It was met as: " + failure.what());
  }
  timing.copy_in_ns = copied_in_.nanoseconds_since(begun_);
  timing.compute_ns = computed_.nanoseconds_since(launched_);
  timing.copy_out_ns = copied_out_.nanoseconds_since(copying_out_);
  if (knows_launches()) timing.ahead_ns = nvidia::nanoseconds_ahead(begun_, computed_, launching);
}

/// A device that is done may have been waited for or have been fast: that tells nothing.
void CudaSlot::look_whether_graphs_go_on() {
  if (!run_captures_ || !captured_ || device_.graphs_go_on()) return;
  if (!computed_.passed()) device_.note_graph_went_on();
}

/// Whether the library launched this batch and went on. Where it waited, the device was done as soon as the host was,
/// whatever the bound is: while it captures it waits, and some wait for each graph that they launch.
bool CudaSlot::knows_launches() const {
  if (run_waits_) return false;
  return !run_captures_ || (captured_ && device_.graphs_go_on());
}

/// Waits for all that was launched. CUDA's words where the device is lost, else "": the failure that is reported came
/// first.
std::string CudaSlot::drain() {
  std::string lost;
  for (nvidia::Stream* stream : {&stream_, &device_.compute()}) {
    try {
      stream->synchronize();
    } catch (const kit::Failure& failure) {
      if (failure.code() == ASSAY_DEVICE_LOST) lost = failure.what();
    }
  }
  return lost;
}

void CudaSlot::copy_in(std::span<const assay_tensor> inputs) {
  begun_.record(stream_);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t bytes = std::min<std::size_t>(inputs_[i].bytes(), inputs[i].bytes);
    if (bytes > 0) stream_.copy_in(inputs_[i].data(), inputs[i].data, bytes);
  }
  copied_in_.record(stream_);
}

void CudaSlot::launch() {
  const std::lock_guard alone(device_.launching());
  device_.compute().wait(copied_in_);
  launched_.record(device_.compute());
  if (run_captures_) {
    device_.graphs().run([this] {
      device_.cuda().set_device(device_.index());
      run_bound(run_.get());
    });
  } else {
    run_bound(run_.get());
  }
  computed_.record(device_.compute());
}

void CudaSlot::copy_out(std::span<const assay_tensor> outputs) {
  stream_.wait(computed_);
  copying_out_.record(stream_);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!session_.output_on_gpu(i) || !is_placed(i, outputs[i]) || outputs[i].bytes == 0) continue;
    stream_.copy_out(outputs[i].data, outputs_[i].data(), outputs[i].bytes);
  }
  copied_out_.record(stream_);
}

}  // namespace assay::ort
