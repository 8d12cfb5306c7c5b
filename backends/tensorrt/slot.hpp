#pragma once
// One batch under way: a context of the engine, a stream, and memory of the device for all inputs and outputs.

#include <NvInferRuntime.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine.hpp"
#include "nvidia/cuda_objects.hpp"
#include "output_memory.hpp"

namespace assay::tensorrt {

/// What a session's slots have in common.
struct SlotSettings {
  bool cuda_graph = false;
  LayerTimes* times = nullptr;  ///< collected where it is not null
};

/// `submit` launches: copies in, kernels, copies out, on the slot's stream, and returns. What is left to `wait` (or,
/// with a callback, to a thread of the slot's own) is to sleep until they are done: a host function in the stream would
/// not be called after an error of the device's.
class TrtSlot final : public kit::BlockingSlot {
 public:
  TrtSlot(Engine& engine, const SlotSettings& settings, std::span<const kit::FixedShape> shapes);
  ~TrtSlot() override;

  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override;

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) override;

 private:
  struct Input {
    const Port* port = nullptr;
    std::vector<std::int64_t> shape;
    std::uint64_t bytes = 0;
    nvidia::DeviceBuffer memory;
  };
  struct Output {
    const Port* port = nullptr;
    std::vector<std::int64_t> shape;  // where it is not known: of the last batch
    std::uint64_t bytes = 0;
    nvidia::DeviceBuffer memory;
    std::unique_ptr<GrowingOutput> growing;  // not null: its shape depends on the values
    PinnedBuffer host;                       // where the caller gave no memory, or TensorRT writes on the host
  };

  void bind_inputs(std::span<const kit::FixedShape> shapes);
  void bind_outputs();
  void bind_output(Output& output);
  void give_scratch();
  void require_on_device(const nvidia::DeviceBuffer& memory) const;
  void count_memory();
  void check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const;
  void launch(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs);
  void compute();
  void enqueue();
  void capture();
  void start_copy_out(Output& output, const assay_tensor& given);
  static void fill_output(Output& output, assay_tensor& tensor);
  void settle() noexcept;

  Engine& engine_;
  const SlotSettings settings_;
  ErrorList errors_;  // outlives the context
  nvidia::Stream stream_;
  nvidia::Event begin_, copied_in_, computing_, computed_, copied_out_;
  std::shared_ptr<const nvidia::DeviceBuffer> scratch_;  // of all slots; outlives the context and its graph
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  std::optional<nvidia::CapturedGraph> graph_;
  bool warm_ = false;                     // a batch was launched: what TensorRT does once for a shape is done
  bool waits_ = false;                    // TensorRT waits for the device while it launches
  std::chrono::nanoseconds launching_{};  // by the host, of the last batch
  std::int64_t counted_bytes_ = 0;
};

}  // namespace assay::tensorrt
