#include "slot.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace assay::tensorflow {

TfSlot::TfSlot(const TfSession& session, std::span<const kit::FixedShape> shapes)
    : session_(session), api_(session.runtime().api) {
  const std::vector<Port>& inputs = session.signature().inputs;
  if (shapes.size() != inputs.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "shapes of " + std::to_string(shapes.size()) +
                                                   " inputs were given, the model has " +
                                                   std::to_string(inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!shapes[i].input.empty() && shapes[i].input != inputs[i].info.name) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "input " + std::to_string(i) + " is '" + inputs[i].info.name +
                                                     "', a shape was given for '" + shapes[i].input + "'");
    }
    if (inputs[i].info.rank_known) kit::check_shape(inputs[i].info, shapes[i].shape);
    kit::element_count(shapes[i].shape);  // throws for a shape that no memory holds
    shapes_.push_back(shapes[i].shape);
    input_places_.push_back(inputs[i].place);
    views_.emplace_back(nullptr, api_.delete_tensor);
  }
  for (const Port& output : session.signature().outputs) {
    output_places_.push_back(output.place);
    results_.emplace_back(nullptr, api_.delete_tensor);
  }
  raw_views_.resize(views_.size());
  raw_results_.resize(results_.size());
  output_shapes_.resize(results_.size());
}

TfSlot::~TfSlot() { stop(); }

void TfSlot::check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const {
  if (inputs.size() != views_.size() || outputs.size() != results_.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       std::to_string(inputs.size()) + " inputs and " + std::to_string(outputs.size()) +
                           " outputs were passed, the model has " + std::to_string(views_.size()) + " and " +
                           std::to_string(results_.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    kit::check_tensor(session_.signature().inputs[i].info, shapes_[i], inputs[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].data == nullptr) continue;
    const kit::TensorInfo& info = session_.signature().outputs[i].info;
    const std::span shape(outputs[i].shape, static_cast<std::size_t>(outputs[i].rank));
    if (info.rank_known) kit::check_shape(info, shape);
    kit::check_tensor(info, shape, outputs[i]);
  }
}

void TfSlot::submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                    void* user) {
  require_idle();  // the batch under way keeps its tensors
  check(inputs, outputs);
  BlockingSlot::submit(inputs, outputs, done, user);
}

/// In place where the memory is aligned as TensorFlow wants it (64 bytes), which copies it otherwise.
TfSlot::Tensor TfSlot::view(const assay_tensor& tensor) const {
  const DataType type = data_type_of(tensor.dtype);
  const std::size_t bytes =
      static_cast<std::size_t>(kit::element_count({tensor.shape, static_cast<std::size_t>(tensor.rank)})) *
      kit::element_bytes(tensor.dtype);
  static constexpr auto kKeep = [](void*, std::size_t, void*) {};
  static std::byte nothing;
  void* data = bytes > 0 ? tensor.data : &nothing;
  Tensor made(api_.new_tensor(type, tensor.shape, tensor.rank, data, bytes, kKeep, nullptr), api_.delete_tensor);
  if (made == nullptr) throw kit::Failure(ASSAY_FRAMEWORK, "TensorFlow did not take an input's memory");
  return made;
}

void TfSlot::run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) {
  const std::unique_ptr<std::counting_semaphore<>, void (*)(std::counting_semaphore<>*)> stream(
      (session_.streams().acquire(), &session_.streams()), [](std::counting_semaphore<>* s) { s->release(); });
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    views_[i] = view(inputs[i]);
    raw_views_[i] = views_[i].get();
  }
  std::fill(raw_results_.begin(), raw_results_.end(), nullptr);
  const auto begin = std::chrono::steady_clock::now();
  session_.run(input_places_, raw_views_, output_places_, raw_results_);
  timing.compute_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    results_[i].reset(raw_results_[i]);
    hand_out(i, outputs[i]);
  }
}

void TfSlot::hand_out(std::size_t i, assay_tensor& output) {
  TF_Tensor* result = results_[i].get();
  const kit::TensorInfo& info = session_.signature().outputs[i].info;
  std::vector<std::int64_t>& shape = output_shapes_[i];
  shape.clear();
  for (int axis = 0; axis < api_.num_dims(result); ++axis) shape.push_back(api_.dim(result, axis));
  const std::size_t bytes = api_.tensor_byte_size(result);
  if (output.data == nullptr) {
    output.data = api_.tensor_data(result);
  } else {
    const std::span given(output.shape, static_cast<std::size_t>(output.rank));
    if (!std::equal(given.begin(), given.end(), shape.begin(), shape.end()) || output.bytes < bytes) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "output '" + info.name + "' came out as " + kit::to_text(shape) +
                                                     ", which is not what memory was given for");
    }
    std::memcpy(output.data, api_.tensor_data(result), bytes);
    results_[i].reset();
  }
  output.bytes = bytes;
  output.dtype = info.dtype;
  output.memory = ASSAY_HOST;
  output.rank = static_cast<std::int32_t>(shape.size());
  output.shape = shape.data();
  output.strides = nullptr;
}

}  // namespace assay::tensorflow
