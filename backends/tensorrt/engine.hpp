#pragma once
// A deserialized engine on its device, and what it says of itself.

#include <NvInferRuntime.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compute_order.hpp"
#include "engine_cache.hpp"
#include "layer_times.hpp"
#include "nvidia/cuda_objects.hpp"
#include "nvidia/cuda_runtime.hpp"
#include "profile_shapes.hpp"
#include "runtime.hpp"
#include "trt_log.hpp"

namespace assay::tensorrt {

/// The name that the model has for the engine's tensor: the parser calls an output that is named as an input "__x".
std::string model_name(const std::string& tensor, std::span<const kit::TensorInfo> inputs);

/// One input or output.
struct Port {
  std::string tensor;  ///< the engine's name
  kit::TensorInfo
      info;  ///< under the model's name; -1 where the engine takes several sizes, or it is known after a run
  bool on_host = false;  ///< TensorRT reads or writes it in the host's memory
};

/// Where an engine runs, and how many threads of the host it may take to be read.
struct Place {
  const nvidia::CudaRuntime& cuda;
  int device;
  int threads;
};

class Engine {
 public:
  /// Throws Failure where `serialized` is none for this device and version.
  Engine(const Runtime& runtime, const Place& place, std::span<const std::byte> serialized, Facts facts);

  [[nodiscard]] const nvidia::CudaRuntime& cuda() const { return place_.cuda; }
  /// The GPU that was the thread's after it was read, as CUDA tells it: TensorRT reads on the thread's, and tells none.
  [[nodiscard]] int device() const { return device_; }
  [[nodiscard]] const std::vector<Port>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<Port>& outputs() const { return outputs_; }
  [[nodiscard]] const std::vector<InputRange>& ranges() const { return ranges_; }  ///< of the inputs
  /// No shape is left to a slot.
  [[nodiscard]] bool fixed() const;

  /// Its scratch memory is the caller's to give. `errors` must outlive it.
  std::unique_ptr<nvinfer1::IExecutionContext> new_context(ErrorList& errors);
  /// Bytes of scratch memory that a batch of any shape may take.
  [[nodiscard]] std::uint64_t most_scratch() const;
  /// So many bytes on the device, the same for all who hold them at once: batches compute one after another, and a
  /// captured graph has the address. Throws ASSAY_OUT_OF_MEMORY. Thread-safe.
  [[nodiscard]] std::shared_ptr<const nvidia::DeviceBuffer> scratch();

  /// Of the slots' batches.
  [[nodiscard]] ComputeOrder& compute_order() { return compute_order_; }

  /// A slot is there, with so many bytes of its own on the device; it has captured a graph; it goes.
  void count_slot(std::int64_t bytes);
  void count_graph() { ++graphs_; }
  void forget_slot(std::int64_t bytes, bool has_graph);
  /// Of the slots that are there, how many launch a captured graph.
  [[nodiscard]] std::string graphs_in_force() const;

  /// As the engine and its device tell it, for describe.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> in_force() const;
  [[nodiscard]] std::string plan() const;       ///< the inspector's JSON
  [[nodiscard]] std::string placement() const;  ///< JSON: the device, and the layers on it
  [[nodiscard]] std::string memory() const;     ///< JSON: bytes of weights, of scratch memory, of the slots' own

 private:
  void read_ports();
  [[nodiscard]] InputRange range_of(const Port& port) const;
  [[nodiscard]] std::uint64_t scratch_in_use() const;

  const Runtime& runtime_;
  Place place_;
  Facts facts_;
  int device_ = 0;
  ErrorList errors_;  // outlives what follows
  std::unique_ptr<nvinfer1::IRuntime> trt_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<Port> inputs_, outputs_;
  std::vector<InputRange> ranges_;
  std::atomic<std::int64_t> slot_bytes_{0};
  std::atomic<int> slots_{0}, graphs_{0};
  ComputeOrder compute_order_;
  mutable std::mutex scratch_mutex_;
  std::weak_ptr<const nvidia::DeviceBuffer> scratch_;  // the slots hold it
  mutable std::mutex inspector_mutex_;
};

}  // namespace assay::tensorrt
