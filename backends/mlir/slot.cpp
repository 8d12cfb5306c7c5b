#include "slot.hpp"

#include <chrono>

namespace assay::mlir_backend {
namespace {

std::int64_t bytes_of(const compiler::Value& value) {
  return compiler::count(value.shape) * static_cast<std::int64_t>(compiler::bytes_of(value.element));
}

}  // namespace

MlirSlot::MlirSlot(MlirSession& session, std::shared_ptr<RunPool> runs) : session_(session), runs_(std::move(runs)) {
  runs_->add_slot();
  own_.resize(plan().outputs.size());
  inputs_.resize(plan().inputs.size());
  outputs_.resize(own_.size());
}

void MlirSlot::check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const {
  if (inputs.size() != plan().inputs.size() || outputs.size() != plan().outputs.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       std::to_string(inputs.size()) + " inputs and " + std::to_string(outputs.size()) +
                           " outputs were passed, the model has " + std::to_string(plan().inputs.size()) + " and " +
                           std::to_string(plan().outputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    kit::check_tensor(session_.inputs()[i], plan().inputs[i].shape, inputs[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].data != nullptr) kit::check_tensor(session_.outputs()[i], plan().outputs[i].shape, outputs[i]);
  }
}

void MlirSlot::submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                      void* user) {
  require_idle();  // the batch under way keeps its memory
  check(inputs, outputs);
  BlockingSlot::submit(inputs, outputs, done, user);
}

void MlirSlot::run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) {
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i] = inputs[i].data;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const compiler::Value& value = plan().outputs[i];
    if (outputs[i].data == nullptr) {
      if (own_[i].data() == nullptr) own_[i] = compiler::AlignedMemory(bytes_of(value));
      outputs[i].data = own_[i].data();
    }
    outputs_[i] = outputs[i].data;
    outputs[i].bytes = static_cast<std::uint64_t>(bytes_of(value));
    outputs[i].dtype = session_.outputs()[i].dtype;
    outputs[i].memory = ASSAY_HOST;
    outputs[i].rank = static_cast<std::int32_t>(value.shape.size());
    outputs[i].shape = value.shape.data();
    outputs[i].strides = nullptr;
  }
  const MlirSession::Lease lease(session_);
  const RunPool::Use use(*runs_);
  const auto begin = std::chrono::steady_clock::now();
  use.run()(lease.team(), inputs_, outputs_);
  timing.compute_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  if (Profile* profile = session_.profile()) profile->add(plan(), use.run().step_ns());
}

}  // namespace assay::mlir_backend
