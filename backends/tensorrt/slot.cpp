#include "slot.hpp"

#include <algorithm>
#include <cstring>

#include "network.hpp"

namespace assay::tensorrt {
namespace {

std::uint64_t tensor_bytes(assay_dtype dtype, std::span<const std::int64_t> shape) {
  return static_cast<std::uint64_t>(kit::element_count(shape)) * kit::element_bytes(dtype);
}

std::span<const std::int64_t> given_shape(const assay_tensor& tensor) {
  return {tensor.shape, static_cast<std::size_t>(std::max(tensor.rank, 0))};
}

bool is_known(std::span<const std::int64_t> shape) {
  return std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size >= 0; });
}

/// An empty tensor needs an address, too.
std::uint64_t at_least_one(std::uint64_t bytes) { return std::max<std::uint64_t>(bytes, 1); }

}  // namespace

TrtSlot::TrtSlot(Engine& engine, const SlotSettings& settings, std::span<const kit::FixedShape> shapes)
    : engine_(engine),
      settings_(settings),
      stream_(engine.cuda(), engine.device()),
      begin_(engine.cuda(), engine.device()),
      copied_in_(engine.cuda(), engine.device()),
      computing_(engine.cuda(), engine.device()),
      computed_(engine.cuda(), engine.device()),
      copied_out_(engine.cuda(), engine.device()),
      scratch_(engine.scratch()),
      context_(engine.new_context(errors_)) {
  bind_inputs(shapes);
  bind_outputs();
  give_scratch();
  require_on_device(*scratch_);
  for (const Input& input : inputs_) require_on_device(input.memory);
  for (const Output& output : outputs_) require_on_device(output.memory);
  if (settings_.times != nullptr) {
    context_->setProfiler(settings_.times);
    waits_ = true;  // for the layers that it tells of
  }
  count_memory();
}

TrtSlot::~TrtSlot() {
  stop();
  settle();
  engine_.compute_order().forget(computed_);
  engine_.forget_slot(counted_bytes_, graph_.has_value());
}

/// Whatever is still on the stream reads and writes memory that is about to go.
void TrtSlot::settle() noexcept {
  try {
    stream_.synchronize();
  } catch (const std::exception&) {
    // The device is lost: nothing is under way.
  }
}

void TrtSlot::bind_inputs(std::span<const kit::FixedShape> shapes) {
  const std::vector<Port>& ports = engine_.inputs();
  if (shapes.size() != ports.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "a slot needs a shape for each of the " + std::to_string(ports.size()) +
                                                   " inputs, and got " + std::to_string(shapes.size()));
  }
  inputs_.resize(ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Port& port = ports[i];
    Input& input = inputs_[i];
    if (!shapes[i].input.empty() && shapes[i].input != port.info.name) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "input " + std::to_string(i) + " is '" + port.info.name +
                                                     "', and a shape was given for '" + shapes[i].input + "'");
    }
    check_within(engine_.ranges()[i], shapes[i].shape);
    input.port = &port;
    input.shape = shapes[i].shape;
    input.bytes = tensor_bytes(port.info.dtype, input.shape);
    input.memory = nvidia::DeviceBuffer(engine_.cuda(), engine_.device(), at_least_one(input.bytes));
    const char* name = port.tensor.c_str();
    if (!context_->setInputShape(name, dims_of(input.shape)) ||
        !context_->setTensorAddress(name, input.memory.data())) {
      errors_.fail("binding the input '" + port.info.name + "' of " + kit::to_text(input.shape));
    }
  }
  if (context_->inferShapes(0, nullptr) != 0) errors_.fail("working out the shapes of the outputs");
}

void TrtSlot::bind_outputs() {
  outputs_.resize(engine_.outputs().size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i].port = &engine_.outputs()[i];
    outputs_[i].host = PinnedBuffer(engine_.cuda());
    bind_output(outputs_[i]);
  }
}

void TrtSlot::bind_output(Output& output) {
  const Port& port = *output.port;
  const char* name = port.tensor.c_str();
  const nvinfer1::Dims dims = context_->getTensorShape(name);
  output.shape = shape_of(dims);
  bool bound = false;
  if (dims.nbDims < 0 || !is_known(output.shape)) {
    if (settings_.cuda_graph || port.on_host) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "the shape of the output '" + port.info.name +
                                                "' depends on values, and is not known before a batch has run, as " +
                                                (port.on_host ? "the host's memory for it would need: TensorRT leaves "
                                                                "it there"
                                                              : "cuda_graph needs: switch it off"));
    }
    output.growing = std::make_unique<GrowingOutput>(engine_.cuda(), engine_.device());
    waits_ = true;  // for the values on which the shape depends
    bound = context_->setOutputAllocator(name, output.growing.get());
  } else {
    output.bytes = tensor_bytes(port.info.dtype, output.shape);
    const auto room = static_cast<std::uint64_t>(std::max<std::int64_t>(0, context_->getMaxOutputSize(name)));
    const std::uint64_t bytes = at_least_one(std::max(output.bytes, room));
    if (!port.on_host) output.memory = nvidia::DeviceBuffer(engine_.cuda(), engine_.device(), bytes);
    bound = context_->setTensorAddress(name, port.on_host ? output.host.at_least(bytes) : output.memory.data());
  }
  if (!bound) errors_.fail("binding the output '" + port.info.name + "'");
}

/// TensorRT forbids contexts that run in parallel to share it; those of one engine run one after another
/// (ComputeOrder).
void TrtSlot::give_scratch() {
  if (scratch_->bytes() == 0) return;  // none is needed
  context_->setDeviceMemoryV2(scratch_->data(), static_cast<std::int64_t>(scratch_->bytes()));
}

/// What lies on another GPU would be read from there, and its time be this one's.
void TrtSlot::require_on_device(const nvidia::DeviceBuffer& memory) const {
  if (memory.data() == nullptr) return;
  const std::optional<int> there = engine_.cuda().device_of(memory.data());
  if (there == engine_.device()) return;
  const std::string met = there ? "on gpu:" + std::to_string(*there) : "in the host's memory";
  throw kit::Failure(ASSAY_FRAMEWORK, "a batch's memory was asked for on gpu:" + std::to_string(engine_.device()) +
                                          ", where the engine is, and CUDA says that it lies " + met +
                                          ": set CUDA_VISIBLE_DEVICES to the one GPU that is meant");
}

void TrtSlot::count_memory() {
  std::uint64_t bytes = 0;
  for (const Input& input : inputs_) bytes += input.memory.bytes();
  for (const Output& output : outputs_) bytes += output.memory.bytes();
  counted_bytes_ = static_cast<std::int64_t>(bytes);
  engine_.count_slot(counted_bytes_);
}

void TrtSlot::check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const {
  if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       std::to_string(inputs.size()) + " inputs and " + std::to_string(outputs.size()) +
                           " outputs were passed, the model has " + std::to_string(inputs_.size()) + " and " +
                           std::to_string(outputs_.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) kit::check_tensor(inputs_[i].port->info, inputs_[i].shape, inputs[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].data == nullptr) continue;
    const Output& output = outputs_[i];
    kit::check_tensor(output.port->info, output.growing != nullptr ? given_shape(outputs[i]) : std::span(output.shape),
                      outputs[i]);
  }
}

void TrtSlot::submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                     void* user) {
  require_idle();
  check(inputs, outputs);
  engine_.cuda().set_device(engine_.device());
  try {
    launch(inputs, outputs);
  } catch (...) {
    settle();  // the caller takes its memory back
    throw;
  }
  BlockingSlot::submit(inputs, outputs, done, user);
}

void TrtSlot::launch(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) {
  const auto begin = std::chrono::steady_clock::now();
  begin_.record(stream_);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs_[i].bytes > 0) stream_.copy_in(inputs_[i].memory.data(), inputs[i].data, inputs_[i].bytes);
  }
  copied_in_.record(stream_);
  engine_.compute_order().launch(stream_, computing_, computed_, [this] { compute(); });
  launching_ = std::chrono::steady_clock::now() - begin;
  for (std::size_t i = 0; i < outputs.size(); ++i) start_copy_out(outputs_[i], outputs[i]);
  copied_out_.record(stream_);
}

void TrtSlot::compute() {
  if (graph_) {
    graph_->launch(stream_);
  } else if (settings_.cuda_graph && warm_) {
    capture();
  } else {
    enqueue();
    warm_ = true;
  }
  if (settings_.times != nullptr) settings_.times->count_batch();
}

void TrtSlot::enqueue() {
  if (context_->enqueueV3(stream_.get())) return;
  stream_.synchronize();  // throws where the device is lost
  errors_.fail("launching a batch");
}

void TrtSlot::capture() {
  graph_.emplace(engine_.cuda(), stream_, [this] {
    if (!context_->enqueueV3(stream_.get())) errors_.fail("launching a batch");
  });
  engine_.count_graph();
  graph_->launch(stream_);
}

void TrtSlot::start_copy_out(Output& output, const assay_tensor& given) {
  if (output.growing != nullptr) {
    output.shape = shape_of(output.growing->dims());
    output.bytes = tensor_bytes(output.port->info.dtype, output.shape);
    if (given.data != nullptr && !std::ranges::equal(output.shape, given_shape(given))) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "output '" + output.port->info.name + "' came out as " +
                                                     kit::to_text(output.shape) + ", and memory was given for " +
                                                     kit::to_text(given_shape(given)));
    }
  }
  if (output.port->on_host || output.bytes == 0) return;
  void* target = given.data != nullptr ? given.data : output.host.at_least(output.bytes);
  stream_.copy_out(target, output.growing != nullptr ? output.growing->data() : output.memory.data(), output.bytes);
}

void TrtSlot::run(std::span<const assay_tensor> /*inputs*/, std::span<assay_tensor> outputs, kit::Timing& timing) {
  copied_out_.synchronize();
  timing.copy_in_ns = copied_in_.nanoseconds_since(begin_);
  timing.compute_ns = computed_.nanoseconds_since(computing_);
  timing.copy_out_ns = copied_out_.nanoseconds_since(computed_);
  if (!waits_) timing.ahead_ns = nvidia::nanoseconds_ahead(begin_, computed_, launching_);
  for (std::size_t i = 0; i < outputs.size(); ++i) fill_output(outputs_[i], outputs[i]);
}

void TrtSlot::fill_output(Output& output, assay_tensor& tensor) {
  if (tensor.data == nullptr) {
    tensor.data = output.host.data();
    tensor.memory = ASSAY_HOST;
  } else if (output.port->on_host && output.bytes > 0) {
    std::memcpy(tensor.data, output.host.data(), output.bytes);
  }
  tensor.bytes = output.bytes;
  tensor.dtype = output.port->info.dtype;
  tensor.rank = static_cast<std::int32_t>(output.shape.size());
  tensor.shape = output.shape.data();
  tensor.strides = nullptr;
}

}  // namespace assay::tensorrt
