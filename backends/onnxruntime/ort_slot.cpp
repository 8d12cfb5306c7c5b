#include "ort_slot.hpp"

#include <algorithm>
#include <chrono>

#include "ort_session.hpp"

namespace assay::ort {

const OrtValue* OrtSlot::Views::of(const Library& library, const OrtMemoryInfo* memory, const assay_tensor& tensor) {
  const std::span shape(tensor.shape, static_cast<std::size_t>(tensor.rank));
  for (const View& view : views_) {
    if (view.value.get() != nullptr && view.data == tensor.data && view.bytes == tensor.bytes &&
        std::equal(shape.begin(), shape.end(), view.shape.begin(), view.shape.end())) {
      return view.value.get();
    }
  }
  OrtValue* value = nullptr;
  library.call<CreateTensorWithDataAsOrtValue>("wrapping a tensor", memory, tensor.data, tensor.bytes, shape.data(),
                                               shape.size(), tensor.dtype, &value);
  View& view = views_[next_];
  next_ = (next_ + 1) % kKept;
  view = {tensor.data, tensor.bytes, {shape.begin(), shape.end()}, OwnedValue(library, value)};
  return value;
}

OrtSlot::OrtSlot(const OrtBackendSession& session, std::span<const kit::FixedShape> shapes)
    : session_(session), library_(session.library()) {
  check_shapes(shapes);
  OrtMemoryInfo* memory = nullptr;
  library_.call<CreateCpuMemoryInfo>("describing host memory", kArenaAllocator, kMemTypeDefault, &memory);
  memory_ = OwnedMemoryInfo(library_, memory);
  OrtIoBinding* binding = nullptr;
  library_.call<CreateIoBinding>("making a binding", session_.handle(), &binding);
  binding_ = OwnedBinding(library_, binding);
  if (session_.setup().arena_shrink) {
    OrtRunOptions* options = nullptr;
    library_.call<CreateRunOptions>("making run options", &options);
    run_options_ = OwnedRunOptions(library_, options);
    library_.call<AddRunConfigEntry>("setting arena_shrink", options, "memory.enable_memory_arena_shrinkage", "cpu:0");
  }
  const std::size_t outputs = session_.outputs().size();
  input_views_.resize(input_shapes_.size());
  bound_inputs_.resize(input_shapes_.size());
  output_views_.resize(outputs);
  bound_outputs_.resize(outputs);
  values_.resize(outputs);
  output_shapes_.resize(outputs);
  passed_ = kit::inputs_passed_through(session_.inputs(), session_.outputs());
  all_passed_ = std::all_of(passed_.begin(), passed_.end(), [](std::size_t i) { return i != kNone; });
}

OrtSlot::~OrtSlot() { stop(); }

void OrtSlot::check_shapes(std::span<const kit::FixedShape> shapes) {
  const auto& inputs = session_.inputs();
  if (shapes.size() != inputs.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "shapes of " + std::to_string(shapes.size()) +
                                                   " inputs were given, the model has " +
                                                   std::to_string(inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!shapes[i].input.empty() && shapes[i].input != inputs[i].name) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "input " + std::to_string(i) + " is '" + inputs[i].name +
                                                     "', a shape was given for '" + shapes[i].input + "'");
    }
    if (inputs[i].rank_known) kit::check_shape(inputs[i], shapes[i].shape);
    kit::element_count(shapes[i].shape);  // throws for a shape that no memory holds
    input_shapes_.push_back(shapes[i].shape);
  }
}

void OrtSlot::check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const {
  if (inputs.size() != input_shapes_.size() || outputs.size() != bound_outputs_.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       std::to_string(inputs.size()) + " inputs and " + std::to_string(outputs.size()) +
                           " outputs were passed, the model has " + std::to_string(input_shapes_.size()) + " and " +
                           std::to_string(bound_outputs_.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    kit::check_tensor(session_.inputs()[i], input_shapes_[i], inputs[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].data == nullptr) continue;
    const std::span shape(outputs[i].shape, static_cast<std::size_t>(outputs[i].rank));
    kit::check_tensor(session_.outputs()[i], shape, outputs[i]);
  }
}

void OrtSlot::bind_inputs(std::span<const assay_tensor> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Place place = place_of_input(i, inputs[i]);
    const OrtValue* view = input_views_[i].of(library_, place.memory, place.tensor);
    if (view == bound_inputs_[i] && place.follows) continue;
    library_.call<BindInput>("binding an input", binding_.get(), session_.inputs()[i].name.c_str(), view);
    if (view != bound_inputs_[i]) ++bindings_;
    bound_inputs_[i] = view;
  }
}

void OrtSlot::bind_outputs(std::span<const assay_tensor> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (passed_[i] != kNone) continue;
    const char* name = session_.outputs()[i].name.c_str();
    if (!is_bound(i, outputs[i])) {
      // Each time anew: after a run the binding holds that run's tensor, and the next run would write into it.
      library_.call<BindOutputToDevice>("binding an output", binding_.get(), name, memory_.get());
      bound_outputs_[i] = nullptr;
      continue;
    }
    const Place place = place_of_output(i, outputs[i]);
    const OrtValue* view = output_views_[i].of(library_, place.memory, place.tensor);
    if (view == bound_outputs_[i]) continue;
    library_.call<BindOutput>("binding an output", binding_.get(), name, view);
    ++bindings_;
    bound_outputs_[i] = view;
  }
}

/// What the library infers of an output may not be what it computes (pools with ceil_mode), and it refuses memory of
/// the other shape. Then it computes into memory of its own.
bool OrtSlot::is_bound(std::size_t i, const assay_tensor& output) const {
  if (output.data == nullptr) return false;
  const kit::TensorInfo& info = session_.outputs()[i];
  const std::span shape(output.shape, static_cast<std::size_t>(output.rank));
  return !info.rank_known || std::equal(shape.begin(), shape.end(), info.shape.begin(), info.shape.end(),
                                        [](std::int64_t a, std::int64_t b) { return b < 0 || a == b; });
}

void OrtSlot::copy_output(std::size_t i, const void* data, assay_tensor& output) const {
  const std::span wanted(output.shape, static_cast<std::size_t>(output.rank));
  if (!std::equal(wanted.begin(), wanted.end(), output_shapes_[i].begin(), output_shapes_[i].end())) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "output '" + session_.outputs()[i].name + "' came out as " +
                                                   kit::to_text(output_shapes_[i]) +
                                                   ", and memory was given for another shape");
  }
  if (output.bytes > 0) std::memcpy(output.data, data, output.bytes);
}

void OrtSlot::free_values() {
  for (OwnedValue& value : values_) value.reset();
}

void OrtSlot::take_outputs(std::span<assay_tensor> outputs) {
  OrtAllocator* allocator = nullptr;
  library_.call<GetAllocatorWithDefaultOptions>("fetching the outputs", &allocator);
  OrtValue** bound = nullptr;
  std::size_t count = 0;
  library_.call<GetBoundOutputValues>("fetching the outputs", binding_.get(), allocator, &bound, &count);
  std::size_t output = 0;  // in their order, those that are bound
  for (std::size_t i = 0; i < count; ++i, ++output) {
    OwnedValue value(library_, bound[i]);
    while (output < passed_.size() && passed_[output] != kNone) ++output;
    if (output < values_.size()) values_[output] = std::move(value);
  }
  if (bound != nullptr) library_.call<AllocatorFree>("fetching the outputs", allocator, bound);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (passed_[i] != kNone || is_bound(i, outputs[i])) continue;
    OrtTensorTypeAndShapeInfo* info = nullptr;
    library_.call<GetTensorTypeAndShape>("reading an output's shape", values_[i].get(), &info);
    const OwnedShapeInfo owned(library_, info);
    std::size_t rank = 0;
    library_.call<GetDimensionsCount>("reading an output's shape", info, &rank);
    output_shapes_[i].resize(rank);
    library_.call<GetDimensions>("reading an output's shape", info, output_shapes_[i].data(), rank);
    void* data = nullptr;
    library_.call<GetTensorMutableData>("reading an output", values_[i].get(), &data);
    if (outputs[i].data != nullptr) {
      copy_output(i, data, outputs[i]);
      continue;
    }
    outputs[i].data = data;
    outputs[i].dtype = session_.outputs()[i].dtype;
    outputs[i].memory = ASSAY_HOST;
    outputs[i].rank = static_cast<std::int32_t>(rank);
    outputs[i].shape = output_shapes_[i].data();
    outputs[i].strides = nullptr;
    outputs[i].bytes =
        static_cast<std::uint64_t>(kit::element_count(output_shapes_[i])) * kit::element_bytes(outputs[i].dtype);
  }
}

void OrtSlot::submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                     void* user) {
  require_idle();  // the batch under way keeps its binding
  check(inputs, outputs);
  free_values();
  bind_inputs(inputs);
  bind_outputs(outputs);
  BlockingSlot::submit(inputs, outputs, done, user);
}

OrtSlot::Place OrtSlot::place_of_input(std::size_t /*i*/, const assay_tensor& input) { return {input, memory_.get()}; }

OrtSlot::Place OrtSlot::place_of_output(std::size_t /*i*/, const assay_tensor& output) {
  return {output, memory_.get()};
}

void OrtSlot::run_bound(const OrtRunOptions* options) {
  library_.call<RunWithBinding>("running a batch", session_.handle(), options, binding_.get());
}

void OrtSlot::compute(std::span<const assay_tensor> /*inputs*/, std::span<const assay_tensor> /*outputs*/,
                      kit::Timing& timing) {
  const Stream stream(session_.streams());
  const auto begin = std::chrono::steady_clock::now();
  run_bound(run_options_.get());
  timing.compute_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
}

void OrtSlot::run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) {
  if (!all_passed_) compute(inputs, outputs, timing);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (is_bound(i, outputs[i]) || passed_[i] != kNone) continue;
    take_outputs(outputs);
    break;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (passed_[i] != kNone) kit::pass_through(inputs[passed_[i]], outputs[i]);
  }
}

}  // namespace assay::ort
