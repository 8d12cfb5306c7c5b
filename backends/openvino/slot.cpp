#include "slot.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace assay::openvino {
namespace {

/// Buffers of a pipeline that come back in turn: more than any host keeps per slot.
constexpr std::size_t kMostKept = 8;

std::span<const std::int64_t> shape_of(const assay_tensor& tensor) {
  return {tensor.shape, static_cast<std::size_t>(std::max(tensor.rank, 0))};
}

/// A tensor of unknown rank takes any shape.
void check_fits(const kit::TensorInfo& info, std::span<const std::int64_t> shape) {
  if (info.rank_known) kit::check_shape(info, shape);
}

std::uint64_t bytes_of(assay_dtype dtype, std::span<const std::int64_t> shape) {
  return static_cast<std::uint64_t>(kit::element_count(shape)) * kit::element_bytes(dtype);
}

}  // namespace

OvSlot::OvSlot(std::shared_ptr<Model> model, std::span<const kit::FixedShape> shapes)
    : model_(std::move(model)),
      runtime_(model_->runtime),
      request_(nullptr, runtime_.api.infer_request_free),
      inputs_(model_->inputs.size()),
      outputs_(model_->outputs.size()) {
  if (shapes.size() != inputs_.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "a slot needs a shape for each of the " +
                                                   std::to_string(inputs_.size()) + " inputs, and got " +
                                                   std::to_string(shapes.size()));
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Port& port = model_->inputs[i];
    check_fits(port.info, shapes[i].shape);
    inputs_[i].port = &port;
    inputs_[i].shape = shapes[i].shape;
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].port = &model_->outputs[i];
  const auto infos = [](const std::vector<Binding>& bindings) {
    std::vector<kit::TensorInfo> all;
    for (const Binding& b : bindings) all.push_back(b.port->info);
    return all;
  };
  passed_ = kit::inputs_passed_through(infos(inputs_), infos(outputs_));
  make_request();
}

OvSlot::~OvSlot() {
  if (state_ == State::kRunning) runtime_.api.infer_request_wait(request_.get());  // its memory is about to go
}

void OvSlot::make_request() {
  request_ = make_handle<ov_infer_request>(runtime_, runtime_.api.infer_request_free, Phase::kRun,
                                           "making an infer request", runtime_.api.compiled_model_create_infer_request,
                                           static_cast<const ov_compiled_model*>(model_->compiled.model.get()));
  check(runtime_, runtime_.api.infer_request_set_callback(request_.get(), &callback_), Phase::kRun,
        "setting a callback");
  for (Binding& binding : inputs_) binding.bound = nullptr;
  for (Binding& binding : outputs_) binding.bound = nullptr;
}

void OvSlot::on_done(void* slot) {
  const auto* self = static_cast<const OvSlot*>(slot);
  if (self->done_ != nullptr) self->done_(self->user_);
}

void OvSlot::bind(Binding& binding, const assay_tensor& tensor) {
  if (binding.bound == tensor.data && std::ranges::equal(binding.shape, shape_of(tensor))) return;
  const auto same = [&](const Binding::Kept& kept) {
    return kept.data == tensor.data && std::ranges::equal(kept.shape, shape_of(tensor));
  };
  auto kept = std::find_if(binding.kept.begin(), binding.kept.end(), same);
  if (kept == binding.kept.end()) {
    std::vector<std::int64_t> shape(shape_of(tensor).begin(), shape_of(tensor).end());
    const ov_shape theirs{static_cast<std::int64_t>(shape.size()), shape.data()};
    Handle<ov_tensor> made = make_handle<ov_tensor>(
        runtime_, runtime_.api.tensor_free, Phase::kRun, "using memory for '" + binding.port->info.name + "'",
        runtime_.api.tensor_create_from_host_ptr, binding.port->element_type, theirs, tensor.data);
    Binding::Kept entry{tensor.data, std::move(shape), std::move(made)};
    if (binding.kept.size() < kMostKept) {
      kept = binding.kept.insert(binding.kept.end(), std::move(entry));
    } else {
      kept = binding.kept.begin() + static_cast<std::ptrdiff_t>(binding.next_victim++ % kMostKept);
      *kept = std::move(entry);
    }
  }
  check(runtime_,
        runtime_.api.infer_request_set_tensor_by_const_port(request_.get(), binding.port->handle.get(),
                                                            kept->tensor.get()),
        Phase::kRun, "binding '" + binding.port->info.name + "'");
  binding.bound = tensor.data;
  binding.shape = kept->shape;
}

void OvSlot::bind_output(Binding& binding, const assay_tensor& tensor) {
  if (tensor.data == nullptr) {
    binding.shape.clear();  // had from the request, after the run
    return;
  }
  check_fits(binding.port->info, shape_of(tensor));
  kit::check_tensor(binding.port->info, shape_of(tensor), tensor);
  bind(binding, tensor);
}

void OvSlot::submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                    void* user) {
  if (state_ != State::kIdle) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "submit was called on a slot whose batch has not been waited for");
  }
  if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "the model has " + std::to_string(inputs_.size()) + " inputs and " +
                                                   std::to_string(outputs_.size()) + " outputs, and got " +
                                                   std::to_string(inputs.size()) + " and " +
                                                   std::to_string(outputs.size()));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    // The request's own memory for an output is gone once the caller's was bound: a new request has it again.
    if (outputs[i].data == nullptr && outputs_[i].bound != nullptr) {
      make_request();
      break;
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    kit::check_tensor(inputs_[i].port->info, inputs_[i].shape, inputs[i]);
    bind(inputs_[i], inputs[i]);
  }
  given_inputs_.assign(inputs.begin(), inputs.end());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (passed_[i] == kNone) bind_output(outputs_[i], outputs[i]);
  }
  done_ = done;
  user_ = user;
  state_ = done != nullptr ? State::kRunning : State::kDeferred;
  if (done == nullptr) return;
  // Once it has started, `done` may come and another thread wait, before this call returns.
  const Status status = runtime_.api.infer_request_start_async(request_.get());
  if (status != kOk) state_ = State::kIdle;
  check(runtime_, status, Phase::kRun, "starting a batch");
}

void OvSlot::wait(std::span<assay_tensor> outputs, kit::Timing& timing) {
  const State state = std::exchange(state_, State::kIdle);
  if (state == State::kIdle) throw kit::Failure(ASSAY_INVALID_ARGUMENT, "wait was called with no batch submitted");
  if (state == State::kDeferred) {
    const auto begin = std::chrono::steady_clock::now();
    check(runtime_, runtime_.api.infer_request_infer(request_.get()), Phase::kRun, "running a batch");
    timing.compute_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
  } else {
    check(runtime_, runtime_.api.infer_request_wait(request_.get()), Phase::kRun, "running a batch");
  }
  if (model_->profile != nullptr) collect_profile();
  for (std::size_t i = 0; i < std::min(outputs.size(), outputs_.size()); ++i) {
    if (passed_[i] == kNone) {
      fill_output(outputs_[i], outputs[i]);
    } else {
      kit::pass_through(given_inputs_[passed_[i]], outputs[i]);
      outputs[i].shape = inputs_[passed_[i]].shape.data();
    }
  }
}

/// The C API has no shape of no axes: it refuses to tell a scalar's, which then is known by its one element.
void OvSlot::read_shape(Binding& binding, const ov_tensor* tensor) {
  const Port& port = *binding.port;
  ov_shape shape{};
  const Status status = runtime_.api.tensor_get_shape(tensor, &shape);
  if (status != kOk) {
    std::size_t bytes = 0;
    const bool told = runtime_.api.tensor_get_byte_size(tensor, &bytes) == kOk;
    if (!told || bytes != kit::element_bytes(port.info.dtype)) {
      check(runtime_, status, Phase::kRun, "getting the shape of '" + port.info.name + "'");
    }
    binding.shape.clear();
    return;
  }
  binding.shape.assign(shape.dims, shape.dims + shape.rank);
  runtime_.api.shape_free(&shape);
}

void OvSlot::fill_output(Binding& binding, assay_tensor& tensor) {
  const Port& port = *binding.port;
  tensor.dtype = port.info.dtype;
  tensor.memory = ASSAY_HOST;
  tensor.strides = nullptr;
  if (binding.bound == nullptr || !port.is_static()) {
    const Handle<ov_tensor> made = make_handle<ov_tensor>(
        runtime_, runtime_.api.tensor_free, Phase::kRun, "getting the output '" + port.info.name + "'",
        runtime_.api.infer_request_get_tensor_by_const_port, static_cast<const ov_infer_request*>(request_.get()),
        static_cast<const ov_output_const_port*>(port.handle.get()));
    const bool given_for_nothing = bytes_of(port.info.dtype, binding.shape) == 0;
    read_shape(binding, made.get());
    void* data = nullptr;
    const std::uint64_t bytes = bytes_of(port.info.dtype, binding.shape);
    if (bytes > 0)
      check(runtime_, runtime_.api.tensor_data(made.get(), &data), Phase::kRun, "getting an output's data");
    const bool empty_as_given = bytes == 0 && given_for_nothing;  // an empty tensor has no address to compare
    if (binding.bound != nullptr && data != binding.bound && !empty_as_given) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "output '" + port.info.name + "' came out as " +
                                                     kit::to_text(binding.shape) +
                                                     ", which is not what memory was given for");
    }
    tensor.data = data;
  } else {
    tensor.data = binding.bound;
  }
  tensor.bytes = bytes_of(port.info.dtype, binding.shape);
  tensor.rank = static_cast<std::int32_t>(binding.shape.size());
  tensor.shape = binding.shape.data();
}

void OvSlot::collect_profile() {
  ov_profiling_info_list list{};
  check(runtime_, runtime_.api.infer_request_get_profiling_info(request_.get(), &list), Phase::kRun,
        "reading the profile");
  model_->profile->add(list);
  runtime_.api.profiling_info_list_free(&list);
}

}  // namespace assay::openvino
